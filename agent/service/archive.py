"""The archive at the end of the one file: what is inside, and the same without what is unpacked.

Source: PyInstaller 6, ``bootloader/src/pyi_archive.h`` and ``PyInstaller/archive/writers.py``. The
archive is data, then a table of contents, then a cookie; all numbers are big-endian. Offsets count
from the start of the archive, which ends with the cookie.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import attrs

from agent.errors import AgentError

MAGIC = b"MEI\014\013\012\013\016"
COOKIE = struct.Struct("!8sIIII64s")  # magic, size, offset and size of the table, Python, library
ENTRY = struct.Struct("!IIIIBc")  # size of this entry, offset, size, size inflated, flag, kind
LOOK_BACK = 64 * 1024  # bytes from the file's end in which the cookie must lie
SIZE_LIMIT = 256 * 1024 * 1024
UNPACKED = frozenset({b"b", b"x", b"Z", b"n"})  # libraries, data, zip files, symbolic links


@attrs.frozen
class Entry:
    """One part of an archive."""

    name: str
    kind: bytes
    offset: int
    size: int
    inflated: int
    is_deflated: bool


@attrs.frozen
class Archive:
    """Where the archive of a program lies, and what it holds."""

    path: Path
    start: int
    python: int
    library: bytes
    entries: tuple[Entry, ...]

    def content(self, entry: Entry) -> bytes:
        """What an entry holds, inflated.

        Raises:
            AgentError: The file is damaged, or can't be read.
        """
        try:
            with self.path.open("rb") as stream:
                raw = self._raw(stream, entry)
            content = _inflated(raw, entry.inflated) if entry.is_deflated else raw
        except (OSError, zlib.error) as exc:
            raise AgentError(f"{self.path}: {entry.name} inside cannot be read: {exc}") from exc
        if len(content) != entry.inflated:
            raise AgentError(
                f"{self.path}: {entry.name} inside has {len(content)} bytes, not {entry.inflated}: "
                "the file is damaged, copy it again"
            )
        return content

    def write_without(self, kinds: frozenset[bytes], extra: Iterable[str], target: Path) -> None:
        """The same program without the entries of some kinds, with more options.

        Raises:
            AgentError: The file is damaged, can't be read or written.
        """
        kept = [entry for entry in self.entries if entry.kind not in kinds]
        try:
            with self.path.open("rb") as source, target.open("wb") as out:
                out.write(_without_sections(_exactly(source, 0, self.start)))
                table = []
                for entry in kept:
                    offset = out.tell() - self.start
                    out.write(self._raw(source, entry))
                    table.append(_packed(attrs.evolve(entry, offset=offset)))
                end = out.tell() - self.start
                table += [
                    _packed(Entry(name, b"o", end, 0, 0, is_deflated=False)) for name in extra
                ]
                contents = b"".join(table)
                out.write(contents)
                size = end + len(contents) + COOKIE.size
                out.write(COOKIE.pack(MAGIC, size, end, len(contents), self.python, self.library))
                out.flush()
                os.fsync(out.fileno())
        except OSError as exc:
            raise AgentError(f"cannot write {target}: {exc.strerror}") from exc

    def _raw(self, stream: BinaryIO, entry: Entry) -> bytes:
        return _exactly(stream, self.start + entry.offset, entry.size)


def read_archive(path: Path) -> Archive:
    """The archive of a program that PyInstaller made.

    Raises:
        AgentError: The file has none, is damaged, or can't be read.
    """
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            tail_at = max(0, end - LOOK_BACK)
            tail = _exactly(stream, tail_at, end - tail_at)
            found = tail.rfind(MAGIC)
            if found < 0 or found + COOKIE.size > len(tail):
                raise AgentError(f"{path} is not the one file of the agent: it has no archive")
            _, size, at, length, python, library = COOKIE.unpack_from(tail, found)
            start = tail_at + found + COOKIE.size - size
            if start < 0 or at + length > size:
                raise AgentError(f"{path} is cut short or damaged, copy it again")
            table = _exactly(stream, start + at, length)
    except OSError as exc:
        raise AgentError(f"cannot read {path}: {exc.strerror}") from exc
    return Archive(path, start, python, library, tuple(_entries(path, table, size)))


def _entries(path: Path, table: bytes, limit: int) -> Iterator[Entry]:
    at = 0
    while at < len(table):
        try:
            length, offset, size, inflated, flag, kind = ENTRY.unpack_from(table, at)
        except struct.error as exc:
            raise AgentError(f"{path}: its table of contents is damaged, copy it again") from exc
        name = table[at + ENTRY.size : at + length].rstrip(b"\0")
        is_bad = b"\0" in name or not name or length > len(table) - at
        if is_bad or length <= ENTRY.size or offset + size > limit or inflated > SIZE_LIMIT:
            raise AgentError(f"{path}: its table of contents is damaged, copy it again")
        yield Entry(os.fsdecode(name), kind, offset, size, inflated, bool(flag))
        at += length


def _inflated(raw: bytes, size: int) -> bytes:
    """At most one byte more than it should be: a damaged file must not fill the memory."""
    return zlib.decompressobj().decompress(raw, size + 1)


def _packed(entry: Entry) -> bytes:
    name = os.fsencode(entry.name) + b"\0"
    name += bytes(-(ENTRY.size + len(name)) % 16)
    return (
        ENTRY.pack(
            ENTRY.size + len(name), entry.offset, entry.size, entry.inflated,
            entry.is_deflated, entry.kind,
        )
        + name
    )  # fmt: skip


def _exactly(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    content = stream.read(size)
    if len(content) != size:
        raise OSError(0, f"it ends {size - len(content)} bytes too early")
    return content


def _without_sections(program: bytes) -> bytes:
    """An ELF program that no longer names its sections: their table was behind the archive.

    Source: elf(5), ``e_shoff``, ``e_shnum`` and ``e_shstrndx``. Programs run without.
    """
    changed = bytearray(program)
    if len(changed) < 64 or changed[:4] != b"\x7fELF":
        raise OSError(0, "it is no ELF program")
    is_64_bit = changed[4] == 2
    table_at, table_size, counts_at = (0x28, 8, 0x3A) if is_64_bit else (0x20, 4, 0x2E)
    changed[table_at : table_at + table_size] = bytes(table_size)
    changed[counts_at : counts_at + 6] = bytes(6)
    return bytes(changed)
