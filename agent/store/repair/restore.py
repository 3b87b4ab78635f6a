"""Puts a backup in the place of the store, which is set aside; while no agent runs."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import attrs

from agent.errors import StoreError
from agent.files import make_folders, sync_folder
from agent.store.book import load_entries
from agent.store.codec import Block, Damaged
from agent.store.copy import Tell, backup_beside
from agent.store.query import open_to_read
from agent.store.repair.aside import (
    ENDS,
    REPLACED,
    beside,
    is_there,
    name_for,
    real,
    set_aside,
)
from agent.store.schema import SAMPLE_TABLES


@attrs.frozen
class Held:
    """How many samples of a device there are, and from when to when."""

    count: int
    first_ms: int
    last_ms: int

    def __add__(self, other: "Held") -> "Held":
        return Held(
            self.count + other.count,
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
        )


def held(path: Path) -> Mapping[str, Held]:
    """What is in a store, by device.

    Raises:
        StoreError: It can't be read.
    """
    found: dict[str, Held] = {}
    with closing(open_to_read(path)) as connection:
        try:
            names = {entry.id: entry.name for entry in load_entries(connection).values()}
            for device, one in _all(connection):
                name = names.get(device, f"device {device}")
                found[name] = found[name] + one if name in found else one
        except (sqlite3.Error, ValueError, LookupError) as exc:
            raise StoreError(f"cannot read {path}: {exc}") from exc
    return found


def _all(connection: sqlite3.Connection) -> Iterator[tuple[int, Held]]:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for table in SAMPLE_TABLES:
        sql = f"SELECT device, count(*), min(ts_ms), max(ts_ms) FROM {table} GROUP BY device"
        yield from ((device, Held(*of)) for device, *of in connection.execute(sql))
    if version < 2:
        return
    sql = "SELECT device, sum(count), min(first_ms), max(last_ms) FROM block GROUP BY device"
    yield from ((device, Held(*of)) for device, *of in connection.execute(sql))
    for device, data in connection.execute("SELECT device, data FROM batch"):
        try:
            batch = Block(data)
        except Damaged:
            continue
        yield device, Held(batch.count, batch.first_ms, batch.last_ms)


def restore(path: Path, backup: Path, now_ms: int, tell: Tell) -> Path | None:
    """Put a copy of a backup in the store's place; what the store that was there is called now.

    Raises:
        StoreError: One of them can't be read or written; then all is as it was.
    """
    path = real(path)
    try:
        make_folders(path.parent)
        if is_there(path) and path.samefile(backup):
            raise StoreError(f"{backup} is the store itself, wanted a backup of it")
    except OSError as exc:
        raise StoreError(f"cannot restore {path}: {exc.strerror}") from exc
    with backup_beside(backup, path, tell) as new:
        _own_as(path, new)
        before = _kept(path, now_ms) if is_there(path) else None
        new.replace(path)
        sync_folder(path.parent)
    return before


def _kept(path: Path, now_ms: int) -> Path:
    """Give the store a second name, so that a power cut leaves one in its place at any moment.

    Its log goes first: it would be taken for the backup's.
    """
    target = name_for(path, now_ms, REPLACED)
    try:
        target.hardlink_to(path)
    except OSError:  # a file system that knows no second names
        return set_aside(path, now_ms, REPLACED)
    sync_folder(path.parent)
    for end in ENDS[1:]:
        if is_there(beside(path, end)):
            beside(path, end).rename(beside(target, end))
    sync_folder(path.parent)
    return target


def _own_as(path: Path, new: Path) -> None:
    """The agent's user keeps its rights on the store, whoever restores it."""
    if not is_there(path):
        return
    found = path.stat()
    if os.geteuid() == 0:
        os.chown(new, found.st_uid, found.st_gid)
    new.chmod(found.st_mode & 0o777)
