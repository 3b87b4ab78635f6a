"""Folders in memory that killed programs leave are removed, those in use are not."""

import os
from pathlib import Path

import pytest

from agent.service.leftovers import remove_leftovers

NAME = "_MEI0000abcdQwErTy"  # made by process 43981


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    (tmp_path / "proc" / "1").mkdir(parents=True)
    (tmp_path / "proc" / "1" / "maps").write_text("7f00 r-xp /usr/lib/libc.so.6\n")
    return tmp_path / "proc"


def unpacked(folder: Path, name: str = NAME, *, marked: bool = True) -> Path:
    path = folder / name
    path.mkdir()
    (path / ("build.json" if marked else "other.json")).write_text("{}")
    return path


def test_a_folder_whose_process_is_gone_is_removed(tmp_path: Path, processes: Path) -> None:
    path = unpacked(tmp_path)

    assert remove_leftovers(tmp_path, processes) == [path]
    assert not path.exists()


def test_a_folder_whose_process_runs_is_left_alone(tmp_path: Path, processes: Path) -> None:
    path = unpacked(tmp_path)
    (processes / "43981").mkdir()

    assert remove_leftovers(tmp_path, processes) == []
    assert path.exists()


def test_a_folder_is_left_alone_while_a_program_runs_from_it(
    tmp_path: Path, processes: Path
) -> None:
    path = unpacked(tmp_path)
    (processes / "77").mkdir()
    (processes / "77" / "maps").write_text(f"7f00 r-xp {path}/libpython3.11.so.1.0\n")

    assert remove_leftovers(tmp_path, processes) == []
    assert path.exists()


@pytest.mark.parametrize("name", ["_MEI0000abcd", "_MEI0000abcdQwErTyU", "MEI0000abcdQwErTy", "x"])
def test_folders_of_other_names_are_left_alone(name: str, tmp_path: Path, processes: Path) -> None:
    unpacked(tmp_path, name)

    assert remove_leftovers(tmp_path, processes) == []


def test_folders_of_other_programs_are_left_alone(tmp_path: Path, processes: Path) -> None:
    unpacked(tmp_path, marked=False)

    assert remove_leftovers(tmp_path, processes) == []


def test_a_link_is_not_followed(tmp_path: Path, processes: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "build.json").write_text("{}")
    (tmp_path / NAME).symlink_to(elsewhere)

    assert remove_leftovers(tmp_path, processes) == []
    assert (elsewhere / "build.json").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_folders_of_other_users_are_left_alone(tmp_path: Path, processes: Path) -> None:
    os.chown(unpacked(tmp_path), 12345, 12345)

    assert remove_leftovers(tmp_path, processes) == []


def test_from_source_there_are_none(processes: Path) -> None:
    assert remove_leftovers(None, processes) == []
