"""Whatever lies in place of the store's file, samples are stored, and nothing is deleted."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import Reader
from agent.store.repair.salvage import KEY, reports
from agent.store.repair.start import make_usable
from tests.fakes import FakeClock
from tests.store.journaled import Journaled, inherit, leave, needs_memory, put
from tests.store.journaled import samples as journaled_samples
from tests.store.repair.damaged import aside, end, fill, go_on, overwrite, save, values
from tests.store.stored import Stored
from tests.store.test_failures import messages

PAGE = 1024


@pytest.fixture
def path(tmp_path: Path, clock: FakeClock) -> Path:
    """A store with 60 samples, which nobody has open, and without a log."""
    stored = Stored(tmp_path / "telemetry.db", clock)
    fill(stored)
    end(stored)
    return stored.path


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    os.truncate(path, 0)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def text(path: Path) -> None:
    path.write_text("not a database " * 100)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "kept").write_text("kept")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def first_page(path: Path) -> None:
    overwrite(path, 0, bytes(PAGE))


def names(path: Path) -> None:
    """What the file says of its devices is another thing than was written."""
    data = path.read_bytes()
    at = data.index(b"press")
    overwrite(path, at, b"pruss")


@pytest.mark.parametrize(
    "harm", [remove, empty, zeroed, torn, text, folder, pipe, first_page, names]
)
def test_samples_are_stored_at_once_whatever_is_there(
    harm: Callable[[Path], None], path: Path, clock: FakeClock
) -> None:
    harm(path)

    go_on(path, clock)

    assert {"n": -1} in values(path)


@pytest.mark.parametrize("harm", [zeroed, torn, text, first_page, names])
def test_a_file_that_cant_be_used_is_kept_as_it_is_under_another_name(
    harm: Callable[[Path], None], path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    harm(path)
    before = path.read_bytes()

    go_on(path, clock)

    (kept,) = aside(path)
    assert kept.name == "telemetry.db.damaged-20261120T120101Z"
    assert kept.read_bytes() == before
    said = messages(caplog)[0]
    assert said.startswith(f"{path} can't be used: ")
    assert "is set aside as telemetry.db.damaged-20261120T120101Z" in said
    assert "1 file set aside" in messages(caplog)[1]


def test_a_folder_is_kept_with_what_is_in_it(path: Path, clock: FakeClock) -> None:
    folder(path)

    go_on(path, clock)

    (kept,) = aside(path, "foreign")
    assert (kept / "kept").read_text() == "kept"


def test_another_programs_database_is_kept_and_not_taken_for_ours(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "telemetry.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE system_sample(ts)")
    connection.close()
    before = path.read_bytes()

    go_on(path, clock)

    (kept,) = aside(path, "foreign")
    assert kept.read_bytes() == before
    assert "another program's database" in messages(caplog)[0]
    assert "agent import" in messages(caplog)[0]


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def test_a_newer_agents_file_is_left_as_it_is_and_another_one_is_written_beside_it(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    newer(path)
    before = path.read_bytes()

    go_on(path, clock)
    go_on(path, clock)

    assert path.read_bytes() == before
    assert values(path) == [{"n": -1}, {"n": -1}]  # those which can be read meanwhile
    assert "written by a newer agent: it is left as it is" in messages(caplog)[0]
    assert "telemetry-2.db" in messages(caplog)[0]
    with sqlite3.connect(path.with_name("telemetry-2.db")) as connection:
        assert connection.execute("SELECT count(*) FROM run").fetchone() == (2,)
    connection.close()


def test_what_was_written_beside_it_is_taken_over_once_the_newer_agent_is_back(
    path: Path, clock: FakeClock
) -> None:
    newer(path)
    go_on(path, clock)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()

    save(path.with_name("telemetry-2.db"), path, clock)

    assert len(values(path)) == 61
    assert values(path)[-1] == {"n": -1}


def test_damage_that_shows_in_a_commit_leads_to_a_new_file_and_loses_no_sample(
    stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    fill(stored, 400)
    connection = sqlite3.connect(stored.path)  # what it changes, the writer has to read again
    connection.execute("INSERT INTO meta VALUES('theirs', 1)")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    overwrite(stored.path, PAGE, os.urandom(stored.path.stat().st_size - PAGE))
    stored.clock.advance(1)
    stored.put(n=-1)

    assert stored.store.flush()

    assert stored.values() == [{"n": -1}]
    assert aside(stored.path)
    assert "database disk image is malformed" in messages(caplog)[0]
    assert stored.store.state().error is None


def test_a_disk_that_damages_each_file_is_not_filled_with_them(
    tmp_path: Path, clock: FakeClock
) -> None:
    path = tmp_path / "telemetry.db"
    for _ in range(10):
        path.write_text("no database")
        make_usable(path, clock.now_ms())
    path.write_text("no database")

    with pytest.raises(StoreError, match="damaged 10 times within an hour"):
        make_usable(path, clock.now_ms())

    clock.advance(7200)
    assert make_usable(path, clock.now_ms())


@needs_memory
def test_what_waits_in_a_journal_reaches_the_new_file(journaled: Journaled) -> None:
    store = journaled.store()
    put(store, journaled.clock, number=-1)
    assert store.flush()
    store.close()
    left = leave(journaled)
    zeroed(journaled.path)

    inherit(journaled)

    assert journaled_samples(journaled) == left
    assert aside(journaled.path)


needs_other_user = pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")


@needs_other_user
def test_a_file_of_another_user_makes_room_and_is_named(
    tmp_path: Path, path: Path, clock: FakeClock
) -> None:
    for each in [*tmp_path.parents][:-2]:
        each.chmod(each.stat().st_mode | 0o755)
    tmp_path.chmod(0o777)
    path.chmod(0o600)
    os.seteuid(65534)
    try:
        said = make_usable(path, clock.now_ms())
    finally:
        os.seteuid(0)

    assert "it belongs to root, and we may not write it" in said[0]
    assert [each.name for each in aside(path)] == ["telemetry.db.damaged-20261120T120100Z"]


def test_readers_tell_an_empty_file_from_a_store(path: Path) -> None:
    log = path.with_name("telemetry.db-wal")
    log.write_bytes(b"what the next start may need")
    empty(path)

    with pytest.raises(StoreError, match="not a store of the agent"):
        Reader(path)

    assert log.exists()


def test_a_file_of_our_own_that_lost_its_rights_gets_them_back(
    path: Path, clock: FakeClock
) -> None:
    path.chmod(0)

    said = make_usable(path, clock.now_ms())

    assert said[0].startswith(f"{path} lacked the rights")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not aside(path)
    assert len(values(path)) == 60


@pytest.mark.parametrize("note", ["{", "{}", "[]", '{"losses": [1]}'])
def test_a_damaged_note_on_a_file_that_was_saved_is_as_none(path: Path, note: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO meta(key, value) VALUES(?, ?)", (f"{KEY}old", note))
    connection.commit()
    connection.close()

    assert reports(path) == {}
