"""Lines of JSON over TCP or a serial port: asked for, or sent by the device as it likes."""

from typing import Final, Protocol

from agent.clock import Deadline
from agent.config.faults import ReferencedText
from agent.devices.json.options import Options
from agent.devices.json.owed import Owed
from agent.devices.json.path import cleaned
from agent.devices.json.values import SHOWN, Answer, parse
from agent.devices.links.link import Link, OpenLink

PIECE: Final = 8192  # bytes; what a link is asked for at once, some hundred lines
DRAIN_LIMIT: Final = 8 << 20  # bytes; more than a kernel keeps, so what follows is of now
TCP_BACKLOG: Final = 64 << 10  # bytes; from here on the device may have had to wait for us
SERIAL_BACKLOG: Final = 4095  # bytes; the kernel keeps no more, and then loses the newest
RESEND_S: Final = 1.0
QUIET_S: Final = 0.05  # what the kernel still held comes at once


class Transport(Protocol):
    """A way to get one answer after the other."""

    @property
    def is_open(self) -> bool:
        """Whether it is connected."""

    def open(self, deadline: Deadline) -> object:
        """Connect; a connection that is there is closed.

        Raises:
            OSError, RefusedError: It can't.
        """

    def answer(self, deadline: Deadline) -> Answer:
        """The next answer.

        Raises:
            OSError, ValueError, RefusedError: There is none.
        """

    def close(self) -> None:
        """Let go of the link; twice is fine."""


