"""Where a new writer goes on: keys and runs know of what lies in batches and blocks."""

import pytest

from agent.store.writer import Writer
from tests.fakes import NOON_MS
from tests.store.stored import Stored

KEY = NOON_MS * 1000
HOUR_MS = 3_600_000


@pytest.fixture
def plain() -> bool:
    return False


def keys(stored: Stored) -> list[int]:
    """The keys of all that is in batches."""
    return [key for _, block in stored.batches() for key in block.keys()]  # noqa: SIM118


@pytest.mark.parametrize("is_sealed", [False, True])
def test_keys_rise_above_batches_and_blocks_though_the_clock_lost_its_time(
    stored: Stored, *, is_sealed: bool
) -> None:
    stored.put(level=1)
    stored.put(level=2)
    stored.store.flush()
    if is_sealed:
        stored.seal()
    stored.restart()
    stored.clock.set_wall(NOON_MS - HOUR_MS)

    stored.put(level=3)
    stored.store.flush()

    assert keys(stored)[-1] == KEY + 2
    assert stored.values() == [{"level": 1}, {"level": 2}, {"level": 3}]


def test_the_newest_key_may_be_in_a_batch_that_began_before_others(stored: Stored) -> None:
    stored.store.add_device("pump", "s7", 1.0)
    for device in ("press", "pump", "press"):
        stored.clock.advance(1)
        stored.put(device)
    stored.store.flush()
    stored.restart()
    stored.clock.set_wall(NOON_MS)

    stored.put()
    stored.store.flush()

    assert keys(stored) == [KEY + 1_000_000, KEY + 3_000_000, KEY + 2_000_000, KEY + 3_000_001]


def test_seconds_of_hosts_rise_above_what_was_sealed(stored: Stored) -> None:
    stored.store.add_device("host", "host", 5.0, plain=False)
    stored.put("host", load1=1)
    stored.store.flush()
    stored.seal()
    stored.restart()
    stored.clock.set_wall(NOON_MS - HOUR_MS)

    stored.put("host", load1=2)
    stored.put()
    stored.store.flush()

    assert stored.sql("SELECT ts FROM host_row") == [(NOON_MS // 1000 + 1,)]
    assert keys(stored) == [(NOON_MS - HOUR_MS) * 1000]
    assert stored.values("host") == [{"load1": 1}, {"load1": 2}]


@pytest.mark.parametrize("table", ["batch", "block"])
def test_a_damaged_newest_one_stops_nothing(stored: Stored, table: str) -> None:
    stored.put(level=1)
    stored.store.flush()
    if table == "block":
        stored.seal()
    stored.restart(in_order=True)
    stored.execute(f"UPDATE {table} SET data = zeroblob(length(data))")
    stored.clock.set_wall(NOON_MS - HOUR_MS)

    stored.put(level=2)

    assert stored.store.flush()
    assert [key for key in keys_of_whole(stored) if key > KEY]


def keys_of_whole(stored: Stored) -> list[int]:
    """The keys of batches that were made after the damage."""
    return [int(str(id_)) for (id_,) in stored.sql("SELECT id FROM batch WHERE id > ?", KEY)]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_run_after_a_crash_begins_where_the_newest_sample_is(
    stored: Stored, *, is_sealed: bool
) -> None:
    stored.put()
    stored.clock.advance(30)
    stored.put()
    stored.store.flush()
    if is_sealed:
        stored.seal()
    stored.clock.advance(60)
    stored.restart()
    stored.put()

    stored.store.flush()

    assert [(gap.start_ms - NOON_MS, gap.end_ms) for gap in stored.gaps()] == [
        (30_000, NOON_MS + 90_000)
    ]


def test_a_key_that_is_asked_for_is_above_all_others(stored: Stored) -> None:
    stored.put()
    stored.store.flush()

    def ask(writer: Writer) -> list[int]:
        return [writer.next_key(table, NOON_MS) for table in ("row", "batch", "row", "host_row")]

    assert stored.store.transact(ask) == [KEY + 1, KEY + 2, KEY + 3, NOON_MS // 1000]
