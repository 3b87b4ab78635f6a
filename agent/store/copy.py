"""A copy of the whole store as it is at one moment: a backup, or the way back to an old version."""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.errors import StoreError
from agent.files import TEMPORARY, own_as_folder, sync_folder
from agent.store.query import open_to_read

STEP_PAGES = 256  # copied at once, between two looks whether to stop

Tell = Callable[[int, int], None]  # pages that are copied, and all there are


def copy_store(source: Path, target: Path) -> None:
    """Write a consistent copy, synced, to a file that is not there yet; it has the same owner.

    Raises:
        StoreError: The store can't be read, or the copy not be written; nothing is left of it.
    """
    with _as_owner(target.parent):
        _copy_whole(source, target)


@contextmanager
def backup_beside(source: Path, target: Path, tell: Tell) -> Iterator[Path]:
    """A consistent copy beside ``target``, synced, which may be renamed to it; else it goes.

    It opens anywhere: it needs no log, and no right to write.

    Raises:
        StoreError: The store can't be read, or the copy not be written.
    """
    beside = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}{TEMPORARY}")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    except OSError as exc:
        raise StoreError(f"cannot write in {target.parent}: {exc.strerror}") from exc
    try:
        own_as_folder(handle, target.parent)
        _back_up(source, beside, tell)
        os.fsync(handle)
        yield beside
        sync_folder(target.parent)
    except (OSError, sqlite3.Error) as exc:
        text = getattr(exc, "strerror", None) or str(exc)
        raise StoreError(f"cannot copy {source} to {target}: {text}") from exc
    finally:
        beside.unlink(missing_ok=True)
        os.close(handle)


def _back_up(source: Path, target: Path, tell: Tell) -> None:
    # The reading transaction that open_to_read() began stays open: so all pages are of one moment,
    # and what the agent writes meanwhile does not make the copy begin anew.
    with closing(open_to_read(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(
            writing, pages=STEP_PAGES, progress=lambda _, left, all_: tell(all_ - left, all_)
        )
        (mode,) = writing.execute("PRAGMA journal_mode = DELETE").fetchone()
        if mode != "delete":
            raise StoreError(f"{target}: wanted a file without a log, got {mode}")


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
