"""A copy of the whole store as it is at one moment, for the way back from a newer version."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import StoreError
from agent.files import sync_folder
from agent.store.query import open_to_read


def copy_store(source: Path, target: Path) -> None:
    """Write a consistent copy, synced, to a file that is not there yet; it has the same owner.

    Raises:
        StoreError: The store can't be read, or the copy not be written; nothing is left of it.
    """
    with _as_owner(target.parent):
        _copy_whole(source, target)


@contextmanager
def _as_owner(folder: Path) -> Iterator[None]:
    """Root works with the rights of the folder's owner.

    SQLite opens files by their names, and the owner may put a link there at any moment: so it
    leads nowhere but to what the owner may write anyway.
    """
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    try:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _copy_whole(source: Path, target: Path) -> None:
    try:
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise StoreError(f"cannot write {target}: {exc.strerror}") from exc
    try:
        _own_as(source, handle)
        _copy(source, target)
        os.fsync(handle)
        sync_folder(target.parent)
    except BaseException as exc:
        target.unlink(missing_ok=True)
        if isinstance(exc, OSError | sqlite3.Error):
            raise StoreError(f"cannot copy {source} to {target}: {exc}") from exc
        raise
    finally:
        os.close(handle)


def _own_as(source: Path, handle: int) -> None:
    found = source.stat()
    if os.geteuid() == 0 and (found.st_uid, found.st_gid) != (0, os.getegid()):
        os.fchown(handle, found.st_uid, found.st_gid)
    os.fchmod(handle, found.st_mode & 0o777)


def _copy(source: Path, target: Path) -> None:
    reading = open_to_read(source)
    try:
        reading.execute("COMMIT")  # a backup reads in a transaction of its own
        writing = sqlite3.connect(target)
        try:
            reading.backup(writing)
        finally:
            writing.close()
    finally:
        reading.close()
