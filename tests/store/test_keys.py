"""Keys and eras when the wall clock steps, and what is deleted then."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Reason
from agent.store import Reader
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import Stored

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["press", "host"]),
        st.floats(0.0, 5.0),
        st.sampled_from([0, 0, 0, -1, 1, 700, -HOUR_MS, HOUR_MS, -NOON_MS, 60 * 365 * DAY_MS]),
    ),
    min_size=1,
    max_size=30,
)


def keys(stored: Stored, table: str) -> list[int]:
    """The keys of a table in the order in which rows were inserted."""
    return [int(str(key)) for (key,) in stored.sql(f"SELECT rowid FROM {table} ORDER BY clock, v")]


@settings(max_examples=60, deadline=None)  # each example syncs a file
@given(steps=STEPS, per_flush=st.integers(1, 5))
@pytest.mark.parametrize("plain", [True, False], ids=["rows", "batches"])
def test_whatever_the_clock_does_keys_rise_and_each_sample_is_found_by_its_time(
    steps: list[tuple[str, float, int]], per_flush: int, *, plain: bool
) -> None:
    with TemporaryDirectory() as folder:
        stored = Stored(Path(folder) / "telemetry.db", FakeClock(), plain=plain)
        put = []
        for number, (device, passed_s, step_ms) in enumerate(steps):
            stored.clock.advance(passed_s)
            stored.clock.set_wall(stored.clock.now_ms() + step_ms)
            stored.put(device, number=number)
            put.append((device, stored.clock.now_ms(), number))
            if number % per_flush == 0:
                stored.store.flush()

        stored.store.close()

        for device in {device for device, _, _ in put}:
            numbers = [values["number"] for values in stored.values(device)]
            assert numbers == [n for each, _, n in put if each == device]
        for device, ts_ms, number in put:
            found = stored.samples(device, ts_ms, ts_ms + 1)
            assert number in [sample.values["number"] for sample in found]


def test_the_key_of_a_row_is_its_time_in_microseconds(stored: Stored) -> None:
    stored.put()
    stored.put("host")

    stored.store.flush()

    assert keys(stored, "row") == [NOON_MS * 1000]
    assert keys(stored, "host_row") == [NOON_MS // 1000]


def test_two_samples_of_one_moment_have_keys_of_their_own(stored: Stored) -> None:
    stored.put()
    stored.put()

    stored.store.flush()

    assert keys(stored, "row") == [NOON_MS * 1000, NOON_MS * 1000 + 1]


def test_keys_rise_after_a_restart_with_a_clock_that_lost_its_time(stored: Stored) -> None:
    stored.put(number=1)
    stored.put("host", number=1)
    stored.restart(in_order=True)
    stored.clock.reboot("boot 2", 10_000)
    stored.put(number=2)
    stored.put("host", number=2)

    stored.store.flush()

    assert keys(stored, "row") == [NOON_MS * 1000, NOON_MS * 1000 + 1]
    assert keys(stored, "host_row") == [NOON_MS // 1000, NOON_MS // 1000 + 1]
    assert [sample.values["number"] for sample in stored.samples("press", 0, 20_000)] == [2]
    assert [sample.values["number"] for sample in stored.samples("host", 0, 20_000)] == [2]


def test_a_late_sample_belongs_to_the_clock_that_stamped_it(stored: Stored) -> None:
    stored.clock.set_wall(30_000)
    stored.put(number=1)
    stored.clock.advance(5.0)
    stored.clock.set_wall(NOON_MS)
    stored.put(number=2)

    stored.store.flush()

    eras = stored.sql("SELECT ts_ms, monotonic_ms, synchronised FROM clock ORDER BY id")
    assert eras == [(30_000, 1_000_000, 0), (NOON_MS, 1_005_000, 1)]
    assert [s.stamp.monotonic_ms for s in stored.samples()] == [1_000_000, 1_005_000]


def test_a_clock_that_is_found_to_be_right_is_marked_so(stored: Stored) -> None:
    stored.clock.synchronised = False
    stored.put()
    stored.store.flush()
    stored.clock.synchronised = True
    stored.put()

    stored.store.flush()

    assert stored.sql("SELECT synchronised FROM clock") == [(1,)]


def test_a_boot_is_an_era_of_its_own(stored: Stored) -> None:
    stored.put()
    stored.restart(in_order=True)
    stored.clock.reboot("boot 2")
    stored.put()

    stored.store.flush()

    assert stored.sql("SELECT boot_id FROM clock ORDER BY id") == [("boot 1",), ("boot 2",)]


def test_deleting_takes_what_is_older_and_leaves_what_is_not(stored: Stored) -> None:
    for _ in range(4):
        for device in ("press", "host"):
            stored.put(device, number=(stored.clock.now_ms() - NOON_MS) // 1000)
        stored.clock.advance(10.0)
    stored.store.flush()

    gone = stored.store.delete_before(NOON_MS + 20_000)

    assert gone == 4
    assert stored.values("press") == stored.values("host") == [{"number": 20}, {"number": 30}]


def test_deleting_in_steps_takes_all_that_is_older(stored: Stored) -> None:
    for _ in range(5000):
        stored.clock.advance(0.01)
        stored.put()
    stored.clock.advance(0.01)
    stored.put(level=2)
    stored.store.flush()

    gone = stored.store.delete_before(stored.clock.now_ms())

    assert gone == 5000
    assert stored.values() == [{"level": 2}]


def test_rows_whose_keys_run_ahead_are_deleted_by_their_time(stored: Stored) -> None:
    stored.clock.set_wall(NOON_MS + 70 * 365 * DAY_MS)
    stored.put(number=1)  # a clock in a far future drags all later keys along
    for number in (2, 3, 4):
        stored.clock.set_wall(NOON_MS + number * 1000)
        stored.put(number=number)
    stored.store.flush()

    gone = stored.store.delete_before(NOON_MS + 4000)

    assert gone == 2
    assert stored.values() == [{"number": 1}, {"number": 4}]


def test_rows_from_before_the_clock_was_set_stay_as_long_as_their_neighbours(
    stored: Stored,
) -> None:
    stored.put(number=1)
    stored.clock.set_wall(1000)
    stored.put(number=2)
    stored.clock.set_wall(NOON_MS + 5000)
    stored.put(number=3)
    stored.store.flush()

    stayed = stored.store.delete_before(NOON_MS)
    gone = stored.store.delete_before(NOON_MS + 5000)

    assert (stayed, gone) == (0, 2)
    assert stored.values() == [{"number": 3}]


def test_gaps_are_deleted_with_the_rows_of_their_time(stored: Stored) -> None:
    stored.put()
    stored.store.flush()
    stored.clock.advance(3600)
    stored.restart()
    stored.put()
    stored.store.flush()

    stored.store.delete_before(NOON_MS + HOUR_MS - 1)
    before = [gap.reason for gap in stored.gaps()]
    stored.store.delete_before(NOON_MS + HOUR_MS + 1)

    assert sorted(before) == [Reason.AGENT_DOWN, Reason.RETENTION]
    assert [gap.reason for gap in stored.gaps()] == [Reason.RETENTION]


def test_the_newest_sample_is_the_one_that_was_read_last(stored: Stored) -> None:
    stored.put(number=1)
    stored.clock.set_wall(NOON_MS - HOUR_MS)
    stored.put(number=2)
    stored.put("host", number=3)
    stored.store.flush()

    with Reader(stored.path) as reader:
        newest = reader.last("press"), reader.last("host")

    assert newest == ((NOON_MS - HOUR_MS, {"number": 2}), (NOON_MS - HOUR_MS, {"number": 3}))
