"""The tables of the store, and how an older file becomes a current one.

``row`` and ``host_row`` are append-only, and their rowid is the key: unique and rising also when
the wall clock steps back. In ``row`` it is ``max(ts_ms * 1000, last + 1)``, so that a stretch of
time is a stretch of rowids and needs no index; in ``host_row`` it is the second that
``system_sample.ts`` promises. ``ts_ms`` is what the clock said. ``clock`` says which clock that
was: a line for each boot and each step, from which a sample's true time can be found later.
``moved_ms`` is by how much the times of such a line's samples were put right since.

Devices that are not kept as rows have one ``batch`` for each commit, whose ``id`` is the key of its
first sample. Upkeep turns batches and old rows into a ``block``, of at most a day, and writes what
the block comes to by the minute and by the hour into ``aggregate``: minutes by block, hours by UTC
day. ``data`` is the codec's in all three (docs/STORE_FORMAT.md).

``catalogue`` says a second time, with a checksum, what ``device``, ``metric`` and ``layout`` say of
a device, whose number is ``id``, and as number 0 what ``clock`` says: without it a damaged page of
theirs would take the names of years of samples along.
"""

import sqlite3
from pathlib import Path

from agent.errors import StoreError

APPLICATION_ID = 0x41474E54  # "AGNT": file(1) and we know the file by it
VERSION = 2
SAMPLE_TABLES = {"row": 1, "host_row": 1_000_000}  # what a key counts, in microseconds

# A device that was called like a table that came later had a view of that name.


class NewerError(StoreError):
    """A file is of a newer agent."""


MIGRATIONS = (
    """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE run(
        id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, version TEXT NOT NULL,
        start_ms INTEGER NOT NULL, end_ms INTEGER
    );
    CREATE TABLE clock(
        id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, monotonic_ms INTEGER NOT NULL,
        ts_ms INTEGER NOT NULL, synchronised INTEGER
    );
    CREATE TABLE device(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, kind TEXT NOT NULL
    );
    CREATE TABLE metric(
        device INTEGER NOT NULL, position INTEGER NOT NULL, path TEXT NOT NULL,
        name TEXT NOT NULL, unit TEXT NOT NULL, type TEXT NOT NULL, help TEXT NOT NULL,
        PRIMARY KEY(device, position)
    ) WITHOUT ROWID;
    CREATE TABLE layout(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, positions TEXT NOT NULL);
    CREATE TABLE row(
        id INTEGER PRIMARY KEY, device INTEGER NOT NULL, ts_ms INTEGER NOT NULL,
        layout INTEGER NOT NULL, clock INTEGER NOT NULL, v TEXT NOT NULL
    );
    CREATE TABLE host_row(
        ts INTEGER PRIMARY KEY, device INTEGER NOT NULL, ts_ms INTEGER NOT NULL,
        layout INTEGER NOT NULL, clock INTEGER NOT NULL, v TEXT NOT NULL
    );
    CREATE TABLE gap(
        id INTEGER PRIMARY KEY, device INTEGER NOT NULL, start_ms INTEGER NOT NULL,
        end_ms INTEGER, reason TEXT NOT NULL, detail TEXT NOT NULL
    );
    """,
    """
    DROP VIEW IF EXISTS batch;
    DROP VIEW IF EXISTS catalogue;
    ALTER TABLE clock ADD COLUMN moved_ms INTEGER;
    CREATE TABLE batch(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE TABLE block(
        id INTEGER PRIMARY KEY, device INTEGER NOT NULL, first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL, first_key INTEGER NOT NULL, last_key INTEGER NOT NULL,
        count INTEGER NOT NULL, data BLOB NOT NULL
    );
    CREATE INDEX block_time ON block(device, first_ms, last_ms, first_key, last_key, count);
    CREATE TABLE aggregate(
        device INTEGER NOT NULL, span_ms INTEGER NOT NULL, start_ms INTEGER NOT NULL,
        block INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY(device, span_ms, start_ms, block)
    ) WITHOUT ROWID;
    CREATE TABLE catalogue(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
    """,
)


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring the file to ``VERSION``, all of it or nothing.

    Raises:
        StoreError: The file is of a newer agent, or another program's.
    """
    version = check_file(connection, path)
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_file(connection: sqlite3.Connection, path: str) -> int:
    """The version of a file that is ours, or 0 when it is empty. Only reads.

    Raises:
        StoreError: The file is of a newer agent, or another program's.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    check_owner(version, application, path)
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreError(f"{path}: another program's database, name another data_dir")
    return int(version)


def check_owner(version: int, application: int, path: str) -> None:
    """Refuse files that are not ours to read or write.

    Raises:
        StoreError: With what to do.
    """
    if version > VERSION and application == APPLICATION_ID:
        raise NewerError(
            f"{path}: written by a newer agent (format {version}, this one knows {VERSION}), "
            "install that version again or name another data_dir"
        )
    if version and application != APPLICATION_ID:
        raise StoreError(f"{path}: another program's database, name another data_dir")


def stand_in(path: Path) -> Path:
    """The file that is written instead of one that a newer agent made, named by its format."""
    return path.with_name(f"{path.stem}-{VERSION}{path.suffix}")


def quoted(name: str) -> str:
    """A name as an SQL identifier; SQL has no way to write a NUL.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""').replace("\0", "\ufffd") + '"'
