"""The disk in the check-up: its kind, its room, and what the kernel counts of its errors."""

import os
from pathlib import Path

import pytest

from agent.doctor.disk import check_disk
from agent.doctor.finding import Level
from agent.doctor.machine import Machine, Space, space_of
from agent.doctor.mounts import mount_of
from tests.doctor.machines import GB, Tree, bad, case_of, levels, machine_of

HOST = '[[device]]\nname = "host"\nkind = "host"\n'


def test_a_card_with_room_is_well(tree: Tree, tmp_path: Path) -> None:
    found = levels(check_disk(case_of(tree, HOST)))

    assert found == [
        ("ok", f"the data in {tmp_path}/data is on ext4 (/dev/mmcblk0p2 at /)"),
        ("ok", f"{tmp_path}: 20.0 GB of 32.0 GB free, 38 % used"),
    ]


@pytest.mark.parametrize(
    ("type_", "source", "options", "level", "part"),
    [
        ("tmpfs", "tmpfs", "rw", "problem", "in memory: all of it is lost at power off"),
        ("ext4", "/dev/zram1", "rw", "problem", "in memory"),
        ("tmpfs", "log2ram", "rw", "problem", "in memory"),
        ("ext4", "/dev/sda1", "ro,noatime", "problem", "read-only: nothing can be stored"),
        ("nfs4", "nas:/data", "rw", "warning", "over the network"),
        ("cifs", "//nas/data", "rw", "warning", "over the network"),
        ("fuse.sshfs", "pi@nas:", "rw", "warning", "over the network"),
        ("vfat", "/dev/sda1", "rw", "warning", "knows no owners"),
        ("exfat", "/dev/sda1", "rw", "warning", "after a power cut"),
        ("overlay", "overlay", "rw", "warning", "as with a read-only root"),
        ("btrfs", "/dev/sda1", "rw", "ok", "is on btrfs (/dev/sda1 at "),
    ],
)
def test_the_file_system_is_judged(
    tree: Tree, tmp_path: Path, type_: str, source: str, options: str, level: str, part: str
) -> None:
    tree.mount(tmp_path, type_, source, options)

    found = levels(check_disk(case_of(tree, HOST)))

    assert found[0][0] == level
    assert part in found[0][1]


def test_in_a_container_the_overlay_is_its_own_layer(tree: Tree, tmp_path: Path) -> None:
    tree.mount(tmp_path, "overlay")
    tree.write(".dockerenv", "")

    (finding,) = bad(check_disk(case_of(tree, HOST)))

    assert "gone when the container is removed" in finding.text


@pytest.mark.parametrize(
    ("space", "level"),
    [
        (Space(32 * GB, 4 * GB), Level.OK),
        (Space(32 * GB, 3 * GB), Level.WARNING),
        (Space(1 * GB, 150_000_000), Level.WARNING),
        (Space(32 * GB, 1_000_000), Level.PROBLEM),
        (Space(0, 0), Level.PROBLEM),
    ],
)
def test_little_room_is_told(tree: Tree, space: Space, level: Level) -> None:
    found = list(check_disk(case_of(tree, HOST, space=lambda _: space)))

    assert found[1].level is level


def test_how_much_may_be_used_the_configuration_says(tree: Tree) -> None:
    space = Space(32 * GB, 4 * GB)
    lower = f"[store]\nmax_disk_percent = 80\n{HOST}"

    (finding,) = bad(check_disk(case_of(tree, lower, space=lambda _: space)))

    assert "max_disk_percent in [store] is 80: the agent deletes the oldest" in finding.text


def test_a_file_system_without_room_for_files_is_told(tree: Tree) -> None:
    space = Space(32 * GB, 20 * GB, 1000, 5)

    (finding,) = bad(check_disk(case_of(tree, HOST, space=lambda _: space)))

    assert "room for 5 more files of 1000" in finding.text


def test_errors_that_ext4_has_counted_are_told(tree: Tree) -> None:
    tree.write("sys/devices/mmcblk0/mmcblk0p2/size", "1")
    (tree.root / "sys/dev/block").mkdir(parents=True)
    (tree.root / "sys/dev/block/179:2").symlink_to("../../devices/mmcblk0/mmcblk0p2")
    tree.write("sys/fs/ext4/mmcblk0p2/errors_count", "3\n")

    (finding,) = bad(check_disk(case_of(tree, HOST)))

    assert "ext4 has counted 3 errors" in finding.text


def test_without_a_configuration_it_is_the_folder_here(tree: Tree) -> None:
    assert levels(check_disk(case_of(tree)))[0][1].startswith("this folder in ")


def test_the_deepest_mount_counts_and_of_two_at_one_place_the_later(
    tree: Tree, tmp_path: Path
) -> None:
    tree.mount(tmp_path / "a b", "xfs")
    tree.mount(tmp_path / "a b", "btrfs")
    tree.mount(tmp_path / "a", "vfat")
    machine = machine_of(tree)

    found = [mount_of(machine, tmp_path / name) for name in ("a b/data", "a/x", "abc")]

    assert [each.type for each in found if each] == ["btrfs", "vfat", "ext4"]


def test_the_room_and_the_mount_of_this_machine_can_be_seen(tmp_path: Path) -> None:
    space = space_of(tmp_path)

    assert 0 < space.free <= space.total
    assert 0 <= space.used_percent <= 100
    assert mount_of(Machine(), tmp_path) is not None


def test_what_only_root_may_use_counts_as_neither_used_nor_free() -> None:
    assert Space(100, 45, reserved=10).used_percent == 50
    assert Space(100, 0, reserved=100).used_percent == 0


def test_the_share_in_use_is_the_one_that_df_shows(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    used = found.f_blocks - found.f_bfree

    percent = space_of(tmp_path).used_percent

    assert percent == pytest.approx(100 * used / (used + found.f_bavail), abs=1)
