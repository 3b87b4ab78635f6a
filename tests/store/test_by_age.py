"""Deleting by age what lies in batches and blocks: what is wholly older, with its aggregates."""

import sqlite3

import pytest

from tests.fakes import NOON_MS
from tests.store.stored import Stored

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
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


def test_aggregates_go_with_their_blocks_and_hours_with_the_last_one_of_their_day(
    stored: Stored,
) -> None:
    put_days(stored, 3, is_sealed=True)
    with sqlite3.connect(stored.path) as connection:
        for id_, first_ms in connection.execute("SELECT id, first_ms FROM block").fetchall():
            sql = "INSERT INTO aggregate VALUES(1, ?, ?, ?, x'00')"
            connection.execute(sql, (60_000, first_ms, id_))
            connection.execute(sql, (HOUR_MS, first_ms - NOON_MS + MIDNIGHT_MS, 0))
    connection.close()

    stored.store.delete_before(NOON_MS + DAY_MS + HOUR_MS)
    by_noon = stored.sql("SELECT span_ms, start_ms FROM aggregate")
    stored.store.delete_before(MIDNIGHT_MS + 2 * DAY_MS)

    day_ms = MIDNIGHT_MS + 2 * DAY_MS
    newest = [(60_000, NOON_MS + 2 * DAY_MS), (HOUR_MS, day_ms)]
    assert sorted(by_noon) == sorted([*newest, (HOUR_MS, MIDNIGHT_MS + DAY_MS)])
    assert sorted(stored.sql("SELECT span_ms, start_ms FROM aggregate")) == sorted(newest)
