"""Byte links to devices, whatever carries them: send, receive in time, exact sizes, whole lines."""

from collections.abc import Callable
from typing import Final, Protocol

from agent.clock import Deadline
from agent.devices.contract import hex_bytes

AT_ONCE: Final = 64 * 1024  # bytes; a socket takes the memory for all that it is asked for


class Link(Protocol):
    """An open way to a device. Every step shares the caller's deadline."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """All of ``data``, in one piece where the carrier can do that.

        Raises:
            OSError: The link broke, or ``TimeoutError``.
        """

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        """What comes next, 1 to ``limit`` bytes.

        Raises:
            TimeoutError: Nothing came in time.
            OSError: The link broke; ``ConnectionAbortedError`` when the far end closed it.
        """

    def receive_now(self, limit: int) -> bytes:
        """What has come already, up to ``limit`` bytes; perhaps none."""

    def close(self) -> None:
        """Let go of it; twice is fine."""


OpenLink = Callable[[Deadline], Link]
"""How a driver gets its link; tests hand in one that follows a script."""


class Stream:
    """Exact sizes and whole lines from a link whose bytes come in any pieces."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.received_bytes = 0  # since it was made, asked for or not yet
        self._received = b""

    @property
    def unread(self) -> bytes:
        """What came beyond what was asked for so far."""
        return self._received

    def send(self, data: bytes, deadline: Deadline) -> None:
        """As the link does."""
        self.link.send(data, deadline)

    def exactly(self, size: int, deadline: Deadline) -> bytes:
        """The next ``size`` bytes, and none beyond them.

        Raises:
            TimeoutError: With how many came, and the first of them.
            OSError: The link broke.
            ValueError: ``size`` is negative, as a length from the wire can be.
        """
        if size < 0:
            raise ValueError(f"wanted a size of 0 or more, got {size}")
        received = self._received
        if len(received) < size:
            parts, got = [received], len(received)
            while got < size:
                parts.append(self._more(parts, size, deadline))
                got += len(parts[-1])
            received = b"".join(parts)
        data, self._received = received[:size], received[size:]
        return data

    def line(self, limit: int, deadline: Deadline) -> bytes:
        """The next line without its LF and a CR before that; at most ``limit`` bytes with the CR.

        Raises:
            ValueError: No end of line within the limit.
            TimeoutError, OSError: As ``exactly``.
        """
        parts = [self._received]
        self._received = b""
        size = 0
        while True:
            head, end, rest = parts[-1].partition(b"\n")
            size += len(head)
            if end:
                parts[-1], self._received = head, rest
                line = b"".join(parts)
            if size > limit:
                start = hex_bytes(b"".join(parts)[:limit])
                raise ValueError(
                    f"wanted a line of at most {limit} bytes, got no end of it: {start}"
                )
            if end:
                return line.removesuffix(b"\r")
            parts.append(self._more(parts, 0, deadline))

    def drain(self, limit: int) -> bytes:
        """Throw away what has come by now; it, up to ``limit`` bytes.

        Raises:
            ValueError: More than that came: the device never stops talking.
        """
        dropped, self._received = self._received, b""
        while len(dropped) <= limit:
            piece = self.link.receive_now(4096)
            if not piece:
                return dropped
            dropped += piece
        raise ValueError(f"wanted silence, got more than {limit} bytes without being asked")

    def close(self) -> None:
        """Let go of the link and of what came over it."""
        self._received = b""
        self.link.close()

    def _more(self, parts: list[bytes], size: int, deadline: Deadline) -> bytes:
        try:
            piece = self.link.receive(min(max(4096, size), AT_ONCE), deadline)
            self.received_bytes += len(piece)
            return piece
        except TimeoutError as exc:
            wanted = f"{size} bytes" if size else "a whole line"
            got = b"".join(parts)
            told = f"{len(got)} bytes: {hex_bytes(got)}" if got else "none"
            text = f"no answer within {deadline.timeout_s:g} s, wanted {wanted}, got {told}"
            raise TimeoutError(text) from exc
        except ConnectionAbortedError as exc:
            of = f" of {size}" if size else ""
            text = f"{exc} after {sum(map(len, parts))}{of} bytes"
            raise ConnectionAbortedError(text) from exc
