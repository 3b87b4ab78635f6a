"""The connection that writes: how it is opened, how it leaves, what its errors mean."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from agent.files import make_file, make_folders
from agent.store import schema
from agent.store.log_file import LOG_BYTES, limit_log

log = logging.getLogger(__name__)

BUSY_MS = 1000  # how long a commit waits for somebody else's lock
# Of a new file. A commit touches the end of a few tables: with 4,096 bytes each, 27.8 kB reach the
# disk for it, with 1,024 17.8 kB.
PAGE_BYTES = 1024


def file_at(path: Path) -> tuple[int, int] | None:
    """Which file is there, whatever its name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for writing, made for whoever its folder is shared with."""
    make_folders(path.parent)
    make_file(path)
    return sqlite3.connect(
        path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )


@contextmanager
def bystander(path: Path) -> Iterator[None]:
    """A reader that is there while the writer closes: whoever closes last removes the log.

    One that may not write the file can't. (SQLite's options for this can't be set from Python
    3.11.)
    """
    uri = f"file:{quote(bytes(path))}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True)
    except sqlite3.Error as exc:  # it was removed while in use
        log.debug("%s: %s", path, exc)
        yield
        return
    with closing(connection):
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as exc:
            log.debug("%s: its log is not kept: %s", path, exc)
        yield


def prepare(connection: sqlite3.Connection, path: Path, log_bytes: int = LOG_BYTES) -> None:
    """Set how it is written; a file that is new, or of an older agent, gets its tables."""
    version = schema.check_file(connection, str(path))  # nothing is changed in one not of ours
    if not version:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_mode = WAL")
    limit_log(connection, log_bytes)
    # Debian's SQLite overwrites with zeros whatever is deleted, which costs as much as the samples.
    connection.execute("PRAGMA secure_delete = OFF")
    schema.migrate(connection, str(path))


def why(exc: Exception, path: Path) -> str:
    """What went wrong in the user's words, and what to do."""
    text = getattr(exc, "strerror", None) or str(exc)
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full, free some space"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program has locked it, close that program"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) or isinstance(exc, OSError):
        return f"{text}, check that {path.parent} exists and may be written"
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"{text}, move it away or name another data_dir"
    return text
