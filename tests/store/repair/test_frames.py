"""A log read by hand: damage in a frame costs that frame, wherever it is."""

import random
import sqlite3
from pathlib import Path

import pytest

from agent.store.repair.frames import FRAME, HEAD, Log, log_of
from agent.store.repair.raw import RawFile

PAGE = 1024
SIZE = FRAME.size + PAGE


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of several commits; what stands behind them is of an earlier generation."""
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)")
    for number in range(30):
        connection.execute("INSERT INTO t(v) VALUES(?)", (str(number) * 100,))
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    for number in range(10):
        connection.execute("INSERT INTO t(v) VALUES(?)", (str(number) * 100,))
    copy = tmp_path / "copy.db-wal"
    copy.write_bytes(path.with_name("store.db-wal").read_bytes())
    connection.close()
    return copy


def read(path: Path) -> Log:
    with RawFile(path) as file:
        found = log_of(file, PAGE, lambda: False)
    assert found is not None
    return found


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_of_a_sound_log_all_frames_are_read(log: Path) -> None:
    found = read(log)

    assert found.page_bytes == PAGE
    assert all(frame.is_whole for frame in found.frames)
    assert len(found.read) == len(found.frames) < (log.stat().st_size - HEAD.size) // SIZE
    assert sum(frame.pages > 0 for frame in found.read) == 10


@pytest.mark.parametrize("chance", range(30))
def test_a_flipped_bit_costs_at_most_the_frame_that_it_is_in(log: Path, chance: int) -> None:
    before = read(log)
    number = random.Random(chance).randrange(len(before.frames))
    flip(log, HEAD.size + number * SIZE + random.Random(chance).randrange(SIZE))

    after = read(log)

    damaged = [at for at, frame in enumerate(after.frames) if not frame.is_whole]
    assert damaged in ([], [number])
    assert len(after.read) <= number


def test_what_follows_a_frame_with_a_damaged_head_is_found_all_the_same(log: Path) -> None:
    before = read(log)
    data = bytearray(log.read_bytes())
    data[HEAD.size + 3 * SIZE : HEAD.size + 3 * SIZE + FRAME.size] = bytes(FRAME.size)
    log.write_bytes(data)

    after = read(log)

    damaged = [at for at, frame in enumerate(after.frames) if not frame.is_whole]
    assert (len(after.frames), damaged) == (len(before.frames), [3])


@pytest.mark.parametrize("at", [0, 5, 9, 13, 17, 21, 25, 31])
def test_without_the_head_sqlite_reads_nothing_and_we_all(log: Path, at: int) -> None:
    before = read(log)
    flip(log, at)

    after = read(log)

    assert not after.read
    assert [frame.page for frame in after.unread] == [frame.page for frame in before.frames]
    assert all(frame.is_whole for frame in after.unread)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 500])
def test_a_log_without_a_frame_is_none(log: Path, size: int) -> None:
    log.write_bytes(log.read_bytes()[:size])

    with RawFile(log) as file:
        assert log_of(file, PAGE, lambda: False) is None


def test_without_time_all_frames_count_as_whole(log: Path) -> None:
    flip(log, HEAD.size + 2 * SIZE + 500)

    with RawFile(log) as file:
        found = log_of(file, PAGE, lambda: True)

    assert found is not None
    assert all(frame.is_whole for frame in found.frames)
