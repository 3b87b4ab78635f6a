"""What the running agent says of itself, who is believed, and the lock of a data folder."""

import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.state import DataLock, StateFile, read

ME = os.getpid()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"RUNTIME_DIRECTORY": str(tmp_path / "run")}


def file_in(environ: dict[str, str]) -> Path:
    (path,) = Path(environ["RUNTIME_DIRECTORY"]).glob("state-*.json")
    return path


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    return process.pid


def test_what_is_written_is_read(data_dir: Path, environ: dict[str, str]) -> None:
    state = StateFile(data_dir, environ)

    state.write({"pid": ME, "devices": ["ä"]})

    found = read(data_dir, environ)
    assert found is not None
    assert (found["pid"], found["devices"]) == (ME, ["ä"])


def test_nothing_is_said_before_the_first_state(data_dir: Path, environ: dict[str, str]) -> None:
    StateFile(data_dir, environ)

    assert read(data_dir, environ) is None


def test_nothing_is_said_once_it_is_removed(data_dir: Path, environ: dict[str, str]) -> None:
    state = StateFile(data_dir, environ)
    state.write({"pid": ME})

    state.remove()
    state.remove()

    assert read(data_dir, environ) is None


def test_each_data_folder_has_its_own_state(
    tmp_path: Path, data_dir: Path, environ: dict[str, str]
) -> None:
    StateFile(data_dir, environ).write({"pid": ME})

    assert read(tmp_path / "other", environ) is None


def test_a_link_to_the_data_folder_is_the_same_folder(
    tmp_path: Path, data_dir: Path, environ: dict[str, str]
) -> None:
    data_dir.mkdir()
    link = tmp_path / "link"
    link.symlink_to(data_dir)

    StateFile(data_dir, environ).write({"pid": ME})

    assert read(link, environ) is not None


def test_a_data_folder_that_is_a_circle_of_links_is_no_crash(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)

    StateFile(link, environ).write({"pid": ME})

    assert read(link, environ) is not None


def test_an_agent_that_was_killed_says_nothing(
    data_dir: Path, environ: dict[str, str], ended: int
) -> None:
    StateFile(data_dir, environ).write({"pid": ended})

    assert read(data_dir, environ) is None


def test_another_process_with_the_number_of_a_killed_agent_is_not_it(
    data_dir: Path, environ: dict[str, str]
) -> None:
    StateFile(data_dir, environ).write({"pid": ME})
    path = file_in(environ)
    facts = json.loads(path.read_text())

    path.write_text(json.dumps(facts | {"start_ticks": facts["start_ticks"] - 1}))

    assert read(data_dir, environ) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        '{"pid": null}',
        '{"pid": "1"}',
        '{"pid": true}',
        '{"pid": 0}',
        '{"pid": -1}',
        '{"pid": 1e3}',
        '{"pid": 99999999999999999999}',
        '{"pid": 2147483647}',
        "\udcff",
    ],
)
def test_what_is_no_state_is_not_believed(
    data_dir: Path, environ: dict[str, str], content: str
) -> None:
    StateFile(data_dir, environ)
    path = file_in(environ)

    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    assert read(data_dir, environ) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_a_state_that_somebody_else_wrote_is_not_believed(
    data_dir: Path, environ: dict[str, str]
) -> None:
    StateFile(data_dir, environ).write({"pid": ME})

    os.chown(file_in(environ), 12345, -1)

    assert read(data_dir, environ) is None


def test_a_state_that_cannot_be_written_is_logged_once(
    data_dir: Path, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    state = StateFile(data_dir, environ)
    path = file_in(environ)
    path.unlink()
    path.mkdir()  # a file cannot take the place of a folder

    state.write({"pid": ME})
    state.write({"pid": ME})
    path.rmdir()
    state.write({"pid": ME})

    assert [record.message for record in caplog.records] == [
        f"cannot write {path}, status will be old: Is a directory",
        f"{path} can be written again",
    ]


def test_the_next_place_is_taken_when_the_first_is_none(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "file").touch()
    environ = {
        "RUNTIME_DIRECTORY": str(tmp_path / "file"),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }

    state = StateFile(data_dir, environ)
    state.write({"pid": ME})
    found = read(data_dir, environ)
    state.remove()

    assert found is not None


def held(data_dir: Path) -> DataLock:
    lock = DataLock(data_dir)
    lock.hold()
    return lock


def test_a_second_agent_is_kept_out(data_dir: Path) -> None:
    lock = held(data_dir)

    with pytest.raises(ConfigError) as caught:
        DataLock(data_dir).hold()

    lock.release()
    assert str(caught.value) == (
        f"another agent is running on {data_dir}, stop it or name another data_dir"
    )


def test_a_lock_that_is_held_can_be_taken_again_by_its_holder(data_dir: Path) -> None:
    lock = held(data_dir)

    lock.hold()

    lock.release()


def test_the_next_agent_may_in_once_the_first_has_gone(data_dir: Path) -> None:
    first = held(data_dir)

    first.release()
    first.release()

    held(data_dir).release()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_agent_that_may_not_write_the_lock_is_kept_out_as_well(data_dir: Path) -> None:
    lock = held(data_dir)
    temporary = Path(tempfile.gettempdir())
    for folder in (data_dir, *data_dir.parents):
        if folder.is_relative_to(temporary) and folder != temporary:
            folder.chmod(0o755)
    script = f"""
import os
from pathlib import Path
from agent.state import DataLock
os.setuid(65534)
DataLock(Path({str(data_dir)!r})).hold()
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    lock.release()
    assert "another agent" in done.stderr.splitlines()[-1]


def test_a_data_folder_that_is_none_is_left_to_the_store(data_dir: Path) -> None:
    data_dir.touch()

    held(data_dir).release()


def test_a_folder_that_comes_later_is_locked_then(data_dir: Path) -> None:
    data_dir.touch()
    lock = held(data_dir)
    data_dir.unlink()

    lock.hold()

    with pytest.raises(ConfigError, match="another agent"):
        held(data_dir)
    lock.release()
