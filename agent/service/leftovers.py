"""Folders of the one file whose program was killed: they are in memory, and nobody removes them."""

import logging
import os
import re
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from agent.service.build import BUILD_FILE, unpacked_folder

log = logging.getLogger(__name__)

# Source: PyInstaller 6, bootloader/src/pyi_utils_posix.c: the number of the process, six letters.
NAME = re.compile(r"_MEI([0-9a-f]{8})[A-Za-z0-9]{6}")


def remove_leftovers(folder: Path | None = None, processes: Path = Path("/proc")) -> list[Path]:
    """Remove what killed programs of this user left where this one was unpacked; what went.

    A folder is left over when it is the agent's, the process that made it is gone, and none that
    can be seen uses it: the program goes on when only its bootloader was killed.
    """
    if folder is None:
        inside = unpacked_folder()
        if inside is None or not NAME.fullmatch(inside.name):
            return []
        folder = inside.parent
    found = [path for path in folder.glob("_MEI*") if _is_left_over(path, processes)]
    if not found:
        return []
    used = _used(found, processes)
    gone = []
    for path in found:
        if path in used:
            continue
        try:
            shutil.rmtree(path)
        except OSError as exc:
            log.debug("cannot remove %s: %s", path, exc.strerror)
            continue
        log.info("removed %s, which a killed agent had left", path)
        gone.append(path)
    return gone


def _is_left_over(path: Path, processes: Path) -> bool:
    name = NAME.fullmatch(path.name)
    if name is None or (processes / str(int(name[1], 16))).exists():
        return False
    try:
        found = path.lstat()
    except OSError:
        return False
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return is_ours and (path / BUILD_FILE).is_file()


def _used(folders: Iterable[Path], processes: Path) -> set[Path]:
    """Those folders that a process has libraries of in its memory."""
    wanted = {os.fsencode(path) + b"/": path for path in folders}
    used = set()
    for maps in processes.glob("[0-9]*/maps"):
        try:
            content = maps.read_bytes()
        except OSError:
            continue  # it ended, or belongs to somebody else
        used |= {path for text, path in wanted.items() if text in content}
    return used
