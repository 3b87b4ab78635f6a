"""The tables of the store, and how an older file becomes a current one.

``row`` and ``host_row`` are append-only, and their rowid is the key: unique and rising also when
the wall clock steps back. In ``row`` it is ``max(ts_ms * 1000, last + 1)``, so that a stretch of
time is a stretch of rowids and needs no index; in ``host_row`` it is the second that
``system_sample.ts`` promises. ``ts_ms`` is what the clock said. ``clock`` says which clock that
was: a line for each boot and each step, from which a sample's true time can be found later.
"""

import sqlite3

from agent.errors import StoreError

APPLICATION_ID = 0x41474E54  # "AGNT": file(1) and we know the file by it
VERSION = 1
SAMPLE_TABLES = {"row": 1, "host_row": 1_000_000}  # what a key counts, in microseconds

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
        raise StoreError(
            f"{path}: written by a newer agent (format {version}, this one knows {VERSION}), "
            "install that version again or name another data_dir"
        )
    if version and application != APPLICATION_ID:
        raise StoreError(f"{path}: another program's database, name another data_dir")


def quoted(name: str) -> str:
    """A name as an SQL identifier; SQL has no way to write a NUL.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""').replace("\0", "\ufffd") + '"'
