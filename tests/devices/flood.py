"""A device that never stops talking."""

import contextlib
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

PATIENCE_S = 5.0  # with a driver that neither reads nor closes


class Flood:
    """Answers the first requests with ``first``, the next with ``rest`` again and again."""

    def __init__(self, first: Sequence[bytes], rest: bytes) -> None:
        self._first = first
        self._rest = rest
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        self._sending = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._sending.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._sending.join()
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # the end
                return
            connection.settimeout(PATIENCE_S)
            with connection, contextlib.suppress(OSError):
                for answer in self._first:
                    connection.recv(4096)
                    connection.sendall(answer)
                connection.recv(4096)
                while True:
                    connection.sendall(self._rest)
