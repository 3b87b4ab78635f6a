"""Stretches without samples: each is in the file once, with its right ends."""

import pytest

from agent.model import Gap, Reason
from agent.store import Reader
from tests.fakes import NOON_MS
from tests.store.stored import Stored

S = 1000


@pytest.fixture(params=[True, False], ids=["rows", "batches"])
def plain(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def gap(start_s: float, end_s: float | None, reason: Reason, detail: str = "") -> Gap:
    """A gap of the press, in seconds after noon."""
    end_ms = None if end_s is None else NOON_MS + round(end_s * S)
    return Gap("press", NOON_MS + round(start_s * S), end_ms, reason, detail)


def test_a_gap_lasts_until_it_is_closed(stored: Stored) -> None:
    stored.store.open_gap("press", NOON_MS, Reason.TIMEOUT, "no answer")
    stored.store.flush()
    lasting = stored.gaps()
    stored.store.close_gap("press", NOON_MS + 9 * S)

    stored.store.flush()

    assert lasting == [gap(0, None, Reason.TIMEOUT, "no answer")]
    assert stored.gaps() == [gap(0, 9, Reason.TIMEOUT, "no answer")]


def test_a_gap_ends_with_the_next_sample_and_with_the_next_gap(stored: Stored) -> None:
    stored.store.open_gap("press", NOON_MS, Reason.TIMEOUT)
    stored.store.open_gap("press", NOON_MS + 5 * S, Reason.REFUSED)
    stored.clock.advance(7)
    stored.put()

    stored.store.flush()

    assert stored.gaps() == [gap(0, 5, Reason.TIMEOUT), gap(5, 7, Reason.REFUSED)]


def test_a_gap_that_the_clock_turned_around_is_none(stored: Stored) -> None:
    stored.store.open_gap("press", NOON_MS, Reason.TIMEOUT)
    stored.store.close_gap("press", NOON_MS - 5 * S)

    stored.store.flush()

    assert stored.gaps() == []


@pytest.mark.parametrize("in_order", [True, False])
def test_a_restart_is_one_gap_for_each_device_that_was_polled(
    stored: Stored, *, in_order: bool
) -> None:
    stored.put()
    stored.put("host")
    stored.store.flush()
    stored.restart(in_order=in_order)
    stored.clock.advance(60)
    stored.restart()
    stored.store.add_device("new", "s7", 1.0)

    for device in ("press", "host", "new", "press", "host", "new"):
        stored.put(device)
        stored.store.flush()
        stored.clock.advance(5)

    assert stored.gaps() == [gap(0, 60, Reason.AGENT_DOWN)]
    assert len(stored.gaps("host")) == 1
    assert stored.gaps("new") == []


def test_a_restart_shorter_than_the_interval_is_no_gap(stored: Stored) -> None:
    stored.put()
    stored.store.flush()
    stored.clock.advance(1.4)
    stored.restart()
    stored.put()

    stored.store.flush()

    assert stored.gaps() == []


def test_a_gap_that_lasted_when_the_agent_was_killed_ends_where_the_agent_did(
    stored: Stored,
) -> None:
    stored.put("host")
    stored.store.open_gap("press", NOON_MS, Reason.REFUSED)
    stored.clock.advance(20)
    stored.put("host")
    stored.store.flush()
    stored.clock.advance(30)
    stored.restart()
    stored.store.open_gap("press", NOON_MS + 51 * S, Reason.REFUSED)

    stored.store.flush()

    assert stored.gaps() == [
        gap(0, 20, Reason.REFUSED),
        gap(20, 50, Reason.AGENT_DOWN),
        gap(51, None, Reason.REFUSED),
    ]


def test_a_gap_ends_also_where_no_sample_was_ever_stored(stored: Stored) -> None:
    stored.store.open_gap("press", NOON_MS, Reason.REFUSED)
    stored.store.flush()
    stored.clock.advance(30)
    stored.restart()
    stored.put()

    stored.store.flush()

    assert stored.gaps() == [gap(0, 0, Reason.REFUSED), gap(0, 30, Reason.AGENT_DOWN)]


def test_a_run_that_did_not_hear_of_a_device_is_part_of_its_gap(stored: Stored) -> None:
    stored.put()
    stored.store.flush()
    for _ in range(3):
        stored.clock.advance(30)
        stored.restart()
        stored.store.flush()
    stored.clock.advance(5)
    stored.put()

    stored.store.flush()

    assert stored.gaps() == [gap(0, 90, Reason.AGENT_DOWN)]


def test_the_agent_was_down_once_also_when_the_file_is_opened_anew_meanwhile(
    stored: Stored,
) -> None:
    stored.put()
    stored.put("host")
    stored.store.flush()
    stored.clock.advance(60)
    stored.restart()
    stored.put()
    stored.store.flush()
    stored.execute("PRAGMA user_version = 99")
    stored.path.rename(stored.path.with_name("elsewhere"))  # the store lets go of the file
    stored.put()
    stored.store.flush()
    stored.path.with_name("elsewhere").rename(stored.path)
    stored.execute("PRAGMA user_version = 1")
    stored.put("host")

    stored.store.flush()

    assert len(stored.gaps()) == len(stored.gaps("host")) == 1


def test_the_agent_was_down_until_the_clock_is_set_and_once(stored: Stored) -> None:
    stored.put()
    stored.store.flush()
    stored.clock.reboot("boot 2", 20_000)
    stored.restart()
    stored.put()
    stored.store.flush()
    before = stored.gaps()
    stored.clock.set_wall(NOON_MS + 3600 * S)
    stored.store.open_gap("press", 20_000, Reason.CLOCK, "the clock was set forward")
    stored.store.close_gap("press", NOON_MS + 3600 * S)
    stored.put()

    stored.store.flush()

    assert before == [gap(0, None, Reason.AGENT_DOWN)]
    assert stored.gaps() == [gap(0, 3600, Reason.AGENT_DOWN)]


def test_a_run_that_never_learned_the_time_is_part_of_the_gap(stored: Stored) -> None:
    stored.put()
    stored.store.flush()
    for boot in ("boot 2", "boot 3"):
        stored.clock.reboot(boot, 20_000)
        stored.restart()
        stored.put()
        stored.clock.advance(60)
        stored.put()
        stored.store.flush()
    stored.clock.reboot("boot 4", NOON_MS + 3600 * S)
    stored.restart()
    stored.put()

    stored.store.flush()

    assert stored.gaps() == [gap(0, 3600, Reason.AGENT_DOWN)]


def test_a_restart_after_a_clock_in_the_future_leaves_later_restarts_their_gaps(
    stored: Stored,
) -> None:
    future_ms = NOON_MS + 10**12
    stored.clock.set_wall(future_ms)
    stored.put()
    stored.store.flush()
    for start_s in (0, 100):
        stored.clock.set_wall(NOON_MS + start_s * S)
        stored.restart()
        stored.put()
        stored.store.flush()

    with Reader(stored.path) as reader:
        gaps = reader.gaps("press", NOON_MS, NOON_MS + 200 * S)

    assert gaps == [gap(0, 100, Reason.AGENT_DOWN)]


def test_a_step_back_at_a_restart_is_no_gap_once_it_is_made_up(stored: Stored) -> None:
    stored.put()
    stored.store.flush()
    stored.clock.set_wall(NOON_MS - 3 * S)
    stored.restart()
    for _ in range(8):
        stored.clock.advance(0.5)
        stored.put()

    stored.store.flush()

    assert stored.gaps() == []


def test_gaps_of_all_devices_that_touch_a_time_are_found(stored: Stored) -> None:
    stored.store.open_gap("press", NOON_MS, Reason.TIMEOUT)
    stored.store.close_gap("press", NOON_MS + 5 * S)
    stored.store.open_gap("host", NOON_MS + 1 * S, Reason.BUG)
    stored.store.flush()

    with Reader(stored.path) as reader:
        early = [each.device for each in reader.gaps_since(NOON_MS + 5 * S)]
        late = [each.device for each in reader.gaps_since(NOON_MS + 6 * S)]

    assert (early, late) == (["press", "host"], ["host"])
