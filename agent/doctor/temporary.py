"""The folder that the one file unpacks itself to at each start: in memory, not on the card."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from agent.console.table import size_text
from agent.doctor.case import Case
from agent.doctor.disk import existing
from agent.doctor.finding import Finding, note, ok, warning
from agent.doctor.mounts import mount_of

SHOWN = 10
OLD_S = 3600  # a younger one may be of a program that is about to start
LEFT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - looked into, not written


def check_temporary(case: Case) -> Iterator[Finding]:
    """Where this program unpacked itself, and what killed ones left behind."""
    folder = case.machine.unpacked
    if folder is None:
        yield ok("this program runs from source: it unpacks nothing")
    elif folder.name == "_internal":
        yield ok(f"this program runs from {folder.parent}: it unpacks nothing")
    else:
        mount = mount_of(case.machine, existing(folder))
        where = f"{mount.type} at {mount.point}" if mount is not None else "an unknown file system"
        text = f"this start unpacked itself to {folder}, on {where}"
        if mount is not None and mount.is_memory:
            yield ok(text)
        else:
            yield warning(
                f"{text}: each start writes so much to the disk",
                "agent install-service makes a copy that unpacks nothing; or set TMPDIR=/dev/shm",
            )
    left = [each for each in _left(case) if each != folder]
    if left:
        size = sum(_size(each) for each in left)
        many = (
            "a folder of a killed program"
            if len(left) == 1
            else (f"{len(left)} folders of killed programs")
        )
        text = f"{many}, {size_text(size)}: {left[0]}{' and so on' if left[1:] else ''}"
        yield note(text, f"rm -r {' '.join(quote(str(each)) for each in left[:SHOWN])}")


def _left(case: Case) -> Iterator[Path]:
    """Folders with a name that the unpacking gives, and no process that runs from them."""
    used = set(_used(case))
    for folder in LEFT_FOLDERS:
        for each in sorted(case.machine.at(folder).glob("_MEI*")):
            status = each.lstat()
            if status.st_uid != case.machine.uid or not each.is_dir():
                continue  # who uses those of others can't be seen
            if case.machine.clock.now_ms() / 1000 - status.st_mtime < OLD_S:
                continue
            if not any(path.startswith(f"{each}/") for path in used):
                yield each


def _used(case: Case) -> Iterator[str]:
    for maps in case.machine.at("/proc").glob("[0-9]*/maps"):
        try:
            for line in maps.read_text("utf-8", "replace").splitlines():
                if "/_MEI" in line:
                    yield line[line.index("/") :]
        except (OSError, ValueError):  # it ended, or belongs to another user
            continue


def _size(folder: Path) -> int:
    total = 0
    for each in folder.rglob("*"):
        try:
            total += each.lstat().st_size
        except OSError:
            continue
    return total
