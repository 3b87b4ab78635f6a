"""Polls that hang, that were left out, and a clock that is set meanwhile."""

import logging
from collections.abc import Mapping

import pytest

from agent.model import Reason, Value
from tests.fakes import NOON_MS
from tests.test_poller import GOOD, NO_ANSWER, Polled, S


def hang(polled: Polled, seconds: float, then: Mapping[str, Value] | Exception) -> None:
    """One poll during which it is looked at every second."""

    def read() -> Mapping[str, Value]:
        for _ in range(round(seconds)):
            polled.clock.advance(1.0)
            polled.poller.look_for_hang()
        if isinstance(then, Exception):
            raise then
        return then

    polled.driver.script = [read]
    polled.poll()


def test_a_poll_that_hangs_is_noticed_while_it_does() -> None:
    polled = Polled(GOOD)
    polled.poll()
    seen = []

    def read() -> Mapping[str, Value]:
        for _ in range(6):
            polled.clock.advance(1.0)
            polled.poller.look_for_hang()
            (device,) = polled.health.devices()
            seen.append((device.is_well, polled.sink.stretches()))
        return GOOD

    polled.driver.script = [read]
    polled.poll()

    lasting = [(1.0, None, Reason.TIMEOUT)]
    assert seen == [(True, [])] * 4 + [(False, lasting)] * 2


def test_a_poll_that_hangs_is_logged_once_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    polled = Polled(GOOD)

    hang(polled, 60, NO_ANSWER)
    hang(polled, 60, GOOD)

    assert polled.messages(caplog) == [
        "press: no end of a poll after 5 s, the device or its driver hangs; "
        "it is tried again until it answers",
        "press: well again after 116 s, 2 polls failed",
    ]


def test_a_poll_that_hangs_and_fails_is_one_gap_until_the_next_sample() -> None:
    polled = Polled(GOOD)
    polled.poll()
    hang(polled, 60, NO_ANSWER)
    polled.driver.script = [GOOD]

    polled.poll(2)

    assert polled.sink.stretches() == [(1, 62, Reason.TIMEOUT)]


def test_a_poll_that_hangs_and_succeeds_is_a_gap_between_its_sample_and_the_next() -> None:
    polled = Polled(GOOD)
    polled.poll()
    hang(polled, 60, GOOD)
    polled.driver.script = [GOOD]

    polled.poll(2)

    assert [gap for gap in polled.sink.stretches() if gap[0] != gap[1]] == [(1, 62, Reason.TIMEOUT)]


def test_left_out_polls_are_counted_by_their_cause() -> None:
    polled = Polled(GOOD)

    polled.poller.left_out(3, is_running=True)
    polled.poller.left_out(4, is_running=False)

    (device,) = polled.health.devices()
    assert (device.overruns, device.late) == (3, 4)
    assert polled.sink.gaps == []


def test_slow_polls_are_no_gaps() -> None:
    polled = Polled(GOOD)

    polled.poll(10, then_s=3.0)

    assert polled.sink.gaps == []


def test_a_machine_that_stood_still_is_a_gap() -> None:
    polled = Polled(GOOD)
    polled.poll(2)
    polled.clock.advance(3600)

    polled.poll(2)

    assert polled.sink.stretches() == [(1, 3602, Reason.AGENT_DOWN)]
    assert polled.sink.gaps[0].detail == "nothing was polled for 3601 s"


def test_a_clock_that_is_set_forward_is_a_gap() -> None:
    polled = Polled(GOOD)
    polled.poll(2)
    polled.clock.set_wall(NOON_MS + 600 * S)

    polled.poll(2)

    assert polled.sink.stretches() == [(1, 600, Reason.CLOCK)]
    assert polled.sink.gaps[0].detail == "the clock was set forward by 598 s"


@pytest.mark.parametrize("step_ms", [-3_600_000, -900, 0, 900])
def test_a_clock_that_is_set_back_or_by_little_is_no_gap(step_ms: int) -> None:
    polled = Polled(GOOD)
    polled.poll(2)
    polled.clock.set_wall(polled.clock.now_ms() + step_ms)

    polled.poll(2)

    assert polled.sink.gaps == []


def test_a_clock_that_is_set_back_and_forth_hides_no_samples_behind_a_gap() -> None:
    polled = Polled(GOOD)
    polled.poll(10)
    polled.clock.set_wall(1000)
    polled.poll(10)
    polled.clock.set_wall(NOON_MS + 60 * S)

    polled.poll(2)

    assert polled.sink.stretches() == [(9, 60, Reason.CLOCK)]


def test_an_outage_in_which_the_clock_is_set_forward_is_told_on_both_sides() -> None:
    polled = Polled(GOOD, NO_ANSWER)
    polled.clock.set_wall(10_000)
    polled.poll(5)
    polled.clock.set_wall(NOON_MS)
    polled.poll(5)
    polled.driver.script = [GOOD]

    polled.poll()

    gaps = [(gap.start_ms, gap.end_ms, gap.reason) for gap in polled.sink.gaps]
    assert gaps == [
        (10_000, 15_000, Reason.TIMEOUT),
        (15_000, NOON_MS, Reason.CLOCK),
        (NOON_MS, NOON_MS + 5 * S, Reason.TIMEOUT),
    ]


def test_an_outage_in_which_the_clock_is_set_back_has_no_gap_that_ends_before_it_begins() -> None:
    polled = Polled(GOOD, NO_ANSWER)
    polled.poll(5)
    polled.clock.set_wall(NOON_MS - 3600 * S)
    polled.poll(5)
    polled.driver.script = [GOOD]

    polled.poll()

    assert polled.sink.stretches() == [
        (0, 5, Reason.TIMEOUT),
        (-3600, -3595, Reason.TIMEOUT),
    ]


def test_a_device_that_fails_just_when_the_clock_is_set_has_a_gap_from_then() -> None:
    polled = Polled(GOOD, GOOD, NO_ANSWER)
    polled.poll(2)
    polled.clock.set_wall(NOON_MS + 600 * S)

    polled.poll(2)

    assert polled.sink.stretches() == [(1, 600, Reason.CLOCK), (600, None, Reason.TIMEOUT)]
