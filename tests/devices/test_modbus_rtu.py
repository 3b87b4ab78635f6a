"""One serial line to a scripted device: whole, in pieces, cut short, too long and garbage."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import Deadline, monotonic_s
from agent.devices.links.serial_port import Line
from agent.devices.modbus.connection import (
    Connection,
    RtuConnection,
    SilentError,
    TcpConnection,
    frame_silence_s,
)
from agent.devices.modbus.doubt import Doubts, SureConnection
from agent.devices.modbus.plan import Limits, Request
from agent.devices.modbus.refusals import RefusedError
from hw_sim.modbus.wire import rtu_frame

ASKED = Request(1, "HR", 0x6B, 3)
PDU = bytes.fromhex("03 06 022B 0000 0064")
CELLS = [0x22B, 0, 0x64]
FRAME = rtu_frame(1, PDU)
QUESTION = rtu_frame(1, bytes.fromhex("03 006B 0003"))


class ScriptedLine:
    """A serial line: after each request the next of ``answers`` comes, in its pieces.

    ``None`` among the pieces is a silence that is longer than any patience.
    """

    def __init__(self, *answers: Sequence[bytes | None], stale: bytes = b"") -> None:
        self._answers = [list(pieces) for pieces in answers]
        self._coming: list[bytes | None] = [stale] if stale else []
        self.sent: list[bytes] = []

    def send(self, data: bytes, deadline: Deadline) -> None:
        deadline.left_s()
        self.sent.append(data)
        self._coming += self._answers.pop(0) if self._answers else []

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        piece = self._coming.pop(0) if self._coming else None
        if piece is None:
            raise TimeoutError
        return piece

    def receive_now(self, limit: int) -> bytes:
        return b""

    def close(self) -> None:
        self._coming = []


def ask_line(line: ScriptedLine, asked: Request = ASKED) -> list[int]:
    doubts = Doubts(lambda _: (), Limits(), 2.0, monotonic_s)
    connection = SureConnection(RtuConnection(line, Line(9600)), doubts)
    return list(connection.ask(asked, Deadline(2.0)))


def test_a_frame_is_read_whole_and_asked_for_as_specified() -> None:
    line = ScriptedLine([FRAME])

    assert ask_line(line) == CELLS
    assert line.sent == [QUESTION]


def test_a_frame_is_read_in_one_byte_pieces() -> None:
    assert ask_line(ScriptedLine([bytes([byte]) for byte in FRAME])) == CELLS


@pytest.mark.parametrize("noise", [b"\0", b"\xff\xff", b"\x01\x03", bytes(100), FRAME[:-1]])
def test_noise_before_a_frame_is_passed_over(noise: bytes) -> None:
    assert ask_line(ScriptedLine([noise + FRAME])) == CELLS
    assert ask_line(ScriptedLine([noise, FRAME])) == CELLS


def test_stale_bytes_are_thrown_away_before_the_question() -> None:
    stale = rtu_frame(1, bytes.fromhex("03 06 0001 0002 0003"))

    assert ask_line(ScriptedLine([FRAME], stale=stale)) == CELLS


def test_an_adapter_that_hears_itself_does_no_harm() -> None:
    assert ask_line(ScriptedLine([QUESTION + FRAME])) == CELLS
    assert ask_line(ScriptedLine([QUESTION[:3], QUESTION[3:], FRAME])) == CELLS


def test_an_answer_of_another_unit_is_waited_out() -> None:
    late = rtu_frame(2, bytes.fromhex("03 06 0001 0002 0003"))

    assert ask_line(ScriptedLine([late, FRAME])) == CELLS


def test_a_frame_with_a_wrong_check_sum_is_asked_for_again() -> None:
    broken = FRAME[:-1] + bytes([FRAME[-1] ^ 1])
    line = ScriptedLine([broken, None], [FRAME])

    assert ask_line(line) == CELLS
    assert line.sent == [QUESTION, QUESTION]


def test_a_second_wrong_check_sum_is_an_error() -> None:
    broken = FRAME[:-1] + bytes([FRAME[-1] ^ 1])

    with pytest.raises(ValueError, match=r"wanted check sum .* check baud, parity, stop_bits"):
        ask_line(ScriptedLine([broken, None], [broken, None]))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (rtu_frame(2, PDU), "wanted an answer of unit 1, got one of unit 2"),
        (rtu_frame(1, b"\4" + PDU[1:]), "wanted an answer to function 3, got 01 04"),
        (rtu_frame(1, PDU[:1] + b"\4" + PDU[2:6]), "wanted 6 bytes of HR107 to HR109, got 4"),
        (bytes(8), "wanted an answer of unit 1, got 00 00"),
    ],
)
def test_another_frame_alone_is_an_error(answer: bytes, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ask_line(ScriptedLine([answer, None], [answer, None]))


@pytest.mark.parametrize("size", range(1, len(FRAME)))
def test_a_frame_that_stops_is_no_silence(size: int) -> None:
    with pytest.raises(
        TimeoutError, match="no whole answer of unit 1 within 2 s, got 01"
    ) as caught:
        ask_line(ScriptedLine([FRAME[:size], None]))

    assert not isinstance(caught.value, SilentError)


def test_silence_on_a_line_is_told_so() -> None:
    with pytest.raises(SilentError, match="no answer of unit 1 within 2 s"):
        ask_line(ScriptedLine([]))


def test_an_exception_on_a_line_is_read() -> None:
    with pytest.raises(RefusedError) as caught:
        ask_line(ScriptedLine([bytes.fromhex("01 83 02 C0 F1")]))

    assert caught.value.code == 2


def test_a_line_that_never_stops_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted an answer of unit 1"):
        ask_line(ScriptedLine([bytes(300)] * 9, [bytes(300)] * 9))


class TalkingLink(ScriptedLine):
    """Says something all the time."""

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        return bytes(4096)

    def receive_now(self, limit: int) -> bytes:
        return bytes(4096)


@pytest.mark.parametrize(
    "connection",
    [
        TcpConnection(TalkingLink()),
        TcpConnection(TalkingLink(), pause_s=0.01),
        RtuConnection(TalkingLink(), Line(9600)),
    ],
    ids=["tcp", "tcp with a pause", "rtu"],
)
def test_a_device_that_never_stops_talking_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="wanted silence, got more than 65536 bytes"):
        connection.ask(ASKED, Deadline(2.0))


def test_frames_are_apart_by_the_silence_of_the_specification() -> None:
    assert frame_silence_s(19200) == pytest.approx(0.002005, abs=1e-6)
    assert frame_silence_s(38400) == 0.00175


@given(st.lists(st.binary(min_size=1, max_size=40) | st.none(), max_size=8))
def test_anything_on_a_line_ends_in_cells_or_an_error(pieces: list[bytes | None]) -> None:
    line = ScriptedLine(pieces, pieces)

    try:
        cells = ask_line(line)
    except (RefusedError, ValueError, TimeoutError):
        return

    assert len(cells) == 3
