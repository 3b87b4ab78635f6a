"""The folder that the one file unpacks itself to at each start: in memory, not on the card."""

import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from agent.console.table import size_text
from agent.doctor.case import Case
from agent.doctor.disk import existing
from agent.doctor.finding import Finding, note, ok, warning
from agent.doctor.mounts import mount_of
from agent.service.build import BUILD_FILE
from agent.service.leftovers import NAME

SHOWN = 3
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
        many = "a folder" if len(left) == 1 else f"{len(left)} folders"
        text = f"{many} of killed agents, {size_text(size)}: {left[0]}"
        first = f", the first {SHOWN}" if len(left) > SHOWN else ""
        words = " ".join(quote(str(each)) for each in left[:SHOWN])
        fix = f"agent run of the one file removes them; or by hand{first}: rm -r {words}"
        yield note(f"{text}{' and so on' if left[1:] else ''}", fix)


def _left(case: Case) -> Iterator[Path]:
    """Folders of agents that are gone and that no process runs from."""
    used = set(_used(case))
    for folder in LEFT_FOLDERS:
        for each in sorted(case.machine.at(folder).glob("_MEI*")):
            if _is_left_over(case, each) and not any(p.startswith(f"{each}/") for p in used):
                yield each


def _is_left_over(case: Case, path: Path) -> bool:
    """As agent/service/leftovers.py tells them, which removes them."""
    name = NAME.fullmatch(path.name)
    if name is None or case.machine.has(f"/proc/{int(name[1], 16)}"):
        return False
    try:
        status = path.lstat()  # who uses those of others can't be seen
        is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == case.machine.uid
        return is_ours and (path / BUILD_FILE).is_file()
    except OSError:
        return False


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
