"""What the running agent says of itself, and who is believed."""

import json
import logging
import os
import subprocess
from pathlib import Path

import pytest

from agent.state import StateFile, read

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


@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_what_is_no_plain_file_is_not_read_and_holds_nobody_up(
    data_dir: Path, environ: dict[str, str], tmp_path: Path, kind: str
) -> None:
    StateFile(data_dir, environ).write({"pid": ME})
    path = file_in(environ)
    path.rename(tmp_path / "moved")

    {"fifo": os.mkfifo, "link": lambda p: p.symlink_to(tmp_path / "moved"), "folder": os.mkdir}[
        kind
    ](path)

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
