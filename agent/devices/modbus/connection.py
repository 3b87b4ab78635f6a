"""One link to a Modbus device or line: asks, and gets the answer to what it asked, in time."""

import threading
from collections import deque
from typing import Final, Protocol

from agent.clock import Deadline
from agent.devices.contract import hex_bytes
from agent.devices.links.link import Link, Stream
from agent.devices.links.serial_port import Line
from agent.devices.modbus.plan import Request
from agent.devices.modbus.types import Cells
from agent.devices.modbus.wire import (
    MBAP,
    SHORTEST_FRAME,
    NoFrameError,
    WrongAnswerError,
    check_unit,
    find_frame,
    frame_size,
    is_other_frame,
    parse_answer,
    parse_mbap,
    rtu_request,
    tcp_request,
    why_no_frame,
)

LONGEST_FRAME: Final = 256  # of a serial line
MOST_STALE: Final = 1 << 16  # bytes thrown away before a request; more never ends
GAP_S: Final = 0.2  # silence inside a frame; USB adapters make 16 ms, networks in between more
FAST_BAUD: Final = 19200  # above it the silence between frames is fixed
FAST_SILENCE_S: Final = 0.00175
ABANDONED: Final = 64  # answers that may still come
LINE_CHECK: Final = "check unit_id, power and wiring"
TCP_CHECK: Final = "check unit_id; is it a Modbus device? its port is 502"


class SilentError(TimeoutError):
    """Not one byte came in time, so the link is as good as before."""


class CutShortError(TimeoutError):
    """An answer on a serial line began and did not end in time."""


class Connection(Protocol):
    """A way to the units at one address."""

    def ask(self, request: Request, deadline: Deadline) -> Cells:
        """Registers or bits as they were asked for.

        Raises:
            SilentError: The unit said nothing; others can still be asked.
            RefusedError: It answered with an exception.
            WrongAnswerError, CutShortError: It answered with something else, once more.
            ValueError, OSError: What came is no answer, or the link broke.
        """

    def close(self) -> None:
        """Let go of the link; twice is fine."""


class TcpConnection:
    """Modbus TCP: answers carry the number of their request."""

    def __init__(self, link: Link, pause_s: float = 0.0) -> None:
        self._stream = Stream(link)
        self._pause_s = pause_s
        self._transaction = 0
        self._abandoned: deque[int] = deque(maxlen=ABANDONED)

    def ask(self, request: Request, deadline: Deadline) -> Cells:
        self._prepare(deadline)
        self._transaction = self._transaction % 0xFFFF + 1
        self._stream.send(tcp_request(request, self._transaction), deadline)
        return parse_answer(request, self._receive(request, deadline))

    def close(self) -> None:
        self._stream.close()

    def _prepare(self, deadline: Deadline) -> None:
        """Throw away what nobody asked for, but no part of an answer that is late: it has a number.

        Without that the rest of it would be taken for the beginning of the next one.
        """
        pause_s = self._pause_s if self._transaction else 0.0
        if not self._abandoned:
            self._stream.drain(MOST_STALE)
            if pause_s:
                rest(self._stream.link, pause_s, deadline)
        elif pause_s:
            threading.Event().wait(min(pause_s, deadline.left_s()))

    def _receive(self, request: Request, deadline: Deadline) -> bytes:
        while True:
            head = self._head(request, deadline)
            transaction, size, unit_id = parse_mbap(head)
            pdu = self._stream.exactly(size, deadline)
            if transaction == self._transaction:
                check_unit(request, unit_id)
                return pdu
            if transaction not in self._abandoned:
                wanted = f"wanted the answer to request {self._transaction}"
                raise ValueError(f"{wanted}, got that to {transaction}: {hex_bytes(head + pdu)}")
            self._abandoned.remove(transaction)

    def _head(self, request: Request, deadline: Deadline) -> bytes:
        stream = self._stream
        before = stream.received_bytes - len(stream.unread)
        try:
            return stream.exactly(MBAP.size, deadline)
        except TimeoutError as exc:
            if stream.received_bytes > before:
                raise
            self._abandoned.append(self._transaction)
            raise SilentError(_silent(request, deadline, TCP_CHECK)) from exc
        except ConnectionError as exc:
            if stream.received_bytes > before:
                raise
            text = "the device closed the connection instead of answering; has it too many others?"
            raise ConnectionAbortedError(text) from exc


