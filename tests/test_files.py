"""Files appear whole or not at all."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.files import TEMPORARY, sync_folder, whole_file


@pytest.fixture
def umask() -> Iterator[None]:
    """Files are for their owner, and for reading for the group."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def write(path: Path, content: bytes) -> None:
    with whole_file(path) as stream:
        stream.write(content)


def fail_to_write(path: Path, error: type[BaseException]) -> None:
    with whole_file(path) as stream:
        stream.write(b"new")
        raise error


def test_a_file_appears_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.csv"

    write(path, b"content")

    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_not_there_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"

    with whole_file(path) as stream:
        stream.write(b"half")
        stream.flush()
        (beside,) = tmp_path.iterdir()

    assert beside.name.startswith(".c.csv.")
    assert beside.name.endswith(TEMPORARY)


def test_a_file_that_is_there_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write(path, b"old")

    with whole_file(path) as stream:
        stream.write(b"new")
        stream.flush()
        meanwhile = path.read_bytes()

    assert (meanwhile, path.read_bytes()) == (b"old", b"new")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "c.csv"
    write(path, b"old")

    with pytest.raises(error):
        fail_to_write(path, error)

    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_a_folder_in_the_way_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.mkdir()

    with pytest.raises(IsADirectoryError):
        write(path, b"new")

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("umask")
def test_a_file_has_the_mode_that_the_user_wants(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"

    write(path, b"content")

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.usefixtures("umask")
def test_many_at_once_leave_the_umask_alone(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.csv" for number in range(64)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: write(path, b"content"), paths))

    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o640}
    assert os.umask(0o027) == 0o027


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120 + ".csv")

    write(path, b"content")

    assert path.read_bytes() == b"content"


def test_a_folder_can_be_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)


def test_a_folder_whose_file_system_cannot_sync_is_no_error() -> None:
    sync_folder(Path("/proc/self"))
