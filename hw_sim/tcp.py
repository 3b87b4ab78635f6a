"""A TCP listener whose sessions can be dropped and whose port can be closed while it stays ours."""

import contextlib
import socket
import threading
from collections.abc import Callable
from select import POLLIN, poll


class Session:
    """One accepted connection."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # pieces stay pieces
        self._connection = connection
        self.peer = peer

    def receive(self, size: int) -> bytes:
        """Exactly ``size`` bytes.

        Raises:
            EOFError: The connection ended first.
            OSError: It was reset.
        """
        data = b""
        while len(data) < size:
            part = self._connection.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def send(self, data: bytes) -> None:
        """All of ``data``; ``OSError`` when the connection is gone."""
        self._connection.sendall(data)

    def drop(self) -> None:
        """End the connection; whoever waits in ``receive`` or ``send`` wakes up."""
        with contextlib.suppress(OSError):  # it ended by itself
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket; only the thread that serves the session may."""
        self._connection.close()


class Listener:
    """Serves each connection in a thread of its own with ``serve(session)``."""

    def __init__(self, host: str, port: int, serve: Callable[[Session], None]) -> None:
        self.host = host
        self.port = port
        self._serve = serve
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._bound: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._waker: socket.socket | None = None
        self._sessions: dict[Session, threading.Thread] = {}
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._accepting is not None

    def open(self) -> None:
        """Bind, if that has not been done, and accept connections; twice is fine.

        Raises:
            OSError: The address is taken, not ours or not allowed.
        """
        if self.is_open:
            return
        if self._bound is None:
            self._bind()
        assert self._bound is not None
        self._bound.listen()
        woken, self._waker = socket.socketpair()
        self._accepting = threading.Thread(
            target=self._accept, args=(self._bound, woken), name=f"accept {self.port}", daemon=True
        )
        self._accepting.start()

    def refuse(self) -> None:
        """Drop all sessions and refuse new ones; the port stays bound, so nobody else gets it."""
        self.close()
        self._bind()

    def close(self) -> None:
        """Free the port, drop all sessions and wait for their threads; twice is fine."""
        if self._accepting is not None and self._waker is not None:
            self._waker.close()
            self._accepting.join()
            self._accepting = None
        if self._bound is not None:
            self._bound.close()
            self._bound = None
        with self._lock:
            sessions = dict(self._sessions)
        for session in sessions:
            session.drop()
        for thread in sessions.values():
            if thread is not threading.current_thread():
                thread.join()

    def _bind(self) -> None:
        bound = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            # Restart while old connections linger. On Linux it never lets two programs listen.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self.host, self.port))
            if self.port == 0:
                bound.listen()  # now no other program can bind the port that was found
        except OSError:
            bound.close()
            raise
        self.port = bound.getsockname()[1]
        self._bound = bound

    def _accept(self, listener: socket.socket, woken: socket.socket) -> None:
        waiting = poll()
        waiting.register(listener, POLLIN)
        waiting.register(woken, POLLIN)
        wake = woken.fileno()
        with woken:
            while True:
                if any(descriptor == wake for descriptor, _ in waiting.poll()):
                    return
                try:
                    connection, peer = listener.accept()
                except OSError:  # the client gave up between the two calls
                    continue
                self._begin(Session(connection, f"{peer[0]}:{peer[1]}"))

    def _begin(self, session: Session) -> None:
        thread = threading.Thread(
            target=self._run, args=(session,), name=f"session {session.peer}", daemon=True
        )
        with self._lock:
            self._sessions[session] = thread
        thread.start()

    def _run(self, session: Session) -> None:
        try:
            self._serve(session)
        except (EOFError, OSError):  # the usual end of a session
            pass
        finally:
            session.close()
            with self._lock:
                del self._sessions[session]
