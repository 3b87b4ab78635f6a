"""Reading while the agent writes, and as a user who may only read."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import Reader
from tests.fakes import NOON_MS
from tests.store.stored import EVER, Stored

# All is imported first: the interpreter may lie where only its owner may look.
AS_NOBODY = """
import os, sys
from pathlib import Path
from agent.errors import StoreError
from agent.store import Reader
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
try:
    with Reader(Path(sys.argv[1])) as reader:
        print([dict(each.values) for each in reader.samples("press", 0, 10**14)])
except StoreError as exc:
    print("error")
"""
KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("INSERT INTO meta VALUES('left in the log', 1)")
connection.commit()
os._exit(9)
"""
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")


def read_as_nobody(path: Path) -> str:
    """What another user gets who may read, but not write in the folder."""
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(path)], capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip() or done.stderr


def open_folders(path: Path) -> None:
    """Lets everybody read what lies in a folder of the tests."""
    for folder in path.parents:
        if folder == Path(tempfile.gettempdir()) or folder.stat().st_uid != os.getuid():
            break
        folder.chmod(folder.stat().st_mode | 0o055)


def test_rows_of_a_range_are_those_from_its_start_to_before_its_end(stored: Stored) -> None:
    for number in range(4):
        stored.put(number=number)
        stored.clock.advance(1)
    stored.store.flush()

    samples = stored.samples("press", NOON_MS + 1000, NOON_MS + 3000)

    assert [sample.values["number"] for sample in samples] == [1, 2]


def test_a_reader_sees_the_store_as_it_was_when_it_was_opened(stored: Stored) -> None:
    stored.put(a=1)
    stored.store.flush()

    with Reader(stored.path) as reader:
        samples = reader.samples("press", *EVER)
        first = next(samples)
        stored.clock.reboot("boot 2")
        stored.put(b=2)
        assert stored.store.flush()
        rest = list(samples)
        again = list(reader.samples("press", *EVER))

    assert (first.values, rest, again) == ({"a": 1}, [], [first])
    assert stored.values() == [{"a": 1}, {"b": 2}]


def test_a_device_is_found_however_its_letters_are_cased(stored: Stored) -> None:
    stored.put(level=1)
    stored.store.flush()

    assert stored.values("PRESS") == [{"level": 1}]


def test_a_device_without_data_is_named(stored: Stored) -> None:
    stored.put(level=1)
    stored.store.flush()

    with pytest.raises(StoreError, match=r"telemetry\.db: no device 'oven' has data"):
        stored.values("oven")


def test_without_a_store_the_user_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store yet, start the agent with: agent run"):
        Reader(tmp_path / "telemetry.db")


@pytest.mark.parametrize("content", [b"", b"text", b"text " * 1000, bytes(4096)])
def test_a_file_that_is_no_store_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "telemetry.db"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=r"telemetry\.db"):
        Reader(path)

    assert path.read_bytes() == content


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot read"):
        Reader(tmp_path)


def test_a_path_with_odd_characters_is_read(tmp_path: Path, stored: Stored) -> None:
    stored.put(level=1)
    stored.restart(in_order=True)
    odd = tmp_path / "a?b#c%20 d&e'\udcff.db"
    stored.path.rename(odd)

    with Reader(odd) as reader:
        values = [sample.values for sample in reader.samples("press", *EVER)]

    assert values == [{"level": 1}]


@needs_root
@pytest.mark.parametrize("state", ["running", "stopped", "killed"])
def test_a_user_who_may_not_write_reads_all_there_is(stored: Stored, state: str) -> None:
    stored.put(level=1)
    stored.store.flush()
    open_folders(stored.path)
    if state != "running":
        stored.restart(in_order=True)
    if state == "killed":
        subprocess.run([sys.executable, "-c", KILLED, str(stored.path)], timeout=30)

    assert read_as_nobody(stored.path) == "[{'level': 1}]"


@needs_root
def test_a_file_that_may_not_be_read_is_an_error(stored: Stored) -> None:
    stored.put(level=1)
    stored.restart(in_order=True)
    open_folders(stored.path)
    stored.path.chmod(0o600)

    file = read_as_nobody(stored.path)
    stored.path.parent.chmod(0o700)
    folder = read_as_nobody(stored.path)

    assert (file, folder) == ("error", "error")
