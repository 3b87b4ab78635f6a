"""What of a folder is the agent's own: known by its name, since folders may have other things."""

import os
import re
import stat
from pathlib import Path

from agent.state import LOCK_NAME

STORE = "telemetry.db"
STORE_PARTS = ("", "-wal", "-shm", "-journal")
STAND_IN = re.compile(r"^telemetry-\d+\.db")
# Roll-ups as agent.reports names them, what tells of them, and what is left of a power cut.
REPORT = re.compile(
    r"\.?\d{4}-\d\d-\d\d(T\d{4,6})?_[\w:+-]+\.(csv|manifest\.json)(\.[0-9a-f]+\.tmp)?"
)


def is_report(name: str) -> bool:
    """Whether a file of that name is a roll-up, or belongs to one.

    >>> [is_report(name) for name in ("2026-11-20_daily.csv", "2026-11-20_daily.manifest.json")]
    [True, True]
    >>> is_report("photo.jpg")
    False
    """
    return REPORT.fullmatch(name) is not None


def is_data(name: str) -> bool:
    """Whether a file of that name in a data folder is the store, belongs to it, or is the lock."""
    # Beside a newer agent's file there is one with a number, of the format that it has.
    store = STAND_IN.sub(STORE, name)
    of_store = store.startswith(f"{STORE}.") or store in {f"{STORE}{end}" for end in STORE_PARTS}
    return of_store or name == LOCK_NAME


def data_files(folder: Path) -> list[Path]:
    """The files of that kind that are there."""
    return sorted(path for path in folder.iterdir() if is_data(path.name))


def has_reports(folder: Path) -> bool:
    """Whether there is one in a folder, or in those inside."""
    return any(is_report(name) for _, _, names in os.walk(folder) for name in names)


def remove_reports(folder: Path) -> None:
    """Remove all reports in a folder and in those inside, and the folders that are empty then."""
    _remove_reports(folder.name, os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY))


def _remove_reports(name: str, parent: int) -> None:
    """In the folder ``name`` of an open one, which is closed; no link is followed."""
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            return
        handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            for inside in os.listdir(handle):  # noqa: PTH208 - of an open folder
                if is_report(inside):
                    os.unlink(inside, dir_fd=handle)
                else:
                    _remove_reports(inside, os.dup(handle))
            is_empty = not os.listdir(handle)  # noqa: PTH208
        finally:
            os.close(handle)
        if is_empty:
            os.rmdir(name, dir_fd=parent)
    finally:
        os.close(parent)
