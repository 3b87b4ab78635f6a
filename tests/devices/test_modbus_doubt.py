"""A serial line whose units answer late, or not at all: a gap is better than a wrong value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.modbus import Options, Tag
from agent.devices.modbus.driver import Modbus
from agent.errors import DeviceError
from agent.model import Value
from tests.devices.modbus_line import Delay, SlowLine

TIMEOUT_S = 1.0
TAGS = (Tag("a", "HR100:UINT16"), Tag("b", "HR200:UINT16"), Tag("c", "HR300:UINT16"))
RIGHT: dict[str, Value] = {"a": 100, "b": 200, "c": 300}
GAP: dict[str, Value] = {}
OWN = frozenset({(100, 1), (200, 1), (300, 1)})


def on(line: SlowLine, *tags: Tag, timeout_s: float = TIMEOUT_S) -> Modbus:
    options = Options(serial="/dev/ttyUSB0", merge_gap=0, tag=tags or TAGS)
    return Modbus(options, timeout_s, lambda _: line, line.clock)


def polls(driver: Modbus, count: int) -> list[dict[str, Value]]:
    """What each gave, ``GAP`` where it was an error."""
    return [poll(driver) for _ in range(count)]


def poll(driver: Modbus) -> dict[str, Value]:
    try:
        return dict(driver.read())
    except DeviceError:
        return GAP


def first_needs(first_s: float | None, then_s: float = 0.02) -> Delay:
    return lambda number: first_s if number == 1 else then_s


@pytest.mark.parametrize("noise_at", [1, 2, 3, 5])
def test_noise_on_a_slow_line_puts_no_value_in_a_wrong_tag(noise_at: int) -> None:
    line = SlowLine(lambda _: 0.3, noise_at)

    assert polls(on(line, timeout_s=3.0), 4) == [RIGHT] * 4


def test_after_noise_one_question_of_its_own_makes_sure() -> None:
    line = SlowLine(lambda _: 0.3, noise_at=1)

    on(line, timeout_s=3.0).read()

    asked = [(start, count) for _, start, count in line.requests]
    assert asked == [(100, 1), (100, 1), (100, 2), (200, 1), (300, 1)]


@pytest.mark.parametrize("stall_s", [1.3, 2.3, 3.3, 7.9])
def test_a_unit_that_stalled_longer_than_two_polls_is_read_right(stall_s: float) -> None:
    found = polls(on(SlowLine(first_needs(stall_s))), 12)

    assert [values for values in found if values not in (GAP, RIGHT)] == []
    assert found[-1] == RIGHT


@pytest.mark.parametrize("then_s", [0.02, 0.6, 1.2])
@pytest.mark.parametrize("stall_s", [None, 1.3, 2.3, 3.3])
def test_a_unit_that_does_not_like_that_question_is_read_right_after_a_silence(
    stall_s: float | None, then_s: float
) -> None:
    line = SlowLine(first_needs(stall_s, then_s), likes=OWN)

    found = polls(on(line, timeout_s=2.0), 40)

    assert [values for values in found if values not in (GAP, RIGHT)] == []
    assert found[-1] == RIGHT


@pytest.mark.parametrize("likes", [frozenset(), OWN])
@pytest.mark.parametrize("needs_s", [1.1, 1.7, 2.3, 5.1])
def test_a_unit_that_always_needs_longer_than_the_time_out_is_a_gap_for_ever(
    needs_s: float, likes: frozenset[tuple[int, int]]
) -> None:
    found = polls(on(SlowLine(lambda _: needs_s, likes=likes)), 60)

    assert [values for values in found if values not in (GAP, RIGHT)] == []


def test_that_a_unit_does_not_like_that_question_is_remembered() -> None:
    line = SlowLine(lambda number: None if number in (1, 20) else 0.02, likes=OWN)
    driver = on(line)

    polls(driver, 30)

    asked = [request for request in line.requests if request[1:] not in OWN]
    assert asked == [(1, 100, 2), (1, 100, 3)]
    assert poll(driver) == RIGHT


def test_what_is_waited_for_is_told() -> None:
    driver = on(SlowLine(first_needs(None), likes=OWN))
    polls(driver, 3)

    with pytest.raises(DeviceError, match="unit 1 did not answer in time before: waiting until"):
        driver.read()


def test_a_unit_that_was_off_is_read_at_once_when_it_is_back() -> None:
    line = SlowLine(lambda number: None if number < 7 else 0.02)

    assert polls(on(line), 8) == [GAP] * 6 + [RIGHT] * 2


def test_a_unit_in_doubt_does_not_stop_the_others() -> None:
    line = SlowLine(lambda number: None if number == 2 else 0.02, likes=OWN)
    tags = (*TAGS, Tag("other", "HR100:UINT16", unit_id=2))

    driver = on(line, *tags, timeout_s=3.0)
    found = []

    for _ in range(60):
        found.append(poll(driver))
        line.now_s += 1.0

    rows = {name: {values[name] for values in found} for name in found[0]}
    assert rows == {"a": {100, None}, "b": {200, None}, "c": {300, None}, "other": {100}}
    assert found[-1] == {**RIGHT, "other": 100}


@given(st.lists(st.none() | st.floats(0.01, 4.0), max_size=30), st.integers(0, 12))
def test_no_order_of_late_answers_puts_a_value_in_a_wrong_tag(
    delays: list[float | None], noise_at: int
) -> None:
    line = SlowLine(lambda number: dict(enumerate(delays, 1)).get(number, 0.02), noise_at)

    found = polls(on(line), 120)  # of one second: late answers are waited for up to 30

    assert [values for values in found if values not in (GAP, RIGHT)] == []
    assert RIGHT in found[-5:]  # on a machine that is very busy a poll can be late
