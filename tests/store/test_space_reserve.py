"""Room in advance: file and log have it behind their ends, and get it again when it is cut off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store.query import open_to_read
from agent.store.reserve import FILE_BYTES, LOG_BYTES
from agent.store.room import Held, held_by
from tests.fakes import FakeClock
from tests.store.filled import Filled, run

MIB = 1 << 20


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    filled = Filled(tmp_path / "telemetry.db", FakeClock())
    filled.fill(10)
    yield filled
    filled.close()


def look(filled: Filled, max_size_mb: int | None = None) -> Held:
    """What it holds after a look at the room, as ``store info`` sees it."""
    run(filled.keep_small(max_size_mb))
    connection = open_to_read(filled.path)
    held = held_by(connection, filled.path)
    connection.close()
    return held


def test_file_and_log_have_room_behind_their_ends(filled: Filled) -> None:
    filled.put("press", noise="")
    filled.store.flush()
    length = filled.path.stat().st_size

    held = look(filled)

    assert held.ahead == pytest.approx(FILE_BYTES, abs=16_384)
    assert held.log == LOG_BYTES
    assert filled.path.stat().st_size == length
    assert filled.is_sound()


def test_no_more_is_taken_with_each_look(filled: Filled) -> None:
    before = look(filled)
    step = filled.keep_small(None)

    for _ in range(5):
        filled.clock.advance(60)
        run(step)

    assert filled.on_disk() == before.taken


def test_what_writing_back_the_log_cut_off_is_there_again_after_the_next_look(
    filled: Filled,
) -> None:
    step = filled.keep_small(None)
    run(step)
    filled.put_block("press", 0)
    filled.put("press", noise="")
    filled.store.flush()

    filled.clock.advance(60)
    run(step)

    assert look(filled).ahead >= FILE_BYTES // 2


def test_of_a_small_store_it_is_a_tenth_at_most(filled: Filled) -> None:
    held = look(filled, 5)

    assert 0 < held.ahead <= 5 * MIB // 10
    assert held.log <= 5 * MIB // 10
    assert held.taken <= 5 * MIB


def test_it_counts_as_taken_and_not_as_free_for_new_samples() -> None:
    held = Held(1024, 10 * MIB, 10 * MIB, MIB, 2 * MIB, ahead=MIB)

    assert (held.taken, held.reusable, held.in_use) == (12 * MIB, 2 * MIB, 10 * MIB)
