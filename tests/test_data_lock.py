"""The lock that keeps a second agent away from a data folder."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.state import DataLock


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def held(data_dir: Path) -> DataLock:
    lock = DataLock(data_dir)
    lock.hold()
    return lock


def test_a_second_agent_is_kept_out(data_dir: Path) -> None:
    lock = held(data_dir)

    with pytest.raises(AgentError) as caught:
        DataLock(data_dir).hold()

    lock.release()
    assert str(caught.value) == (
        f"another agent is running on {data_dir}, stop it or name another data_dir"
    )
    assert caught.value.exit_code == 1  # a service tries again: the other one may end


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

    with pytest.raises(AgentError, match="another agent"):
        held(data_dir)
    lock.release()


@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_a_lock_that_is_no_plain_file_is_said_and_holds_nobody_up(
    data_dir: Path, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    data_dir.mkdir()
    path = data_dir / "agent.lock"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "of somebody else")

    held(data_dir).release()

    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path} cannot be locked, remove it: ")
    assert not (tmp_path / "of somebody else").exists()
