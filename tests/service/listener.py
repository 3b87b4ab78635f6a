"""Stands for systemd and its journal: a datagram socket, and what came to it."""

import array
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.agent_process import wait_for

SIZE = 1 << 20


class Listener:
    """Bound to ``address`` (``@name`` is an abstract one) until the end of the ``with``."""

    def __init__(self, address: Path | str) -> None:
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self.address.replace("@", "\0", 1))
        self._messages: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def messages(self) -> list[bytes]:
        """All that came, the memory files' content in its place."""
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(SIZE, socket.CMSG_SPACE(4))
            except BlockingIOError:
                return self._messages
            self._messages.append(b"".join(map(content, ancillary)) if ancillary else data)

    @property
    def lines(self) -> list[str]:
        """The lines of all messages."""
        return [line for each in self.messages for line in each.decode().splitlines()]

    @property
    def entries(self) -> list[dict[str, str]]:
        """The messages as entries of the journal."""
        return [entry_of(each) for each in self.messages]

    def wait_for(self, part: str, after: int = 0) -> str:
        """The first line with ``part`` in it, of those behind the first ``after``."""

        def found() -> str | None:
            return next((line for line in self.lines[after:] if part in line), None)

        line: str = wait_for(found, what=part)
        return line


def content(ancillary: tuple[int, int, bytes]) -> bytes:
    """What is in the file that came with a message; it must be sealed."""
    handles = array.array("i", ancillary[2])
    (handle,) = handles
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        with os.fdopen(handle, "rb", closefd=False) as stream:
            found = stream.read()
        try:
            os.ftruncate(handle, 0)
        except PermissionError:
            return found
        raise AssertionError("the file is not sealed")
    finally:
        os.close(handle)


def entry_of(data: bytes) -> dict[str, str]:
    """The fields of a message in the journal's protocol."""
    found: dict[str, str] = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(data[:8], "little")
            value, end, data = data[8 : 8 + size], data[8 + size : 9 + size], data[9 + size :]
            assert end == b"\n"
        assert name.decode() not in found
        found[name.decode()] = value.decode()
    return found


def environment(listener: Listener, watchdog_s: float | None = None) -> Mapping[str, str]:
    """What systemd puts into the environment of a service that it watches."""
    found = {"NOTIFY_SOCKET": listener.address}
    if watchdog_s is not None:
        found["WATCHDOG_USEC"] = str(round(watchdog_s * 1e6))
    return found
