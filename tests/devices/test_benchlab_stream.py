"""Answers of a BENCHLAB board that come whole, in pieces, cut, shifted or mixed with greetings."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import Deadline
from agent.devices.benchlab import Options
from agent.devices.benchlab.driver import Benchlab
from agent.devices.benchlab.layout import PRODUCTS, layout_for
from agent.errors import DeviceError
from agent.model import Value
from tests.devices.test_benchlab_layout import FRAME

LONG = b"BENCHLAB".ljust(32, b"\0")
SHORT = b"BENCHLAB\0"
UID = bytes.fromhex("2C003D001457435735363620")
NAME = b"bench 1".ljust(32, b"\0")
VALUES = layout_for(PRODUCTS[0x10], 6).decode(FRAME)
HANDSHAKE = [LONG, b"\xee\x10\x06", UID, NAME]
REQUESTS = [b"\x00", b"\x0e", b"\x0d", b"\x03", b"\x01"]  # as the driver asks


class ScriptedLink:
    """Gives the next answer to each request, and what there is before the first; knows no time."""

    def __init__(self, answers: Sequence[bytes], first: bytes = b"", piece: int = 4096) -> None:
        self.sent: list[bytes] = []
        self.is_closed = False
        self._answers = list(answers)
        self.waiting = first
        self._piece = piece

    def send(self, data: bytes, deadline: Deadline) -> None:
        self.sent.append(data)
        if self._answers:
            self.waiting += self._answers.pop(0)

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        if not self.waiting:
            raise TimeoutError
        return self.receive_now(limit)

    def receive_now(self, limit: int) -> bytes:
        size = min(limit, self._piece)
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data

    def close(self) -> None:
        self.is_closed = True


def driver_on(link: ScriptedLink) -> Benchlab:
    return Benchlab(Options(port="scripted"), 2.0, lambda _: link)


def read(link: ScriptedLink) -> dict[str, Value]:
    return dict(driver_on(link).read())


@pytest.mark.parametrize("piece", [4096, 64, 7, 1])
@pytest.mark.parametrize("push", [b"", LONG, LONG * 2, LONG * 3])
def test_answers_in_any_pieces_become_values(push: bytes, piece: int) -> None:
    link = ScriptedLink([*HANDSHAKE, FRAME], push, piece)

    values = read(link)

    assert values == VALUES
    assert link.sent == REQUESTS


@pytest.mark.parametrize("piece", [4096, 5, 1])
def test_an_old_board_greets_with_nine_bytes(piece: int) -> None:
    frame = FRAME[:30] + b"\x26\x00" + FRAME[32:]  # 38 whole degrees
    link = ScriptedLink([SHORT, b"\xee\x10\x02", UID, NAME, frame], piece=piece)

    values = read(link)

    assert values == {**VALUES, "Chip_Temp": 38}


@pytest.mark.parametrize("where", range(5))
@pytest.mark.parametrize("greetings", [LONG, LONG * 2])
@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
def test_a_late_greeting_costs_no_reading(where: int, greetings: bytes, is_before: bool) -> None:
    answers = [*HANDSHAKE, FRAME]
    answers[where] = greetings + answers[where] if is_before else answers[where] + greetings
    driver = driver_on(ScriptedLink(answers))

    values = driver.read()

    assert values == VALUES
    assert "named 'bench 1'" in driver.describe()[0]


@pytest.mark.parametrize("name", [LONG, b"BENCHLAB of Ada".ljust(32, b"\0")])
@pytest.mark.parametrize("before", [b"", LONG])
def test_a_board_may_be_named_as_a_greeting(name: bytes, before: bytes) -> None:
    link = ScriptedLink([*HANDSHAKE[:3], before + name, FRAME])
    driver = driver_on(link)

    values = driver.read()

    assert values == VALUES
    assert f"named {name.rstrip(bytes(1)).decode()!r}" in driver.describe()[0]


def test_what_is_left_of_an_earlier_answer_is_thrown_away_at_first() -> None:
    link = ScriptedLink([*HANDSHAKE, FRAME], FRAME[100:] + LONG)

    assert read(link) == VALUES


def test_bytes_between_two_reads_make_the_board_greet_before_the_next() -> None:
    link = ScriptedLink([*HANDSHAKE, FRAME, LONG, FRAME])
    driver = driver_on(link)
    driver.read()
    link.waiting = b"\x01late"

    values = driver.read()

    assert values == VALUES
    assert link.sent == [*REQUESTS, b"\x00", b"\x01"]


def test_a_greeting_between_two_reads_is_drained() -> None:
    link = ScriptedLink([*HANDSHAKE, FRAME, FRAME])
    driver = driver_on(link)
    driver.read()
    link.waiting = LONG

    values = driver.read()

    assert values == VALUES
    assert link.sent == [*REQUESTS, b"\x01"]


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (FRAME + b"\0", "wanted 216 bytes, got 1 more: 00"),
        (b"\0" + FRAME, "wanted 216 bytes, got 1 more: 09"),
        (FRAME + FRAME, "wanted 216 bytes, got 216 more: 02 2f"),
        (FRAME + LONG[:31], "wanted 216 bytes, got 31 more: 42 45 4e 43"),
        (FRAME[:215], "wanted 216 bytes, got 215 bytes: 02 2f"),
        (b"", "wanted 216 bytes, got none"),
        (SHORT + FRAME, "wanted a greeting of 9 or 32 bytes, got 32: 42 45 4e"),
        (FRAME[:64] + LONG + FRAME[64:], "got 32 more: "),
        (FRAME + bytes(100_000), "more: 00 00"),
    ],
)
def test_an_answer_of_another_size_is_an_error_and_closes(frame: bytes, text: str) -> None:
    link = ScriptedLink([*HANDSHAKE, frame])
    driver = driver_on(link)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value).startswith("reading board 2C003D001457435735363620 at scripted: ")
    assert text in str(caught.value)
    assert link.is_closed


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([b""], "wanted 9 bytes, got none"),
        ([b"GPS 1.0\r\n$GPRMC"], "it is no BENCHLAB board: wanted 'BENCHLAB', got 47 50 53"),
        ([LONG[:20]], "wanted a greeting of 9 or 32 bytes, got 20"),
        ([LONG, b"\x00\x10\x06"], "wanted vendor id 0xEE, got 0x00"),
        ([LONG, b"\xee\x12\x06"], "wanted product 0x10 (BENCHLAB) and 0x11 (BENCHLAB 2), got 0x12"),
        ([LONG, b"\xee\x10\x06\x00"], "wanted 3 bytes, got 1 more: 00"),
        ([LONG, b"\xee\x10\x06", UID + b"\0"], "wanted 12 bytes, got 1 more"),
        ([*HANDSHAKE[:3], NAME + b"\0"], "wanted 32 bytes, got 1 more"),
    ],
)
def test_what_does_not_identify_itself_is_refused_and_closed(
    answers: Sequence[bytes], text: str
) -> None:
    link = ScriptedLink(answers)

    with pytest.raises(DeviceError) as caught:
        read(link)

    assert str(caught.value).startswith("looking for a BENCHLAB board: scripted: ")
    assert text in str(caught.value)
    assert link.is_closed


def test_an_answer_that_comes_late_is_no_other_device() -> None:
    link = ScriptedLink([LONG, b"", b"\xee\x10\x06" + LONG])

    with pytest.raises(DeviceError, match=r"got ee 10 06 42 .*: it is late, raise timeout_s"):
        read(link)


def test_a_device_that_never_stops_talking_is_no_board() -> None:
    link = ScriptedLink([], b"$GPRMC,0" * 10_000)

    with pytest.raises(DeviceError, match="it sends without being asked: 24 47 50"):
        read(link)


def test_a_board_that_leaves_a_question_unanswered_is_greeted_again() -> None:
    link = ScriptedLink([LONG, *[b"", LONG] * 7, FRAME, FRAME])
    driver = driver_on(link)

    values = driver.read()

    assert values == {**VALUES, "Chip_Temp": None}
    assert [request for request in link.sent if request != b"\x00"] == [
        *[b"\x0e"] * 3,
        *[b"\x0d"] * 3,
        b"\x03",
        *(b"\x01", b"\x01"),  # the first one to see how much comes
    ]
    assert driver.warnings() == [
        "the board does not tell its firmware: its product is guessed from the size of its data, "
        "Chip_Temp is left empty",
        "the board does not tell its UID: it can't be told from another board at its port",
    ]


@given(
    where=st.integers(0, 4),
    at=st.integers(0, 216),
    data=st.one_of(
        st.binary(min_size=1, max_size=400),
        st.sampled_from([SHORT, LONG, LONG * 2, LONG[:16], FRAME, UID, NAME, b"\xee\x10\x06"]),
    ),
    piece=st.sampled_from([1, 31, 64, 4096]),
)
def test_bytes_put_in_anywhere_never_make_wrong_values(
    where: int, at: int, data: bytes, piece: int
) -> None:
    answers = [*HANDSHAKE, FRAME]
    answers[where] = answers[where][:at] + data + answers[where][at:]

    check_right_or_refused(ScriptedLink(answers, piece=piece))


@given(where=st.integers(0, 4), at=st.integers(0, 216), size=st.integers(1, 216))
def test_bytes_left_out_anywhere_never_make_wrong_values(where: int, at: int, size: int) -> None:
    answers = [*HANDSHAKE, FRAME]
    answers[where] = answers[where][:at] + answers[where][at + size :]

    check_right_or_refused(ScriptedLink(answers))


@given(
    st.lists(st.one_of(st.binary(max_size=400), st.sampled_from([*HANDSHAKE, FRAME])), max_size=9)
)
def test_any_answers_become_values_or_a_device_error(answers: list[bytes]) -> None:
    driver = driver_on(ScriptedLink(answers))

    try:
        names = list(driver.read())
    except DeviceError:
        return
    assert names == [metric.name for metric in driver.metrics]


def check_right_or_refused(link: ScriptedLink) -> None:
    """A reading is that of the frame, or an error; a chip of unknown scale is left out."""
    driver = driver_on(link)
    try:
        values = driver.read()
    except DeviceError:
        assert link.is_closed
    else:
        assert {**values, "Chip_Temp": 41.5} == VALUES
        assert values["Chip_Temp"] in (41.5, None)
