"""Bytes of a file that may lie on a disk with bad sectors: what can't be read, is zero."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from agent.clock import Deadline
from agent.closing import Closing

IsLate = Callable[[], bool]

SECTOR_BYTES = 4096
UNREADABLE = (errno.EIO, errno.EILSEQ, errno.ENODATA, getattr(errno, "EUCLEAN", errno.EIO))


class RawFile(Closing):
    """An open file, read past SQLite; use as a context manager.

    Not for a file that SQLite has open in this process: to close it takes away the locks that
    SQLite holds on it (POSIX says so), and another program might then remove its log.

    Raises:
        OSError: From the constructor, where it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        # Not open_plain(): data_dir may have a link to a file on a larger disk.
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self.size_bytes = os.fstat(self._handle).st_size

    def close(self) -> None:
        """Close it; once."""
        os.close(self._handle)

    def read(self, at: int, size: int) -> bytes:
        """``size`` bytes from ``at`` on, fewer at the end of the file."""
        try:
            return os.pread(self._handle, size, at)
        except OSError as exc:
            if exc.errno not in UNREADABLE:
                raise
        size = max(0, min(size, self.size_bytes - at))
        if size <= SECTOR_BYTES and at // SECTOR_BYTES == (at + size - 1) // SECTOR_BYTES:
            return bytes(size)
        first = SECTOR_BYTES - at % SECTOR_BYTES
        pieces = [self.read(at, min(first, size))]
        pieces += [
            self.read(start, min(SECTOR_BYTES, at + size - start))
            for start in range(at + first, at + size, SECTOR_BYTES)
        ]
        return b"".join(pieces)


def late_after(timeout_s: float) -> IsLate:
    """Tells whether so much time has gone by."""
    deadline = Deadline(timeout_s)

    def is_late() -> bool:
        try:
            deadline.left_s()
        except TimeoutError:
            return True
        return False

    return is_late
