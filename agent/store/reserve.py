"""Room that the store has in advance, so that a disk which is full at once stops no commit.

The oldest samples can make room for the newest only by way of the log, and what is new in the log
has to find its place in the file. Both have blocks of the file system for that behind their ends,
which nobody else can take; their lengths stay as they are.
"""

import logging
import os
from pathlib import Path

from agent.store.holes import KEEP_SIZE, UNSUPPORTED, allocate, own_descriptor
from agent.store.log_file import log_bytes_within
from agent.store.room import LOG_END, SECTOR_BYTES
from agent.store.writer import Writer

log = logging.getLogger(__name__)

# More than a large home writes in the two minutes until samples begin to go.
FILE_BYTES, LOG_BYTES = 1 << 20, 2 << 20


class Reserve:
    """Kept by whoever looks at the room each minute; ``max_size_mb`` is the store's limit."""

    def __init__(self, path: Path, max_size_mb: int | None) -> None:
        self._path = path
        limit = log_bytes_within(max_size_mb)
        self._file_bytes, self._log_bytes = min(FILE_BYTES, limit), min(LOG_BYTES, limit)
        self._end = 0  # of the room that the file has, and what it had then
        self._had = 0
        self._is_possible = True

    def keep(self, writer: Writer) -> None:
        """Have some more, where there is less than half; called in a transaction.

        Where the disk is full already, or can't do this, there is none.
        """
        if not self._is_possible:
            return
        try:
            self._keep_file(writer)
            self._keep_log()
        except OSError as exc:
            self._is_possible = exc.errno not in UNSUPPORTED
            log.debug("%s has no room in advance: %s", self._path, exc)

    @property
    def ahead(self) -> int:
        """How many bytes the file takes up behind its end, more or less."""
        return max(0, self._end - self._path.stat().st_size)

    def _keep_file(self, writer: Writer) -> None:
        (pages,) = writer.connection.execute("PRAGMA page_count").fetchone()
        (page,) = writer.connection.execute("PRAGMA page_size").fetchone()
        file = own_descriptor(self._path)
        if file is None:
            return
        found = os.fstat(file)
        end = max(pages * page, found.st_size) + self._file_bytes
        # Having written back its log, SQLite cuts the file to its length, and this off with that.
        is_cut = found.st_blocks * SECTOR_BYTES < self._had
        if not is_cut and end - self._end <= self._file_bytes // 2:
            return
        self._end = 0
        allocate(file, KEEP_SIZE, found.st_size, end - found.st_size)
        self._end, self._had = end, os.fstat(file).st_blocks * SECTOR_BYTES

    def _keep_log(self) -> None:
        path = self._path.with_name(self._path.name + LOG_END)
        if path.stat().st_blocks * SECTOR_BYTES >= self._log_bytes // 2:
            return
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            allocate(handle, KEEP_SIZE, 0, self._log_bytes)
        finally:
            os.close(handle)