class Lines:
    """Cuts what comes into lines; the beginning of the next one stays here."""

    def __init__(self, end: bytes, limit: int) -> None:
        self._end = end
        self._limit = limit
        self._rest = bytearray()
        self._searched = 0  # of the rest, that has no end of line

    @property
    def rest(self) -> bytes:
        """What came after the last whole line."""
        return bytes(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, without blanks around them; empty ones are none.

        Raises:
            ValueError: One is longer than the limit.
        """
        self._rest += data
        last = self._rest.rfind(self._end, self._searched)
        found = []
        if last >= 0:
            *found, _ = bytes(self._rest[: last + 1]).split(self._end)
            del self._rest[: last + 1]
        self._searched = len(self._rest)
        if self._searched > self._limit or any(len(line) > self._limit for line in found):
            wanted = f"wanted a line of at most {self._limit} bytes (max_bytes)"
            start = max([*found, bytes(self._rest)], key=len)
            raise ValueError(f"{wanted}, got a longer one: {_shown(start)}")
        return [line for line in map(bytes.strip, found) if line]

    def finish(self) -> list[bytes]:
        """What is left where a device closes in place of ending its line."""
        line = self.rest.strip()
        self.clear()
        return [line] if line else []

    def clear(self) -> None:
        """Forget what came."""
        self._rest.clear()
        self._searched = 0


class LineTransport:
    """Sends ``request`` and reads one line; without one takes the newest that the device sent."""

    def __init__(self, options: Options, open_link: OpenLink) -> None:
        self._open_link = open_link
        self._ask = f"{options.request}{options.line_end}".encode() if options.request else b""
        is_hidden = isinstance(options.request, ReferencedText)
        self._shown_ask = "the request" if is_hidden else repr(options.request.strip())
        self._lines = Lines(options.line_end[-1:].encode(), options.max_bytes)
        self._limit = options.max_bytes
        self._is_serial = options.serial is not None
        self._link: Link | None = None
        self._is_settled = False  # whether whole lines come over this link
        self._owed = Owed(self._ask.strip(), self._next_lines)

    @property
    def is_open(self) -> bool:
        return self._link is not None

    def open(self, deadline: Deadline) -> Link:
        self.close()
        self._is_settled = False
        self._owed.count = 0
        self._link = self._open_link(deadline)
        return self._link

    def answer(self, deadline: Deadline) -> Answer:
        link = self._link or self.open(deadline)
        if self._ask:
            return self._asked(link, deadline)
        return self._newest(link, deadline)

    def close(self) -> None:
        link, self._link = self._link, None
        self._lines.clear()
        if link is not None:
            link.close()

    def _asked(self, link: Link, deadline: Deadline) -> Answer:
        self._owed.wait(deadline)
        self._drop_stale(link)
        link.send(self._ask, deadline)
        echo, junk = self._ask.strip(), None
        while True:
            try:
                lines = self._reply_lines(link, deadline)
            except (TimeoutError, ConnectionError) as exc:
                if junk is None:
                    raise
                raise junk from exc
            for at, line in enumerate(lines, 1):
                if line == echo:
                    continue
                try:
                    answer = parse(line)
                except ValueError as exc:
                    if self._is_settled:
                        raise
                    junk = _no_line(line, exc, deadline)  # a greeting, or what it says at start
                else:
                    self._is_settled = True
                    return self._owed.newest(answer, lines[at:], deadline)

    def _reply_lines(self, link: Link, deadline: Deadline) -> list[bytes]:
        """Many a device starts anew when its serial port is opened, and misses the request."""
        wait_s = min(RESEND_S, deadline.timeout_s / 3)
        while self._is_serial and not self._is_settled and deadline.left_s() > wait_s:
            try:
                return self._next_lines(Deadline(wait_s))
            except TimeoutError:
                self._lines.clear()
                link.send(self._ask, deadline)
                self._owed.count += 1
        return self._next_lines(deadline)

    def _drop_stale(self, link: Link) -> None:
        """What came without being asked, such as the late answer to a request before."""
        self._lines.clear()
        dropped = 0
        while data := link.receive_now(PIECE):
            dropped += len(data)
            if dropped > self._limit:
                raise ValueError(
                    f"wanted silence before the request, got more than {self._limit} bytes; "
                    'a device that talks by itself has request = ""'
                )

    def _newest(self, link: Link, deadline: Deadline) -> Answer:
        lines, size = self._waiting(link, deadline)
        if size > (SERIAL_BACKLOG if self._is_serial else TCP_BACKLOG):
            # The device could not get rid of its lines: the newest that we have may be old.
            lines, link = [], self._afresh(link, deadline)
        junk = None
        while True:
            for line in reversed(lines):
                try:
                    return parse(line)
                except ValueError as exc:
                    junk = _no_line(line, exc, deadline)
            try:
                lines = self._sound(self._next_lines(deadline))
            except (TimeoutError, ConnectionError) as exc:
                if junk is None:
                    raise
                raise junk from exc

    def _waiting(self, link: Link, deadline: Deadline) -> tuple[list[bytes], int]:
        """The newest of the lines that have come by now, and how many bytes came."""
        found: list[bytes] = []
        size = 0
        while size < DRAIN_LIMIT and (data := link.receive_now(PIECE)):
            deadline.left_s()
            size += len(data)
            found = self._sound(self._lines.feed(data)) or found
        return found, size

    def _sound(self, lines: list[bytes]) -> list[bytes]:
        """Lines without the first after connecting, if that may be the end of a longer one.

        The end of an object or a list is no JSON, but that of a number is a number.
        """
        if self._is_settled or not lines:
            return lines
        self._is_settled = True
        try:
            is_whole = isinstance(parse(lines[0]).value, dict | list)
        except ValueError:
            is_whole = False
        return lines if is_whole else lines[1:]

    def _afresh(self, link: Link, deadline: Deadline) -> Link:
        """A link on which the next whole line is of now."""
        if not self._is_serial:
            return self.open(deadline)
        try:  # opening a serial port resets many a device
            while True:
                link.receive(PIECE, Deadline(min(QUIET_S, deadline.left_s())))
        except TimeoutError:
            deadline.left_s()
        self._lines.clear()
        self._is_settled = False
        return link

    def _next_lines(self, deadline: Deadline) -> list[bytes]:
        """Wait for one or more; what a device says before it closes is one too."""
        while True:
            if self._link is None:
                raise ConnectionAbortedError("the device closed the connection")
            try:
                data = self._link.receive(PIECE, deadline)
            except TimeoutError as exc:
                raise TimeoutError(self._late(deadline)) from exc
            except ConnectionAbortedError:
                if lines := self._lines.finish():
                    self.close()
                    return lines
                raise
            if lines := self._lines.feed(data):
                return lines

    def _late(self, deadline: Deadline) -> str:
        text = f"no answer within {deadline.timeout_s:g} s"
        if self._lines.rest:
            rest = self._lines.rest
            return f"{text}: {len(rest)} bytes without an end of line: {_shown(rest)}; see line_end"
        if self._ask:
            return f"{text} to {self._shown_ask}; check request and line_end"
        return f"{text}: the device says nothing by itself; does it need a request?"


def _no_line(line: bytes, error: ValueError, deadline: Deadline) -> ValueError:
    text = f"no line of JSON within {deadline.timeout_s:g} s, but such as {_shown(line)}"
    return ValueError(f"{text}: {error}")


def _shown(line: bytes) -> str:
    """The beginning of a line, fit to print."""
    return repr(cleaned(line[:SHOWN].decode("utf-8", "replace")))
