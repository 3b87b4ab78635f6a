"""How much room there is on the file system, and how much of it the store takes up."""

import os
import sqlite3
from pathlib import Path

import attrs

SECTOR_BYTES = 512  # what st_blocks counts, whatever the file system
FILE_UNIT = 4096  # of the usual file systems; blocks behind the end of a file are more than that
LOG_END = "-wal"


@attrs.frozen
class Room:
    """A file system as ``df`` sees it, in bytes."""

    total: int
    usable: int  # for ordinary users, used or not
    free: int  # for ordinary users

    @property
    def used_percent(self) -> float:
        """How full it is."""
        return 100 * (1 - self.free / self.usable) if self.usable else 0.0

    def over(self, percent: float) -> int:
        """By how many bytes more than that is used; below it a negative number."""
        return round(self.usable * (1 - percent / 100)) - self.free


@attrs.frozen
class Held:
    """What a store takes up, in bytes. Free pages that were given back lie in holes of its file."""

    page: int
    length: int  # of the file, as ``ls`` shows it once all of the log is written back
    on_disk: int  # of the file, as ``du`` shows it then
    log: int
    free: int  # pages of the file that are not in use
    stuck: int = 0  # free pages in pieces that are too small to be given back
    ahead: int = 0  # of the file behind its end: see reserve.py

    @property
    def taken(self) -> int:
        """What the file system would have more without the store."""
        return self.on_disk + self.ahead + self.log

    @property
    def reusable(self) -> int:
        """What is free within ``taken``: new samples go there, or it can be given back."""
        return max(0, self.free - max(0, self.length - self.on_disk) - self.stuck)

    @property
    def in_use(self) -> int:
        """What is not free."""
        return self.taken - self.reusable


def room_of(folder: Path) -> Room:
    """How much room there is where a folder lies.

    Raises:
        OSError: It is not there.
    """
    found = os.statvfs(folder)
    unit = found.f_frsize
    usable = found.f_blocks - found.f_bfree + found.f_bavail
    return Room(found.f_blocks * unit, usable * unit, found.f_bavail * unit)


def held_by(connection: sqlite3.Connection, path: Path, ahead: int = 0) -> Held:
    """What the store takes up that a connection leads to.

    What its file has in advance need not be known where that has no holes.

    Raises:
        OSError: Its file is not there.
    """
    page, pages, free = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    file = path.stat()
    length = max(pages * page, file.st_size)
    whole = length + -length % FILE_UNIT  # of a file without holes
    found = file.st_blocks * SECTOR_BYTES + length - file.st_size
    ahead = max(ahead, found - whole)
    try:
        log = path.with_name(path.name + LOG_END).stat().st_blocks * SECTOR_BYTES
    except FileNotFoundError:
        log = 0
    return Held(page, length, found - ahead, log, free * page, ahead=ahead)
