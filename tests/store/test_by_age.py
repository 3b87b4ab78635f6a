"""Deleting by age what lies in batches and blocks: what is wholly older, with its aggregates."""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from agent.store import Reader
from agent.store.aggregates import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from agent.store.repair.verify import Fault, Verify
from agent.store.series import periods
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import EVER, Stored
from tests.store.upkept import Sealed

MIDNIGHT_MS = NOON_MS - 12 * HOUR_MS


@pytest.fixture
def plain() -> bool:
    return False


def put_days(stored: Stored, days: int, *, is_sealed: bool = False) -> None:
    """Two samples at noon of each day, which have a commit, and a block, of their own."""
    for number in range(days):
        stored.clock.set_wall(NOON_MS + number * DAY_MS)
        stored.put(number=number)
        stored.clock.advance(1)
        stored.put(number=number)
        stored.store.flush()
        if is_sealed:
            stored.seal()


def numbers(stored: Stored) -> list[object]:
    return [values["number"] for values in stored.values()]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_what_is_wholly_older_goes_and_its_samples_are_counted(
    stored: Stored, *, is_sealed: bool
) -> None:
    put_days(stored, 4, is_sealed=is_sealed)

    gone = stored.store.delete_before(NOON_MS + 2 * DAY_MS + 1)

    assert gone == 4
    assert numbers(stored) == [2, 2, 3, 3]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_many_go_in_steps(stored: Stored, *, is_sealed: bool) -> None:
    put_days(stored, 210, is_sealed=is_sealed)

    gone = stored.store.delete_before(NOON_MS + 209 * DAY_MS)

    assert gone == 418
    assert numbers(stored) == [209, 209]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_what_has_a_key_that_runs_ahead_goes_by_its_time(
    stored: Stored, *, is_sealed: bool
) -> None:
    stored.clock.set_wall(NOON_MS + 70 * 365 * DAY_MS)
    stored.put(number=1)  # a clock in a far future drags all later keys along
    stored.store.flush()
    if is_sealed:
        stored.seal()
    put_days(stored, 3, is_sealed=is_sealed)

    gone = stored.store.delete_before(NOON_MS + DAY_MS)

    assert gone == 2
    assert numbers(stored) == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_what_is_from_before_the_clock_was_set_stays_as_long_as_its_neighbours(
    stored: Stored, *, is_sealed: bool
) -> None:
    stored.put(number=1)
    stored.store.flush()
    stored.clock.set_wall(1000)
    stored.put(number=2)
    stored.store.flush()
    if is_sealed:
        stored.seal()
    stored.clock.set_wall(NOON_MS + 2 * DAY_MS)
    stored.put(number=3)
    stored.store.flush()

    stayed = stored.store.delete_before(NOON_MS)
    gone = stored.store.delete_before(NOON_MS + 2 * DAY_MS)

    assert (stayed, gone) == (0, 2)
    assert numbers(stored) == [3]


def test_a_damaged_batch_goes_when_it_must_be_old(stored: Stored) -> None:
    stored.put(number=1)
    stored.store.flush()
    stored.execute("UPDATE batch SET data = zeroblob(9)")

    stayed = stored.store.delete_before(NOON_MS + HOUR_MS), stored.sql("SELECT count(*) FROM batch")
    gone = stored.store.delete_before(NOON_MS + 2 * DAY_MS)

    assert stayed == (0, [(1,)])
    assert (gone, stored.sql("SELECT count(*) FROM batch")) == (0, [(0,)])


def test_blocks_of_hosts_are_found_by_their_seconds(stored: Stored) -> None:
    stored.store.add_device("host", "host", 5.0, plain=False)
    stored.clock.set_wall(1000)
    stored.put("host", load1=1)
    stored.store.flush()
    stored.seal()
    stored.clock.set_wall(NOON_MS)
    stored.put("host", load1=2)
    stored.store.flush()

    gone = stored.store.delete_before(NOON_MS)

    assert gone == 1
    assert stored.values("host") == [{"load1": 2}]


def test_minutes_go_with_their_block_and_hours_with_the_first_one_of_their_day(
    stored: Stored,
) -> None:
    put_days(stored, 3, is_sealed=True)
    with sqlite3.connect(stored.path) as connection:
        for id_, first_ms in connection.execute("SELECT id, first_ms FROM block").fetchall():
            sql = "INSERT INTO aggregate VALUES(1, ?, ?, ?, x'00')"
            connection.execute(sql, (MINUTE_MS, first_ms, id_))
            connection.execute(sql, (HOUR_MS, first_ms - NOON_MS + MIDNIGHT_MS, 0))
            connection.execute(sql, (QUARTER_MS, first_ms - NOON_MS + MIDNIGHT_MS, 0))
    connection.close()

    stored.store.delete_before(NOON_MS + DAY_MS + HOUR_MS)

    day_ms = MIDNIGHT_MS + 2 * DAY_MS
    newest = [(MINUTE_MS, NOON_MS + 2 * DAY_MS), (QUARTER_MS, day_ms), (HOUR_MS, day_ms)]
    assert sorted(stored.sql("SELECT span_ms, start_ms FROM aggregate")) == sorted(newest)


@pytest.mark.parametrize("gone_h", [5, 12, 19])
def test_hours_are_of_what_is_left_of_a_day_and_of_what_comes_to_it_later(
    tmp_path: Path, clock: FakeClock, gone_h: int
) -> None:
    upkept = Sealed(tmp_path / "telemetry.db", clock)
    upkept.keep_up(22 * 3600, every_s=60)  # and none is merged yet
    blocks = len(upkept.blocks())

    upkept.store.delete_before(NOON_MS + gone_h * HOUR_MS)
    deleted = blocks - len(upkept.blocks())
    at_once = _counts(upkept)
    upkept.keep_up(3 * 3600, every_s=60)

    assert 2 < deleted < blocks - 1
    assert at_once[0] == at_once[1]
    by_hour, by_sample = _counts(upkept)
    assert by_hour == by_sample
    assert [
        each for each in Verify(upkept.path, quick=False).run() if isinstance(each, Fault)
    ] == []
    upkept.close()


def _counts(upkept: Sealed) -> tuple[dict[int, int], dict[int, int]]:
    """How many samples each hour has: as it is kept, and counted one by one."""
    edges = [*range(MIDNIGHT_MS, MIDNIGHT_MS + 3 * DAY_MS, HOUR_MS)]
    with Reader(upkept.path) as reader:
        kept = periods(reader, "press", "level", edges)
        times = [sample.stamp.ts_ms for sample in reader.samples("press", *EVER)]
    return {each.start_ms: each.count for each in kept}, Counter(
        ms // HOUR_MS * HOUR_MS for ms in times
    )
