"""The disk or card that data is kept on: its kind, its room, its health."""

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Final

from agent.config.schema import StoreSection
from agent.console.table import size_text
from agent.doctor.case import Case
from agent.doctor.finding import Finding, note, ok, problem, warning
from agent.doctor.machine import Machine
from agent.doctor.mounts import NETWORK, SIMPLE, Mount, mount_of
from agent.words import counted

LITTLE: Final = 200_000_000  # bytes; logs and an upgrade need some
NONE_LEFT: Final = 20_000_000
MOVE: Final = "name a data_dir in [agent] that is on the card or on a disk of this machine"


def check_disk(case: Case) -> Iterator[Finding]:
    """Where the data is; without a configuration, where this command runs."""
    folder = existing(case.data_dir or Path.cwd())
    mount = mount_of(case.machine, folder)
    what = "the data" if case.data_dir is not None else "this folder"
    if mount is None:
        yield note(f"which file system {folder} is on can't be seen")
    else:
        yield from _file_system(case, mount, f"{what} in {case.data_dir or folder}")
    yield from _room(case, folder)
    if mount is not None:
        yield from _errors(case.machine, mount)


def max_percent(case: Case) -> float:
    """How full the file system may be, as the configuration says; without one, as by default."""
    return (StoreSection() if case.config is None else case.config.store).max_disk_percent


def existing(path: Path) -> Path:
    """A folder itself, links followed; what of the way to it there is, where it is missing."""
    path = Path(os.path.realpath(path))
    while path != path.parent and not os.access(path, os.F_OK):
        path = path.parent
    return path


def _file_system(case: Case, mount: Mount, what: str) -> Iterator[Finding]:
    where = f"{what} is on {mount.type} ({mount.source} at {mount.point})"
    if mount.is_read_only:
        yield problem(
            f"{where}, which is read-only: nothing can be stored",
            f"after errors on the card? see: dmesg | tail; then: sudo mount -o remount,rw "
            f"{quote(mount.point)}; if it is so on purpose, {MOVE}",
        )
    elif mount.is_memory:
        yield problem(f"{where}, in memory: all of it is lost at power off", MOVE)
    elif mount.type in NETWORK:
        yield warning(f"{where}, over the network: locks and power cuts are not safe there", MOVE)
    elif mount.type in SIMPLE:
        text = f"{where}: after a power cut it may be damaged, and it knows no owners"
        yield warning(text, "use a disk with ext4 for data_dir")
    elif mount.type == "overlay":
        yield _overlay(case, where)
    else:
        yield ok(where)


def _overlay(case: Case, where: str) -> Finding:
    if is_container(case.machine):
        text = f"{where}, the container's own layer: it is gone when the container is removed"
        return warning(text, "give the container a volume for data_dir")
    text = f"{where}, as with a read-only root: it may be gone at the next start"
    return warning(text, "put data_dir on a partition that is mounted read-write")


def is_container(machine: Machine) -> bool:
    """Whether the system is a container, as far as the usual marks tell."""
    marks = ("/run/systemd/container", "/.dockerenv", "/run/.containerenv")
    return any(machine.has(mark) for mark in marks)


def _room(case: Case, folder: Path) -> Iterator[Finding]:
    space = case.machine.space(folder)
    free = f"{size_text(space.free)} of {size_text(space.total)} free"
    text = f"{folder}: {free}, {space.used_percent:.0f} % used"
    fix = (
        "delete what is not needed, see: sudo du -xh / | sort -h | tail; "
        "or let retention_days or max_size_mb in [store] be less"
    )
    if space.free < NONE_LEFT:
        yield problem(f"{text}: samples can't be stored for long", fix)
    elif space.used_percent >= max_percent(case):
        limit = f"max_disk_percent in [store] is {max_percent(case):g}"
        yield warning(f"{text}; {limit}: the agent deletes the oldest samples for that", fix)
    elif space.free < LITTLE:
        yield warning(text, fix)
    else:
        yield ok(text)
    if space.files and space.files_free < space.files / 100:
        text = f"{folder}: room for {space.files_free} more files of {space.files}"
        yield warning(text, "delete many small files, such as old reports: keep_days in [reports]")


def _errors(machine: Machine, mount: Mount) -> Iterator[Finding]:
    """Ext4 counts what went wrong since it was made; other file systems do not tell."""
    name = (machine.at("/sys/dev/block") / mount.number).resolve().name
    count = machine.number(f"/sys/fs/ext4/{name}/errors_count")
    if count:
        errors = counted(count, "error")
        yield warning(
            f"{mount.source}: ext4 has counted {errors}, the card or disk may be dying",
            "make a backup now; then look with: sudo dmesg | grep -i ext4",
        )
