"""Gives free pages of the file back to the file system, as holes in it; nothing is moved.

A free page has no content that SQLite would read: only the list of free pages tells of it. That
list is read here from the file itself, which is as good as SQLite's own view of it while all of the
log is written back and nobody writes. Whoever reads the file then reads its newest state too: a
reader of an older one keeps the log from being written back.
"""

import ctypes
import errno
import fcntl
import os
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from agent.store.replacing import Transact
from agent.store.room import SECTOR_BYTES
from agent.store.writer import Writer

KEEP_SIZE, PUNCH_HOLE = 1, 2  # linux/falloc.h
MAGIC = b"SQLite format 3\0"
HEADER = struct.Struct(">16sH")
FREE_LIST = struct.Struct(">II")  # its first page, and how many pages are in it
FREE_LIST_AT = 32
PAGES_LIMIT = 1 << 18  # free pages that are looked at in one step
# Of one step at most: making a hole takes 3 ms, and the store writes nothing meanwhile.
STEP_BYTES, STEP_HOLES = 4 << 20, 32
UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV, errno.ENOTTY)
OWN_FILES = Path("/proc/self/fd")


class NoHolesError(Exception):
    """The file system can't take room back from inside of a file."""


class Holes:
    """Makes holes in a file, some at once; ``transact`` is the store's.

    Raises:
        NoHolesError: From ``give_back``: it never will.
        StoreError: From there, too: the file can't be written now.
        sqlite3.Error: Or it can't be read.
    """

    def __init__(self, path: Path, transact: Transact) -> None:
        self._path = path
        self._transact = transact
        self._made: set[int] = set()  # where those begin that were made since ``forget``

    def forget(self) -> None:
        """From now on the free pages are others."""
        self._made.clear()

    def give_back(self, wanted_bytes: int, kept_bytes: int) -> int | None:
        """How many bytes the file system has back; with 0 there is nothing more to be had.

        ``None`` while somebody writes the file or reads an older state of it: later, then. The
        ``kept_bytes`` that are to be used again next are left alone, if there are others.
        """
        with closing(self._connect()) as watching:
            seen = _version(watching)
            if not _write_back(watching):
                return None

            def punch(writer: Writer) -> int | None:
                file = own_descriptor(self._path)
                if file is None or _version(watching) != seen:
                    return None
                return self._punch(writer, file, min(wanted_bytes, STEP_BYTES), kept_bytes)

            return self._transact(punch)

    def write_back(self) -> bool:
        """Empty the log, which is then written over from its start; whether that could be done."""
        with closing(self._connect()) as connection:
            return _write_back(connection)

    def _connect(self) -> sqlite3.Connection:
        uri = f"file:{quote(bytes(self._path))}?mode=rw"
        return sqlite3.connect(uri, uri=True, isolation_level=None)

    def _punch(self, writer: Writer, file: int, wanted_bytes: int, kept_bytes: int) -> int | None:
        magic, page_bytes = HEADER.unpack_from(head := os.pread(file, 100, 0))
        page_bytes = 65536 if page_bytes == 1 else page_bytes
        first, count = FREE_LIST.unpack_from(head, FREE_LIST_AT)
        (known,) = writer.connection.execute("PRAGMA freelist_count").fetchone()
        if magic != MAGIC or count != known:
            return None
        pages = [*_free_pages(file, first, page_bytes)]
        unit = max(page_bytes, os.fstatvfs(file).f_bsize)
        # What is first in the list is used first.
        kept = min(kept_bytes // page_bytes, len(pages) // 2)
        gave = holes = 0
        before = os.fstat(file).st_blocks
        for start, end in _stretches(pages[kept:], page_bytes, unit):
            if start in self._made:
                continue
            _make_hole(file, start, end - start)
            self._made.add(start)
            gave = max(0, before - os.fstat(file).st_blocks) * SECTOR_BYTES
            holes += 1
            if gave >= wanted_bytes or (gave and holes >= STEP_HOLES):
                break
        return gave


def _write_back(connection: sqlite3.Connection) -> bool:
    _, pages, written_back = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(pages == written_back)


def _version(connection: sqlite3.Connection) -> int:
    """Differs once another connection has written."""
    (found,) = connection.execute("PRAGMA data_version").fetchone()
    return int(found)


def own_descriptor(path: Path) -> int | None:
    """SQLite's own way to the file.

    Opening it once more is no way: when that is closed, the kernel takes all locks of this process
    on the file away. Those that write are known not to be closed meanwhile.
    """
    wanted = path.stat()
    for each in OWN_FILES.iterdir():
        try:
            found = os.fstat(int(each.name))
            flags = fcntl.fcntl(int(each.name), fcntl.F_GETFL)
        except OSError:  # it was closed
            continue
        is_it = (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)
        if is_it and flags & os.O_ACCMODE == os.O_RDWR:
            return int(each.name)
    return None


def _free_pages(file: int, first: int, page_bytes: int) -> Iterator[int]:
    """The numbers of free pages, but for those that the list itself lies on."""
    seen: set[int] = set()
    while first and first not in seen and len(seen) * page_bytes // 4 < PAGES_LIMIT:
        seen.add(first)
        page = os.pread(file, page_bytes, (first - 1) * page_bytes)
        first, count = FREE_LIST.unpack_from(page)
        yield from struct.unpack_from(f">{count}I", page, FREE_LIST.size)


def _stretches(pages: Sequence[int], page_bytes: int, unit: int) -> Iterator[tuple[int, int]]:
    """Whole blocks of the file system in which only free pages lie, those listed last first.

    >>> [*_stretches([2, 3, 4, 5, 6, 7, 8, 9], 1024, 4096)]
    [(4096, 8192)]
    """
    free = set(pages)
    for page in reversed(pages):
        if page not in free:
            continue
        low = high = page
        while low - 1 in free:
            low -= 1
        while high + 1 in free:
            high += 1
        free.difference_update(range(low, high + 1))
        start = -(-(low - 1) * page_bytes // unit) * unit
        end = high * page_bytes // unit * unit
        if start < end:
            yield start, end


def allocate(file: int, mode: int, start: int, size: int) -> None:
    """What the kernel does with blocks of a file, for ``mode`` see above.

    Raises:
        OSError: One of ``UNSUPPORTED`` where this kind of file system can't do that.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # With offsets of 64 bits also on machines of 32; musl has no other.
    fallocate = getattr(libc, "fallocate64", None) or libc.fallocate
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if fallocate(file, mode, start, size):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _make_hole(file: int, start: int, size: int) -> None:
    try:
        allocate(file, KEEP_SIZE | PUNCH_HOLE, start, size)
    except OSError as exc:
        if exc.errno in UNSUPPORTED:
            raise NoHolesError(exc.strerror) from exc
        raise
