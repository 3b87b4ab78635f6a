"""The commands of the store: check, repair, backup, restore, and what status says of it."""

import json
import sqlite3
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.model import Sample
from agent.store import Reader, Store
from tests.console.commands import Machine
from tests.store.repair.damaged import PAGE, overwrite
from tests.store.stored import EVER

COUNT = 200


@pytest.fixture
def filled(machine: Machine) -> Machine:
    """A store with rows of a press in its file, and no agent."""
    clock = SystemClock()
    store = Store(path_of(machine), clock)
    store.add_device("press", "s7", 1.0, plain=True)
    now = clock.stamp()
    for number in range(COUNT):
        stamp = type(now)(now.ts_ms + 1000 * number, now.monotonic_ms + 1000 * number)
        store.append(Sample("press", stamp, {"n": number, "text": "x" * 20}))
        if number % 10 == 9:
            assert store.flush()
    store.close()
    return machine


def path_of(machine: Machine) -> Path:
    return machine.folder / "data" / "telemetry.db"


def count_in(path: Path) -> int:
    with Reader(path) as reader:
        return sum(1 for _ in reader.samples("press", *EVER))


def damage(machine: Machine) -> None:
    """One page of rows is gone."""
    path = path_of(machine)
    at = path.read_bytes().index(b'[100,"xxxx')
    overwrite(path, at // PAGE * PAGE, b"\xff" * PAGE)


def test_a_sound_store_is_said_to_be_sound(filled: Machine) -> None:
    result = filled.run("store", "verify")

    assert result.exit_code == 0
    assert result.stdout.endswith(f"{COUNT} samples can be read, sound\n")


def test_a_damaged_store_is_exit_code_4_with_what_is_damaged(filled: Machine) -> None:
    damage(filled)

    result = filled.run("store", "verify")
    as_json = filled.run("store", "verify", "--quick", "--json")

    assert result.exit_code == as_json.exit_code == 4
    assert "about" in result.stdout
    assert "press" in result.stdout
    assert "agent store repair" in result.stdout
    facts = json.loads(as_json.stdout)
    assert not facts["is_sound"]
    assert any(fault["device"] == "press" and fault["count"] for fault in facts["faults"])


@pytest.mark.parametrize("words", [["verify"], ["backup"], ["verify", "--json"]])
def test_without_a_store_it_is_said_that_there_is_none(machine: Machine, words: list[str]) -> None:
    result = machine.run("store", *words)

    assert result.exit_code == 4
    assert "there is no store yet" in result.stderr


def test_a_repair_says_first_what_it_would_do_and_then_does_it(filled: Machine) -> None:
    damage(filled)
    before = path_of(filled).read_bytes()

    dry = filled.run("store", "repair", "--dry-run")
    unchanged = path_of(filled).read_bytes() == before
    done = filled.run("store", "repair", "--json")
    status = filled.run("status")
    verified = filled.run("store", "verify")

    assert unchanged
    assert "samples could be saved" in dry.stdout
    (file,) = json.loads(done.stdout)["files"]
    assert 0 < file["lost"] < 40
    assert file["saved"] + file["lost"] == COUNT
    assert file["losses"][0]["device"] == "press"
    assert count_in(path_of(filled)) == file["saved"]
    assert f"damaged, {file['saved']} samples saved, {file['lost']} lost" in status.stdout
    assert f"lost: press, about {file['lost']} samples from" in status.stdout
    assert verified.exit_code == 0


def test_a_sound_store_needs_no_repair(filled: Machine) -> None:
    result = filled.run("store", "repair")

    assert result.stdout == f"{path_of(filled)} is sound, there is nothing to repair\n"


def test_samples_of_another_file_are_added_once(filled: Machine) -> None:
    backup = filled.folder / "backup.db"
    filled.run("store", "backup", str(backup))
    for each in path_of(filled).parent.glob("telemetry.db*"):
        each.unlink()
    filled.store({"n": -1})

    first = filled.run("store", "repair", "--from", str(backup))
    second = filled.run("store", "repair", "--from", str(backup))

    assert f"{COUNT} samples were saved, 0 are lost" in first.stdout
    assert "the store has all of them already" in second.stdout
    assert count_in(path_of(filled)) == COUNT + 1


def test_a_backup_is_one_file_that_opens_anywhere(filled: Machine) -> None:
    backup = filled.folder / "backup.db"

    result = filled.run("store", "backup", str(backup))

    assert result.exit_code == 0
    assert f"{COUNT} samples, checked" in result.stdout
    assert [each.name for each in filled.folder.glob("*backup*")] == ["backup.db"]
    backup.chmod(0o400)
    connection = sqlite3.connect(f"file:{backup}?mode=ro&immutable=1", uri=True)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert connection.execute("SELECT count(*) FROM row").fetchone() == (COUNT,)
    connection.close()


def test_a_backup_takes_no_files_place_unless_that_is_wanted(filled: Machine) -> None:
    backup = filled.folder / "backup.db"
    backup.write_text("mine")

    refused = filled.run("store", "backup", str(backup))
    kept = backup.read_text()
    forced = filled.run("store", "backup", "--force", str(backup))

    assert (refused.exit_code, kept) == (2, "mine")
    assert "name another file, or use --force" in refused.stderr
    assert forced.exit_code == 0
    assert count_in(backup) == COUNT


def test_a_backup_never_takes_the_place_of_the_store(filled: Machine) -> None:
    result = filled.run("store", "backup", "--force", str(path_of(filled)))

    assert result.exit_code == 2
    assert count_in(path_of(filled)) == COUNT


def test_a_backup_is_of_one_moment_while_the_store_is_written(filled: Machine) -> None:
    clock = SystemClock()
    store = Store(path_of(filled), clock)
    store.add_device("press", "s7", 1.0, plain=True)
    store.append(Sample("press", clock.stamp(), {"n": -1}))
    assert store.flush()

    result = filled.run("store", "backup", str(filled.folder / "backup.db"))
    store.append(Sample("press", clock.stamp(), {"n": -2}))

    assert store.flush()
    store.close()
    assert result.exit_code == 0
    assert count_in(filled.folder / "backup.db") == COUNT + 1


def test_a_restore_says_what_is_other_than_before_and_keeps_that(filled: Machine) -> None:
    backup = filled.folder / "backup.db"
    filled.run("store", "backup", str(backup))
    filled.store({"n": -1})

    result = filled.run("store", "restore", str(backup))

    assert result.exit_code == 0
    assert count_in(path_of(filled)) == COUNT
    (kept,) = path_of(filled).parent.glob("telemetry.db.replaced-*Z")
    assert count_in(kept) == COUNT + 1
    assert f"called {kept.name} now" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("press"))
    assert row.split()[1] == f"{COUNT + 1}"
    assert row.split()[3] == f"{COUNT}"
    assert backup.exists()


