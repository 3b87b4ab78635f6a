"""Files that root and members of the group make in the service's folders lock nobody out."""

import grp
import os
import stat
from pathlib import Path

import pytest

from agent.access import how_to_read
from agent.files import make_file, make_folders, whole_file

SERVICE = (64123, 64124)  # a user and a group that nobody has here
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")


def facts(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder of the service, or of a user with the same rights."""
    folder = tmp_path / "shared"
    folder.mkdir()
    if os.getuid() == 0:
        os.chown(folder, *SERVICE)
    folder.chmod(0o2770)
    return folder


def owner(folder: Path) -> tuple[int, int]:
    return folder.stat().st_uid, folder.stat().st_gid


def test_a_file_in_a_shared_folder_belongs_to_its_owner_and_is_the_groups_to_write(
    shared: Path,
) -> None:
    path = shared / "reports/plc/daily/one.csv"

    with whole_file(path) as stream:
        stream.write(b"x")

    assert facts(path)[:2] == owner(shared)
    assert facts(path)[2] & 0o660 == 0o660
    for folder in (path.parent, path.parent.parent):
        assert facts(folder)[:2] == owner(shared)
        assert facts(folder)[2] & 0o2770 == 0o2770


def test_an_empty_file_is_made_the_same_way_and_one_that_is_there_is_left(shared: Path) -> None:
    make_file(shared / "telemetry.db")
    (shared / "telemetry.db").write_text("mine")
    make_file(shared / "telemetry.db")

    assert (shared / "telemetry.db").read_text() == "mine"
    assert facts(shared / "telemetry.db")[:2] == owner(shared)
    assert facts(shared / "telemetry.db")[2] & 0o660 == 0o660


def test_in_an_ordinary_folder_the_umask_has_the_say(tmp_path: Path) -> None:
    wanted = os.getuid(), os.getgid()
    umask = os.umask(0o022)
    try:
        make_folders(tmp_path / "a/b")
        make_file(tmp_path / "a/b/c")
    finally:
        os.umask(umask)

    assert facts(tmp_path / "a/b") == (*wanted, 0o755)
    assert facts(tmp_path / "a/b/c") == (*wanted, 0o644)


@needs_root
def test_what_root_makes_in_the_folder_of_a_user_is_that_users(tmp_path: Path) -> None:
    os.chown(tmp_path, *SERVICE)

    with whole_file(tmp_path / "new/file") as stream:
        stream.write(b"x")

    assert facts(tmp_path / "new")[:2] == SERVICE
    assert facts(tmp_path / "new/file")[:2] == SERVICE


@needs_root
def test_who_may_not_read_a_file_of_a_group_is_told_how_to_join_it(tmp_path: Path) -> None:
    group = next(each for each in grp.getgrall() if each.gr_gid and "root" not in each.gr_mem)
    path = tmp_path / "agent.toml"
    path.touch()
    os.chown(path, 0, group.gr_gid)
    path.chmod(0o640)

    said = how_to_read(path)

    assert "put sudo before the command" in said
    assert f"usermod -aG {group.gr_name} root" in said


def test_of_a_file_that_is_closed_for_its_group_too_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o600)

    assert how_to_read(tmp_path / "file") == ""
