"""Answers to those who call out on the network for controllers."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Sequence
from select import POLLIN, poll

CALL = b"2000;111;1;\0"


class Discovery:
    """Listens for calls on a UDP port, in a thread of its own, and says at which port to ask."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._bound: Sequence[socket.socket] = ()
        self._waker: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self, answer: str) -> None:
        """Answer every call with ``answer`` from now on; twice is fine.

        Raises:
            OSError: The port is taken or not allowed.
        """
        if self._thread is not None:
            return
        own = self._bind(self.host)
        self.port = own.getsockname()[1]
        self._bound = [own]
        if self._is_one_of_many():
            try:
                self._bound = [own, self._bind("")]
            except OSError:
                own.close()
                raise
        woken, self._waker = socket.socketpair()
        self._thread = threading.Thread(
            target=self._run, args=(woken, answer), name=f"calls {self.port}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Free the port; twice is fine."""
        if self._thread is None or self._waker is None:
            return
        self._waker.close()
        self._thread.join()
        for each in self._bound:
            each.close()
        self._thread = None

    def _is_one_of_many(self) -> bool:
        """Whether calls to all come to another address than ours."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return address.version == 4 and not (address.is_loopback or address.is_unspecified)

    def _bind(self, host: str) -> socket.socket:
        bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if self._is_one_of_many():
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, self.port))
        except OSError:
            bound.close()
            raise
        return bound

    def _run(self, woken: socket.socket, answer: str) -> None:
        waiting = poll()
        own = self._bound[0]
        sockets = {each.fileno(): each for each in self._bound}
        for descriptor in (*sockets, woken.fileno()):
            waiting.register(descriptor, POLLIN)
        with woken:
            while True:
                ready = [descriptor for descriptor, _ in waiting.poll()]
                if woken.fileno() in ready:
                    return
                for descriptor in ready:
                    with contextlib.suppress(OSError):  # whoever called has gone
                        data, caller = sockets[descriptor].recvfrom(1024)
                        if data == CALL:
                            own.sendto(answer.encode("ascii"), caller)
