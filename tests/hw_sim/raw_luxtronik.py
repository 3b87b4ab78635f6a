"""A heat pump client of bytes alone, for tests of the simulated controller."""

import socket
import struct
from types import TracebackType
from typing import Self

TIMEOUT_S = 5.0


class RawClient:
    """One connection; what it receives is not checked."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, *numbers: int) -> Self:
        return self.send_bytes(struct.pack(f">{len(numbers)}i", *numbers))

    def send_bytes(self, data: bytes) -> Self:
        self._socket.sendall(data)
        return self

    def receive(self, size: int) -> bytes:
        """Exactly so many bytes, fewer when the connection ends."""
        data = b""
        while len(data) < size and (part := self._socket.recv(size - len(data))):
            data += part
        return data

    def piece(self) -> bytes:
        """What comes at once."""
        return self._socket.recv(65536)

    def rest(self) -> bytes:
        """All until the far end closes."""
        data = b""
        while part := self._socket.recv(65536):
            data += part
        return data

    def is_silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes within the time."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(1) is None
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(TIMEOUT_S)

    def numbers(self, command: int) -> tuple[int, ...]:
        """The values of a table, after its head was checked."""
        self.send(command, 0)
        head = 3 if command == 3004 else 2
        (echo, *status, count) = struct.unpack(f">{head}i", self.receive(4 * head))
        assert (echo, status) == (command, [0] * (head - 2))
        form, size = ("b", 1) if command == 3005 else ("i", 4)
        return struct.unpack(f">{count}{form}", self.receive(count * size))