def test_a_damaged_backup_is_not_put_in_place(filled: Machine) -> None:
    backup = filled.folder / "backup.db"
    filled.run("store", "backup", str(backup))
    overwrite(backup, backup.read_bytes().index(b'[100,"xxxx') // PAGE * PAGE, b"\xff" * PAGE)
    before = path_of(filled).read_bytes()

    result = filled.run("store", "restore", str(backup))

    assert result.exit_code == 4
    assert f"agent store repair --from {backup}" in result.stderr
    assert path_of(filled).read_bytes() == before


@pytest.mark.parametrize("words", [["repair"], ["restore"]])
def test_while_an_agent_runs_nothing_else_writes(filled: Machine, words: list[str]) -> None:
    from agent.state import DataLock

    backup = filled.folder / "backup.db"
    filled.run("store", "backup", str(backup))
    lock = DataLock(path_of(filled).parent)
    lock.hold()

    result = filled.run("store", *words, *([str(backup)] if words == ["restore"] else []))

    lock.release()
    assert result.exit_code == 1
    assert "stop it with" in result.stderr


def test_the_file_that_is_checked_is_named_while_a_newer_one_is_in_its_place(
    filled: Machine,
) -> None:
    path = path_of(filled)
    path.rename(path.with_name("telemetry-2.db"))
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA application_id = 1; PRAGMA user_version = 99")
    connection.close()
    data = bytearray(path.read_bytes())
    data[68:72] = path.with_name("telemetry-2.db").read_bytes()[68:72]
    path.write_bytes(data)

    result = filled.run("store", "verify")

    assert "telemetry-2.db: " in result.stdout
    assert f"{COUNT} samples can be read, sound" in result.stdout


def test_nothing_is_said_to_be_saved_or_lost_of_what_cant_be_read(filled: Machine) -> None:
    path_of(filled).write_text("not a database " * 100)

    tried = filled.run("store", "repair", "--dry-run")
    done = filled.run("store", "repair")

    assert "no sample in it can be read" in tried.stdout
    assert "no sample was saved: none in it can be read" in done.stdout
