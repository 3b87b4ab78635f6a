"""What a stop in order leaves: a file that is whole by itself, with its log beside it."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.store import Reader
from tests.fakes import FakeClock
from tests.store.stored import EVER, SHELL, Stored, needs_shell

GUEST = 65534  # nobody
PAGES = 40  # so that the log has many pages before the stop


@pytest.fixture
def shown(clock: FakeClock) -> Iterator[Stored]:
    """A store in a folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        stored = Stored(Path(folder, "telemetry.db"), clock)
        yield stored
        stored.close()


def fill(stored: Stored) -> None:
    for number in range(PAGES):
        stored.put(level=number, text="x" * 4000)
        stored.clock.advance(1)
        assert stored.store.flush()


def frames_in_log(path: Path, folder: Path) -> int:
    """How many pages stand in the log, as SQLite counts them in a copy."""
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", folder / f"copy.db{end}")
    with closing(sqlite3.connect(folder / "copy.db")) as connection:
        busy, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert not busy
    return int(frames)


def test_after_a_stop_the_file_alone_has_everything(stored: Stored, tmp_path: Path) -> None:
    fill(stored)

    stored.store.close()

    alone = tmp_path / "alone.db"
    shutil.copy(stored.path, alone)
    with Reader(alone) as reader:
        assert len(list(reader.samples("press", *EVER))) == PAGES
        assert reader.runs()[0].end_ms == stored.clock.now_ms()


def test_after_a_stop_the_log_has_no_more_than_the_note_of_it(
    stored: Stored, tmp_path: Path
) -> None:
    fill(stored)

    stored.store.close()

    assert frames_in_log(stored.path, tmp_path) == 1


def test_the_next_run_writes_over_the_log(stored: Stored) -> None:
    fill(stored)
    stored.restart(in_order=True)
    log = stored.path.with_name("telemetry.db-wal")
    before = log.stat()

    fill(stored)
    stored.store.close()

    after = log.stat()
    assert after.st_ino == before.st_ino
    assert after.st_size <= before.st_size * 1.1
    assert len(stored.samples()) == 2 * PAGES


def test_a_stop_while_somebody_reads_loses_nothing(stored: Stored) -> None:
    fill(stored)
    with Reader(stored.path) as reader:
        stored.put(level=PAGES)
        assert stored.store.close() == 0
        assert len(list(reader.samples("press", *EVER))) == PAGES

    stored.restart()
    stored.put(level=PAGES + 1)
    assert stored.store.flush()

    assert [values["level"] for values in stored.values()] == [*range(PAGES + 2)]


@needs_shell
def test_who_may_not_write_the_folder_reads_a_stopped_store(shown: Stored) -> None:
    fill(shown)
    shown.store.close()
    folder = shown.path.parent
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    guest = GUEST if os.getuid() == 0 else None

    done = subprocess.run(
        [str(SHELL), str(shown.path), "SELECT count(*) FROM press"],
        capture_output=True,
        text=True,
        cwd="/",
        user=guest,
        group=guest,
        extra_groups=None if guest is None else [],
    )

    folder.chmod(0o755)
    assert (done.stdout, done.stderr) == (f"{PAGES}\n", "")
