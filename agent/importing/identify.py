"""Finds out what a file is: from its content, whatever its name."""

from datetime import tzinfo
from pathlib import Path

from agent.errors import StoreError
from agent.importing.csv_file import CsvFile
from agent.importing.heat_pump_db import JsonDb
from agent.importing.host_db import HostDb, is_host
from agent.importing.reading import FileError, Source
from agent.store.foreign import ForeignFile, is_sqlite

PACKED = {b"\x1f\x8b": "gunzip", b"PK": "unzip", b"BZh": "bunzip2", b"\xfd7z": "unxz"}


def identify(path: Path, zone: tzinfo, now_ms: int) -> Source:
    """The reader of a file.

    Raises:
        FileError: It is of no logger that is known, or can't be read.
    """
    try:
        if path.is_dir():
            raise FileError("it is a folder, name the files in it")
        if not path.is_file():
            text = "it is no plain file" if path.exists() else "there is no such file"
            raise FileError(text)
        with path.open("rb") as stream:
            start = stream.read(16)
        if not is_sqlite(path):
            return _text(path, start, zone, now_ms)
    except OSError as exc:
        raise FileError(f"cannot read it: {exc.strerror}") from exc
    return _database(path, zone, now_ms)


def _text(path: Path, start: bytes, zone: tzinfo, now_ms: int) -> Source:
    for magic, program in PACKED.items():
        if start.startswith(magic):
            raise FileError(f"it is packed, unpack it first, such as with {program}")
    return CsvFile(path, zone, now_ms)


def _database(path: Path, zone: tzinfo, now_ms: int) -> Source:
    try:
        with ForeignFile(path) as file:
            if file.is_ours:
                raise FileError(
                    "it is a store of this agent, not of another logger; a backup comes back "
                    "with: agent store restore"
                )
            is_of_host = is_host(file.tables())
    except StoreError as exc:
        raise FileError(str(exc)) from exc
    return HostDb(path, now_ms) if is_of_host else JsonDb(path, zone, now_ms)
