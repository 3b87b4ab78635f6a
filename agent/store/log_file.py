"""The log beside the file (SQLite's WAL): it has its size early, keeps it, and is not held long."""

import logging
import os
import sqlite3
from pathlib import Path

log = logging.getLogger(__name__)

# With so many it is written back into the file, and over from its start. What was written more than
# once until then, as what was sealed in between, goes into the file once: with 4 MiB, five kinds of
# device have 40 MB more a day written.
LOG_BYTES = 16 * 1024 * 1024
SHARE = 10  # of the most that the store may take up
STEP_BYTES = 128 * 1024
LIMIT_BYTES = 64 * 1024 * 1024  # a log that grew so long is not written back


def log_bytes_within(max_size_mb: int | None) -> int:
    """How long the log of a store may become.

    >>> log_bytes_within(None), log_bytes_within(10)
    (16777216, 1048576)
    """
    return LOG_BYTES if max_size_mb is None else min(LOG_BYTES, max_size_mb * 2**20 // SHARE)


def limit_log(connection: sqlite3.Connection, log_bytes: int) -> None:
    """Have it written back in time; what a reader made longer is cut once it is over."""
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA wal_autocheckpoint = {log_bytes // page_bytes}")
    connection.execute(f"PRAGMA journal_size_limit = {2 * log_bytes}")


class LogFile:
    """Looked after between two commits.

    A commit that makes the log longer has the file system write of that, too: 27 kB reach the disk
    and not 8. So the log is made longer by many commits' worth at once. What stands behind its last
    page means nothing to SQLite, and zeros least of all.
    """

    def __init__(self, path: Path, log_bytes: int) -> None:
        self._path = path.with_name(f"{path.name}-wal")
        self._log_bytes = log_bytes
        self._size_bytes: int | None = None

    def tend(self, connection: sqlite3.Connection) -> bool:
        """Lengthen it where it has grown; whether it is too long, as a reader needs it.

        Raises:
            sqlite3.Error: The file can't be read.
        """
        try:
            size_bytes = self._path.stat().st_size
            # One that an earlier run made long is not known to be full.
            is_full = size_bytes < STEP_BYTES or size_bytes > (self._size_bytes or size_bytes)
            if is_full and 0 < size_bytes < self._log_bytes + STEP_BYTES:
                size_bytes = self._lengthen()
        except OSError as exc:
            log.debug("%s: %s", self._path, exc)  # a commit will say what is wrong
            return False
        self._size_bytes = size_bytes
        if size_bytes <= LIMIT_BYTES:
            return False
        _, pages, written_back = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return bool(written_back < pages)

    def _lengthen(self) -> int:
        # At its end, wherever that is by now: another program may write the file as well.
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.write(handle, bytes(STEP_BYTES))
            return os.fstat(handle).st_size
        finally:
            os.close(handle)