class RtuConnection:
    """Modbus RTU: frames are told apart by silence and check sum, answers by nothing."""

    def __init__(self, link: Link, line: Line, pause_s: float = 0.0) -> None:
        self._link = link
        self._silence_s = max(pause_s, frame_silence_s(line.baud))

    def ask(self, request: Request, deadline: Deadline) -> Cells:
        """As ``Connection.ask``.

        Raises:
            NoFrameError: Asking again may help.
        """
        frame = rtu_request(request)
        rest(self._link, self._silence_s, deadline)
        self._link.send(frame, deadline)
        answer = self._receive(request, frame, deadline)
        return parse_answer(request, answer[1:-2])

    def is_silent(self, silence_s: float) -> bool:
        """Whether nothing comes for so long, nor came since the last request."""
        try:
            self._link.receive(4096, Deadline(silence_s))
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._link.close()

    def _receive(self, request: Request, sent: bytes, deadline: Deadline) -> bytes:
        received = other = b""
        while True:
            is_wrong = _is_wrong(request, received)
            try:
                patience = Deadline(min(GAP_S, deadline.left_s())) if is_wrong else deadline
                received += self._link.receive(4096, patience)
            except TimeoutError as exc:
                raise _no_answer(request, received, other, deadline) from exc
            received = received.removeprefix(sent)  # adapters with two wires may hear themselves
            if found := find_frame(request, received, LONGEST_FRAME):
                return found
            if is_other_frame(request, received):  # late, or of another unit
                other, received = received, b""
            if len(received) > 2 * LONGEST_FRAME:
                raise NoFrameError(why_no_frame(request, received))


def _no_answer(request: Request, received: bytes, other: bytes, deadline: Deadline) -> Exception:
    """What is wrong when no more comes; ``other`` is a whole frame that is no answer."""
    if _is_wrong(request, received):
        return NoFrameError(why_no_frame(request, received))
    if received:
        text = f"no whole answer of unit {request.unit_id} within {deadline.timeout_s:g} s"
        return CutShortError(f"{text}, got {hex_bytes(received)}")
    if other:
        return WrongAnswerError(why_no_frame(request, other))
    return SilentError(_silent(request, deadline))


def frame_silence_s(baud: int) -> float:
    """The 3.5 characters between two frames, of 11 bits each.

    >>> round(frame_silence_s(9600), 5), frame_silence_s(115200)
    (0.00401, 0.00175)
    """
    return FAST_SILENCE_S if baud > FAST_BAUD else 3.5 * 11 / baud


def rest(link: Link, silence_s: float, deadline: Deadline) -> None:
    """Wait until nothing has come for so long; what comes nobody has asked for.

    Raises:
        ValueError: It never ends.
        TimeoutError: The deadline is over before.
    """
    dropped = 0
    while True:
        left_s = deadline.left_s()
        try:
            dropped += len(link.receive(4096, Deadline(min(silence_s, left_s))))
        except TimeoutError as exc:
            if left_s < silence_s:
                raise TimeoutError(f"no answer within {deadline.timeout_s:g} s") from exc
            return
        if dropped > MOST_STALE:
            raise ValueError(f"wanted silence, got more than {MOST_STALE} bytes unasked")


def _is_wrong(request: Request, received: bytes) -> bool:
    """Whether more bytes can't make these an answer, unless they all are noise before it."""
    if len(received) < SHORTEST_FRAME:
        return False
    size = frame_size(request, received)
    return not size or len(received) >= size


def _silent(request: Request, deadline: Deadline, check: str = LINE_CHECK) -> str:
    return f"no answer of unit {request.unit_id} within {deadline.timeout_s:g} s: {check}"
