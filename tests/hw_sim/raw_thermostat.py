"""A client as plain as netcat for the simulated thermostat."""

import socket
from types import TracebackType
from typing import Self

PATIENCE_S = 10.0  # only a hang gets here


class RawClient:
    """Sends bytes and reads lines."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def finish(self) -> None:
        """Say that no more is sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def line(self) -> bytes:
        """The next line with its end; empty when the connection ended."""
        try:
            return self._lines.readline()
        except ConnectionResetError:
            return b""

    def ask(self, request: str) -> str:
        """The line that answers a request, without its LF."""
        self.send(f"{request}\n".encode())
        line = self.line()
        assert line.endswith(b"\n")
        return line[:-1].decode()

    def some(self, size: int) -> bytes:
        """So many bytes."""
        return self._lines.read(size)

    def rest(self) -> bytes:
        """Everything until the connection ends."""
        try:
            return self._lines.read()
        except ConnectionResetError:
            return b""
