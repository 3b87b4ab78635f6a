"""What ``http.client`` needs of a socket, made of a link: one deadline, a bound for everything."""

import http.client
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from agent.clock import Deadline
from agent.devices.json.values import RefusedError
from agent.devices.links.link import Link

if TYPE_CHECKING:
    import socket

PIECE: Final = 65536  # bytes
# Bytes of status line and headers, and of what stands around chunks. The time that http.client
# takes for a Content-Type grows with the square of its length: 0.2 s for these, 2 s for 65536.
HEADERS_LIMIT: Final = 16384


class Received:
    """What ``http.client`` reads from: the bytes of a link, up to a limit, until a deadline."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._data = bytearray()
        self._is_ended = False
        self.deadline = Deadline(0)
        self.left = 0  # bytes that may still be taken
        self.count = 0  # bytes that were taken

    @property
    def has_unread(self) -> bool:
        """Whether more came than was taken."""
        return bool(self._data)

    def readline(self, limit: int) -> bytes:
        """As a file does."""
        searched = 0
        while (end := self._data.find(b"\n", searched)) < 0 and len(self._data) < limit:
            searched = len(self._data)
            if not self._more():
                break
        return self._take(min(limit, len(self._data) if end < 0 else end + 1))

    def read(self, size: int) -> bytes:
        """As a file does; fewer bytes only at the end.

        Raises:
            ValueError: The size is less than 0, which a file takes for all there is.
        """
        if size < 0:
            raise ValueError(f"wanted a length, got {size}")
        while len(self._data) < size and self._more():
            pass
        return self._take(min(size, len(self._data)))

    def flush(self) -> None:
        """There is nothing to flush."""

    def close(self) -> None:
        """The link outlives each answer."""

    def _more(self) -> bool:
        if self._is_ended:
            return False
        try:
            self._data += self._link.receive(PIECE, self.deadline)
        except ConnectionAbortedError:
            self._is_ended = True
        except TimeoutError as exc:
            got = self.count + len(self._data)
            came = f", after {got} bytes of it" if got else ""
            text = f"no answer within {self.deadline.timeout_s:g} s{came}"
            raise TimeoutError(text) from exc
        return not self._is_ended

    def _take(self, size: int) -> bytes:
        self.left -= size
        if self.left < 0:
            # No ValueError: http.client takes that for a number that is none.
            raise OverflowError("wanted an answer with an end, got headers or chunks without one")
        data = bytes(self._data[:size])
        del self._data[:size]
        self.count += size
        return data


class _Socket:
    """As much of a socket as ``http.client`` uses."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.received = Received(link)

    def sendall(self, data: bytes) -> None:
        self._link.send(data, self.received.deadline)

    def makefile(self, _mode: str) -> Received:
        return self.received

    def close(self) -> None:
        """``http.client`` lets go of it before it has read the answer."""


class Connection(http.client.HTTPConnection):
    """One connection to a server, over a link that is open."""

    def __init__(self, link: Link) -> None:
        super().__init__("device")
        self._link = link
        self._own = _Socket(link)
        self._is_used = False
        self.sock = cast("socket.socket", self._own)
        self.auto_open = 0

    @property
    def received(self) -> Received:
        """Where answers come in."""
        return self._own.received

    @property
    def is_stale(self) -> bool:
        """Whether it was used, and more came than the answer, or it broke.

        Taken for the next answer, that would leave each read one answer behind.
        """
        if not self._is_used:
            return False
        try:
            return self.received.has_unread or bool(self._link.receive_now(1))
        except (OSError, RefusedError):
            return True

    def get(
        self, target: str, headers: Mapping[str, str], deadline: Deadline
    ) -> http.client.HTTPResponse:
        """The head of the answer."""
        self._is_used = True
        self.received.deadline = deadline
        self.received.left = HEADERS_LIMIT
        self.received.count = 0
        self.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            self.putheader(name, value.encode())
        self.endheaders()
        return self.getresponse()

    def end(self) -> None:
        """Let go of the link."""
        self._link.close()
