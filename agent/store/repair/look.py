"""A quick look at a store's file: can SQLite read what the next commit needs? Bounded in time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from agent.store import schema
from agent.store.book import load_entries
from agent.store.repair.aside import JOURNAL, LOG, beside
from agent.store.repair.names import changed_name
from agent.store.repair.pages import HEAD_BYTES, MAGIC, pages_of
from agent.store.repair.raw import IsLate, RawFile

STEPS = 20_000  # instructions of SQLite between two looks at the time, well below 1 ms
BUSY_S = 1.0
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
BAD_READ = {266, 522, 8458}  # SQLITE_IOERR_READ, _SHORT_READ, _CORRUPTFS
# Tables that a commit adds to, by the version that has them: their last pages are what it needs.
GROWING = {1: ("row", "host_row", "gap", "run", "clock", "layout"), 2: ("batch", "block")}


class UnfitError(Exception):
    """Why a file can't be used, in the user's words."""


def was_killed(path: Path) -> bool:
    """Whether the last run of the agent that a file knows of has no end."""
    try:
        with closing(_connect(path, log=True)) as connection:
            sql = "SELECT end_ms FROM run ORDER BY id DESC LIMIT 1"
            row = connection.execute(sql).fetchone()
    except sqlite3.Error:  # whoever looks at it next says why
        return False
    return row is not None and row[0] is None


class ForeignError(UnfitError):
    """It is no store of ours: there is nothing to save in it."""


class ClosedError(UnfitError):
    """It belongs to another user: only root can save what is in it."""


def is_newer(path: Path) -> bool:
    """Whether a file is a store of a newer agent; one that can't be read is not."""
    try:
        # Not with SQLite: for a file that is empty, it removes the log.
        with pages_of(path, is_late=lambda: True) as pages:
            head = pages.page(1)[:HEAD_BYTES]
    except OSError:
        return False
    if len(head) < HEAD_BYTES or head[: len(MAGIC)] != MAGIC:
        return False
    version, application = (int.from_bytes(head[at : at + 4], "big") for at in (60, 68))
    return application == schema.APPLICATION_ID and version > schema.VERSION


def is_with_log(path: Path) -> bool:
    """Whether a file says that it is written with a log.

    Raises:
        OSError: It can't be read.
    """
    with RawFile(path) as file:
        return file.read(0, HEAD_BYTES)[18:20] == b"\2\2"


def is_damage(error: BaseException | None) -> bool:
    """Whether an error of SQLite says that the file is damaged: trying again does not help."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in DAMAGE or code in BAD_READ


def look(path: Path, is_late: IsLate, *, log: bool = True) -> None:
    """Read the tables, and the ends of those that grow; what takes too long counts as sound.

    Without ``log`` the file is looked at as if none were there; nothing is written in any case.

    Raises:
        UnfitError: The file can't be used.
        ForeignError: It is another program's.
        schema.NewerError: It is of a newer agent.
        sqlite3.Error: It can't be told, such as when somebody has locked it.
    """
    try:
        with closing(_connect(path, log=log)) as connection:
            connection.set_progress_handler(lambda: int(is_late()), STEPS)
            _look(connection)
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return
        if not _is_ill_formed(exc):
            raise
        raise UnfitError(str(exc)) from exc
    except (sqlite3.DatabaseError, ValueError, LookupError, TypeError) as exc:
        raise UnfitError(str(exc) or type(exc).__name__) from exc


def _is_ill_formed(exc: sqlite3.Error) -> bool:
    """Whether what is missing or can't be read is in the file: a table, a page, a text."""
    return is_damage(exc) or exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR


def _connect(path: Path, *, log: bool) -> sqlite3.Connection:
    # Read-only: the last one out would else write the log back into the file.
    mode = "ro" if log and _has(path, LOG) else "ro&immutable=1"
    if log and _has(path, JOURNAL):
        mode = "rw"  # a change that was cut off is taken back by whoever opens the file
    connection = sqlite3.connect(f"file:{quote(bytes(path))}?mode={mode}", uri=True)
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000:.0f}")
    return connection


def _has(path: Path, end: str) -> bool:
    try:
        return beside(path, end).stat().st_size > 0
    except OSError:
        return False


def _look(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if application not in (0, schema.APPLICATION_ID) or (
        names and application != schema.APPLICATION_ID
    ):
        raise ForeignError("it is another program's database")
    if version > schema.VERSION:
        raise schema.NewerError(f"format {version}")
    if names and version <= 0:
        raise UnfitError(f"it says that its format is {version}")
    if not names:
        return
    load_entries(connection)
    if version > 1 and (device := changed_name(connection)) is not None:
        raise UnfitError(f"what it says of {device} is not what was written")
    for table in _tables(version):
        connection.execute(f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1").fetchall()
    connection.execute("SELECT * FROM clock").fetchall()
    connection.execute("SELECT * FROM meta").fetchall()
    connection.execute("SELECT * FROM gap WHERE end_ms IS NULL").fetchall()


def _tables(version: int) -> Iterator[str]:
    for since, tables in GROWING.items():
        if version >= since:
            yield from tables
