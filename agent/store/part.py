"""One file of the journal: a head that says whose it is, a mark, and records after it."""

import errno
import json
import os
import secrets
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import attrs

from agent.clock import Clock
from agent.errors import StoreError
from agent.store.memory import MemoryFolder
from agent.store.records import Encoder, framed, frames
from agent.store.waiting import Dropped
from agent.store.witness import COLUMNS, Witness

MAGIC = b"AGNTWAIT"
VERSION = 1
PREFIX = struct.Struct("<8sI")
MARK = struct.Struct("<BqI")  # number of the table, from 1, key, checksum; then a CRC-32
MARK_AT = PREFIX.size
HEAD_AT = 32
MARKED_TABLES = tuple(COLUMNS)  # by their numbers
READ_LIMIT = 1 << 30  # bytes of a file that somebody else put there
PIECES = 1000  # that writev(2) takes are 1,024
END = ".part"


@attrs.frozen
class Run:
    """A run of the agent, as a part of it names it."""

    boot_id: str
    path: str  # of the store's file
    start_ms: int
    started_s: float  # on the monotonic clock
    version: str
    token: str  # tells runs apart that began in one millisecond

    @classmethod
    def of(cls, path: Path, clock: Clock, start_ms: int, version: str) -> "Run":
        """This run."""
        token = secrets.token_hex(8)
        real = os.path.realpath(path)
        return cls(clock.boot_id, real, start_ms, clock.monotonic(), version, token)


class Part:
    """A part that is open. ``live`` is how many of its events are neither stored nor dropped."""

    def __init__(
        self, folder: MemoryFolder, number: int, handle: int, run: Run, size_bytes: int
    ) -> None:
        self.folder = folder
        self.number = number
        self.run = run
        self.size_bytes = size_bytes
        self.live = 0
        self.lost: dict[str, Dropped] = {}  # what of it, and of parts that it stands for, is gone
        self.encoder: Encoder | None = None
        self._handle = handle
        self._is_open = True

    @property
    def name(self) -> str:
        """Of its file."""
        return _name(self.number)

    def write(self, pieces: Sequence[bytes]) -> None:
        """Add records at the end, all of them or nothing.

        Raises:
            OSError: There is no room.
        """
        if len(pieces) > PIECES:
            pieces = [b"".join(pieces)]
        wanted = sum(map(len, pieces))
        written = 0
        try:
            written = os.writev(self._handle, pieces)
        finally:
            if written != wanted:
                os.ftruncate(self._handle, self.size_bytes)
                os.lseek(self._handle, self.size_bytes, os.SEEK_SET)
        if written != wanted:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.size_bytes += wanted

    def mark(self, witness: Witness) -> None:
        """All of it is in the store's file once that row is there."""
        body = MARK.pack(MARKED_TABLES.index(witness.table) + 1, witness.key, witness.checksum)
        # Its page is there since the head was written: it has room also when memory is full.
        os.pwrite(self._handle, body + zlib.crc32(body).to_bytes(4, "little"), MARK_AT)

    @property
    def witness(self) -> Witness | None:
        """The row by which one can tell that all of it is in the store's file."""
        data = os.pread(self._handle, MARK.size + 4, MARK_AT)
        body, checksum = data[: MARK.size], data[MARK.size :]
        if zlib.crc32(body).to_bytes(4, "little") != checksum:
            return None
        table, key, found = MARK.unpack(body)
        return (
            Witness(MARKED_TABLES[table - 1], key, found)
            if 1 <= table <= len(MARKED_TABLES)
            else None
        )

    def records(self) -> bytes:
        """Everything behind the head."""
        data = _all(self._handle)[HEAD_AT:]
        return data[next(frames(data), (0, 0))[1] :]

    def remove(self) -> None:
        """Its events are in the file, or lost; twice is fine.

        Raises:
            OSError: It is still there.
        """
        if self._is_open:
            try:
                self.folder.remove(self.name)
            except FileNotFoundError:
                pass
            self.close()

    def close(self) -> None:
        """Leave it as it is; twice is fine."""
        if self._is_open:
            self._is_open = False
            os.close(self._handle)


def make_part(folder: MemoryFolder, number: int, run: Run) -> Part:
    """A new part.

    Raises:
        OSError: There is no room.
    """
    handle = folder.make(_name(number))
    facts = json.dumps([number, attrs.astuple(run)]).encode("ascii")
    head = PREFIX.pack(MAGIC, VERSION).ljust(HEAD_AT, b"\0") + b"".join(framed(b"H", facts))
    part = Part(folder, number, handle, run, 0)
    try:
        part.write([head])
    except OSError:
        part.remove()
        raise
    return part


def open_part(folder: MemoryFolder, number: int) -> Part | None:
    """A part that was left; ``None`` for one whose head was not written before the kill.

    Raises:
        StoreError: It is none, or damaged at its head.
        OSError: Such a one is still there.
    """
    handle = folder.open(_name(number))
    try:
        size_bytes = os.fstat(handle).st_size
        run = _head(handle, number, size_bytes) if size_bytes else None
    except (ValueError, TypeError, LookupError, OSError, RecursionError, struct.error) as exc:
        os.close(handle)
        raise StoreError(f"{folder.path / _name(number)} is damaged, or no journal") from exc
    if run is None:
        os.close(handle)
        folder.remove(_name(number))
        return None
    return Part(folder, number, handle, run, size_bytes)


def _head(handle: int, number: int, size_bytes: int) -> Run:
    if size_bytes > READ_LIMIT:
        raise ValueError(size_bytes)
    data = _all(handle)
    if PREFIX.unpack_from(data) != (MAGIC, VERSION):
        raise ValueError(data[: PREFIX.size])
    start, end = next(frames(data[HEAD_AT:]), (0, 0))
    own, (boot_id, path, start_ms, started_s, version, token) = json.loads(
        data[HEAD_AT + start + 1 : HEAD_AT + end]
    )
    texts = (boot_id, path, version, token)
    if own != number or not all(isinstance(text, str) for text in texts):
        raise ValueError(own)
    return Run(boot_id, path, int(start_ms), float(started_s), version, token)


def numbers_of(folder: MemoryFolder) -> list[int]:
    """The numbers of the parts in a folder, in their order."""
    stems = (name.removesuffix(END) for name in folder.names() if name.endswith(END))
    return sorted(
        int(stem) for stem in stems if stem.isdecimal() and _name(int(stem)) == stem + END
    )


def _name(number: int) -> str:
    return f"{number:08d}{END}"


def _all(handle: int) -> bytes:
    pieces = []
    at = 0
    while piece := os.pread(handle, 1 << 20, at):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)
