"""The log of a file that somebody reads for long: it grows, that is said, and it shrinks again."""

import sqlite3
from pathlib import Path

import pytest

from agent.store.log_file import LIMIT_BYTES, LOG_BYTES, STEP_BYTES
from tests.fakes import FakeClock
from tests.store.stored import Stored
from tests.store.test_failures import messages

TEXT = "x" * 5_000_000


def write(stored: Stored, size_bytes: int) -> None:
    """Rows of so many bytes, in commits of a few each."""
    for _ in range(size_bytes // len(TEXT) + 1):
        stored.put(text=TEXT)
        assert stored.store.flush()


def log_bytes(stored: Stored) -> int:
    return stored.path.with_name(f"{stored.path.name}-wal").stat().st_size


def test_it_is_made_long_enough_for_many_commits_at_once(stored: Stored) -> None:
    sizes = set()
    for _ in range(20):
        stored.put(text="x" * 1000)
        stored.store.flush()
        sizes.add(log_bytes(stored))

    (size,) = sizes
    assert size > STEP_BYTES
    assert len(stored.values()) == 20


def test_without_a_reader_it_is_written_back_and_stays_short(stored: Stored) -> None:
    write(stored, LIMIT_BYTES)

    assert log_bytes(stored) < LOG_BYTES + 3 * len(TEXT)


def test_of_a_store_that_must_be_small_it_is_shorter(tmp_path: Path, clock: FakeClock) -> None:
    stored = Stored(tmp_path / "small.db", clock, max_size_mb=20)
    for _ in range(100):
        stored.put(text="x" * 50_000)
        stored.store.flush()

    assert log_bytes(stored) < 3 * 2**20
    stored.close()


def test_a_long_reader_is_said_once_and_everything_is_written_all_the_same(
    stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    stored.put(text="")
    stored.store.flush()
    reader = sqlite3.connect(stored.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM row").fetchone()

    write(stored, LIMIT_BYTES)
    write(stored, 3 * len(TEXT))
    long = log_bytes(stored)
    reader.close()
    for _ in range(3):
        stored.put(text="")
        stored.store.flush()

    (message,) = messages(caplog)
    assert message == (
        f"{stored.path}-wal grows and takes up the disk, since another program has been reading "
        f"{stored.path} for long: close that program, to find it: fuser {stored.path}"
    )
    assert long > LIMIT_BYTES
    assert log_bytes(stored) <= 2 * LOG_BYTES
    assert len(stored.values()) == 1 + LIMIT_BYTES // len(TEXT) + 1 + 4 + 3
