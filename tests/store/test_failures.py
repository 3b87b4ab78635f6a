"""A store that can't be written: nothing is lost before memory is full, and it is said once."""

import logging
import sqlite3
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.model import Gap, Reason
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import Stored

LIMIT = 1_000_000


@pytest.fixture
def full(tmp_path: Path, clock: FakeClock) -> Iterator[Stored]:
    """A store with little memory, and a text file in place of its folder."""
    stored = Stored(tmp_path / "data" / "telemetry.db", clock, waiting_bytes=LIMIT)
    stored.path.parent.write_text("in the way")
    yield stored
    stored.close()


def messages(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    """What was logged from a level on."""
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


def test_a_file_in_place_of_its_folder_is_said_once_and_samples_wait(
    full: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    done = []
    for number in range(3):
        full.put(number=number)
        done.append(full.store.flush())

    (message,) = messages(caplog)
    assert done == [False, False, False]
    assert message == (
        f"cannot open {full.path}: Not a directory, check that {full.path.parent} exists and may "
        "be written; samples wait in memory until it can be written"
    )
    assert full.store.state().waiting == 3
    assert full.path.parent.read_text() == "in the way"


def test_what_waits_is_stored_in_its_order_once_the_file_can_be_written(
    full: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        full.put(number=number)
        full.store.flush()
    full.path.parent.unlink()
    full.put(number=3)
    caplog.clear()

    assert full.store.flush()

    assert full.values() == [{"number": number} for number in range(4)]
    assert messages(caplog) == [f"{full.path} can be written again"]
    assert full.store.state().error is None


def test_when_memory_is_full_the_oldest_go_and_their_time_is_a_gap(full: Stored) -> None:
    full.store.flush()
    for number in range(4000):
        full.put(number=number)
        full.clock.advance(1)
        if number % 1000 == 0:
            full.store.flush()
    state = full.store.state()
    full.path.parent.unlink()

    full.store.flush()

    numbers = [values["number"] for values in full.values()]
    assert state.waiting_bytes <= LIMIT
    assert state.dropped == 4000 - len(numbers) > 0
    assert numbers == list(range(state.dropped, 4000))
    last_ms = NOON_MS + (state.dropped - 1) * 1000
    detail = f"{state.dropped} samples dropped, the store could not be written"
    assert full.gaps() == [Gap("press", NOON_MS, last_ms, Reason.STORE, detail)]


def test_a_device_that_fails_all_the_while_keeps_its_gap_when_memory_is_full(full: Stored) -> None:
    full.store.open_gap("press", NOON_MS, Reason.TIMEOUT, "no answer")
    for number in range(4000):
        full.put("host", number=number)
    full.path.parent.unlink()

    full.store.flush()

    assert full.store.state().dropped > 0
    assert full.gaps() == [Gap("press", NOON_MS, None, Reason.TIMEOUT, "no answer")]


def test_a_whole_gap_among_what_was_dropped_is_part_of_the_stretch(full: Stored) -> None:
    full.store.open_gap("press", NOON_MS, Reason.TIMEOUT)
    full.store.close_gap("press", NOON_MS + 5000)
    full.clock.advance(5)
    for number in range(4000):
        full.put(number=number)
    full.path.parent.unlink()

    full.store.flush()

    (gap,) = full.gaps()
    assert (gap.start_ms, gap.end_ms, gap.reason) == (NOON_MS, NOON_MS + 5000, Reason.STORE)


@pytest.mark.parametrize("text", ["x" * 500, "😀" * 500])
def test_what_waits_takes_no_more_memory_than_allowed(full: Stored, text: str) -> None:
    """With the names of a reading made anew each time, as a driver may do."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(3000):
            full.put_values("press", {f"name {n} that is long": number for n in range(20)})
            full.put(text=text)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert full.store.state().dropped > 0
    assert after - before < 1.2 * LIMIT


def test_a_failure_in_our_own_code_costs_no_sample(stored: Stored) -> None:
    stored.put(number=1)
    stored.put("nobody", number=2)  # not made known: a bug

    with pytest.raises(KeyError):
        stored.store.flush()
    stored.store.add_device("nobody", "s7", 1.0)
    stored.put(number=3)

    assert stored.store.flush()
    assert stored.values() == [{"number": 1}, {"number": 3}]
    assert stored.values("nobody") == [{"number": 2}]


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_goes_away_is_made_anew_and_nothing_that_waits_is_lost(
    stored: Stored, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    stored.put(number=1)
    stored.store.flush()
    stored.path.unlink()
    if how == "replaced":
        sqlite3.connect(stored.path).close()
    stored.put(number=2)

    done = [stored.store.flush(), stored.store.flush()]

    assert done == [False, True]
    assert stored.values() == [{"number": 2}]
    assert "was replaced or removed while in use" in messages(caplog)[0]


def test_a_lock_of_another_program_delays_and_costs_nothing(
    stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    """Takes the second for which a commit waits for another's lock."""
    stored.put(number=1)
    stored.store.flush()
    other = sqlite3.connect(stored.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    stored.put(number=2)

    locked = stored.store.flush()
    other.close()

    assert (locked, stored.store.flush()) == (False, True)
    assert stored.values() == [{"number": 1}, {"number": 2}]
    assert "another program has locked it, close that program" in messages(caplog)[0]


def test_deleting_that_fails_leaves_the_store_in_order(stored: Stored) -> None:
    stored.put(number=1)
    stored.store.flush()
    stored.execute("CREATE TRIGGER no BEFORE DELETE ON row BEGIN SELECT RAISE(ABORT, 'no'); END")

    with pytest.raises(StoreError, match="no"):
        stored.store.delete_before(NOON_MS + 1)
    stored.put(number=2)

    assert stored.store.flush()
    assert stored.values() == [{"number": 1}, {"number": 2}]


def test_a_device_with_the_name_of_a_table_is_stored_without_a_view(stored: Stored) -> None:
    stored.put()
    stored.store.flush()
    stored.execute("CREATE TABLE pump(a); INSERT INTO pump VALUES(7)")
    stored.store.add_device("Pump", "s7", 1.0)
    stored.put("Pump", level=2)

    assert stored.store.flush()

    assert stored.values("pump") == [{"level": 2}]
    assert stored.sql("SELECT * FROM pump") == [(7,)]


def test_closing_says_what_is_lost(full: Stored, caplog: pytest.LogCaptureFixture) -> None:
    full.put()
    full.put()

    full.store.close()

    assert messages(caplog)[-1] == "2 samples and 0 starts and ends of gaps are lost"


def test_closing_twice_is_fine_and_notes_the_end_of_the_run(stored: Stored) -> None:
    stored.put()
    stored.clock.advance(7)

    stored.store.close()
    stored.clock.advance(7)
    stored.store.close()

    assert stored.sql("SELECT start_ms, end_ms FROM run") == [(NOON_MS, NOON_MS + 7000)]


def test_with_no_interval_each_sample_asks_for_a_flush(tmp_path: Path, clock: FakeClock) -> None:
    woken = []
    stored = Stored(tmp_path / "telemetry.db", clock, flush_interval_s=0.0)
    stored.store.on_append(lambda: woken.append(stored.store.flush()))

    stored.put(number=1)
    stored.put(number=2)

    assert woken == [True, True]
    assert stored.values() == [{"number": 1}, {"number": 2}]
    stored.store.close()


def test_a_long_interval_costs_no_sample_however_many_come(
    tmp_path: Path, clock: FakeClock
) -> None:
    asked = []
    stored = Stored(tmp_path / "telemetry.db", clock, flush_interval_s=3600.0, waiting_bytes=LIMIT)
    stored.store.on_append(lambda: asked.append(stored.store.flush()))

    for number in range(4000):
        stored.put(number=number)
    stored.store.flush()

    assert stored.store.state().dropped == 0
    assert len(stored.values()) == 4000
    assert 1 < len(asked) < 20
    stored.store.close()
