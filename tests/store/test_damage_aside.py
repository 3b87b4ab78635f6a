"""What is said and done of files that are in the way of the store, or were set aside."""

import shutil
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import Reader
from agent.store.repair.restore import restore
from agent.store.repair.waiting import all_beside, to_save
from tests.fakes import FakeClock
from tests.store.repair.damaged import end, fill, go_on, save, values
from tests.store.stored import Stored
from tests.store.test_damage import newer, text
from tests.store.test_failures import messages


@pytest.fixture
def path(tmp_path: Path, clock: FakeClock) -> Path:
    """A store with 60 samples, which nobody has open, and without a log."""
    stored = Stored(tmp_path / "telemetry.db", clock)
    fill(stored)
    end(stored)
    return stored.path


def test_a_link_that_leads_to_itself_makes_room(path: Path, clock: FakeClock) -> None:
    path.unlink()
    path.symlink_to(path)

    go_on(path, clock)

    assert {"n": -1} in values(path)


def test_who_cant_read_the_store_is_told_what_it_is(path: Path) -> None:
    path.unlink()
    path.mkdir()

    with pytest.raises(StoreError, match=r"telemetry\.db: it is a folder"):
        Reader(path)


def test_who_reads_a_damaged_store_is_told_what_to_do(path: Path) -> None:
    text(path)

    with pytest.raises(StoreError, match=r"is not a database; .*: agent store repair"):
        Reader(path)


def test_small_files_that_are_set_aside_have_a_size(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    text(path)

    go_on(path, clock)

    assert "with 2 kB;" in messages(caplog)[1]


def test_a_damaged_file_that_stood_in_is_saved_from(path: Path, clock: FakeClock) -> None:
    newer(path)
    go_on(path, clock)
    other = path.with_name("telemetry-2.db")
    other.rename(path.with_name("telemetry-2.db.damaged-20261120T120000Z"))
    go_on(path, clock)

    (source,) = to_save(path)
    save(source, path, clock)

    assert [each.path for each in all_beside(path)] == [source]
    assert len(values(path)) == 2
    assert not to_save(path)


def test_a_backup_is_restored_however_many_files_were_damaged(path: Path, clock: FakeClock) -> None:
    backup = path.with_name("backup")
    shutil.copy(path, backup)
    for number in range(10):
        path.with_name(f"{path.name}.damaged-20261120T12010{number}Z").touch()

    before = restore(path, backup, clock.now_ms(), lambda _done, _total: None)

    assert before is not None
    assert len(values(before)) == len(values(path)) == 60
    assert not path.samefile(before)
