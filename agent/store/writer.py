"""The one writing connection: opens the file, commits batches, notes gaps."""

import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from agent.clock import CLOCK_SET_MS, Clock
from agent.errors import StoreError
from agent.files import make_file, make_folders
from agent.model import Reason
from agent.store import schema, witness
from agent.store.book import Book, Entry
from agent.store.eras import Eras
from agent.store.gaps import Gaps
from agent.store.rows import arrange
from agent.store.views import table_of
from agent.store.waiting import Dropped, Event, GapOpened, Known, WaitingRow

log = logging.getLogger(__name__)

BUSY_MS = 1000  # how long a commit waits for somebody else's lock
LAG_STEP_MS = 600_000  # keys may run this far ahead of the time before it is written down
LOOKED_AT = 100_000  # rows in which one step looks for old ones

TABLES = {"row": 1, "host_row": 1_000_000}  # what a key counts, in microseconds


class Writer:
    """An open file with its numbers in memory. Any error makes it unusable: open another.

    Raises:
        StoreError: From every method, with the path and what to do.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        version: str,
        run_start_ms: int,
        warn: Callable[[str], None],
    ) -> None:
        self._path = path
        self._clock = clock
        self._version = version
        self._run_start_ms = run_start_ms
        try:
            self._connection = _connect(path)
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(f"cannot open {path}: {_why(exc, path)}") from exc
        try:
            _prepare(self._connection, path)
            self._file = _file(path)
            self._book = Book(self._connection, warn)
            self._eras = Eras(self._connection, clock.boot_id)
            self._gaps = Gaps(self._connection, run_start_ms)
            self._last = {t: self._scalar(f"SELECT max(rowid) FROM {t}") or 0 for t in TABLES}
            self._lag_ms = self._scalar("SELECT value FROM meta WHERE key = 'lag_ms'") or 0
            self._run = self._find_run()
        except (sqlite3.Error, OSError) as exc:
            self._connection.close()
            raise StoreError(f"cannot open {path}: {_why(exc, path)}") from exc
        except StoreError:
            self._connection.close()
            raise

    def _scalar(self, sql: str, *values: object) -> int | None:
        row = self._connection.execute(sql, values).fetchone()
        return row[0] if row else None

    def _find_run(self) -> int | None:
        """The number of this run, if the file was open in it before."""
        return self._scalar(
            "SELECT id FROM run WHERE boot_id = ? AND start_ms = ?",
            self._clock.boot_id,
            self._run_start_ms,
        )

    def _start_run(self, devices: Mapping[str, Known]) -> int:
        """Note this run, in the transaction of its first batch, and end what a crash left open."""
        newest = [f"SELECT ts_ms FROM {t} ORDER BY rowid DESC LIMIT 1" for t in TABLES]
        newest.append("SELECT coalesce(end_ms, start_ms) FROM run ORDER BY id DESC LIMIT 1")
        lasting = f"end_ms IS NULL AND reason != '{Reason.AGENT_DOWN}'"
        newest.append(f"SELECT max(start_ms) FROM gap WHERE {lasting}")
        since = [ms for ms in map(self._scalar, newest) if ms is not None]
        if since:
            entries = [entry for name in devices if (entry := self._book.find(name)) is not None]
            self._gaps.start_run(max(since), entries)
        cursor = self._connection.execute(
            "INSERT INTO run(boot_id, version, start_ms) VALUES(?, ?, ?)",
            (self._clock.boot_id, self._version, self._run_start_ms),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def commit(
        self,
        events: Sequence[Event],
        dropped: Mapping[str, Dropped],
        devices: Mapping[str, Known],
        described: Collection[str] = (),
        mark: Callable[[witness.Witness], None] | None = None,
    ) -> None:
        """Write a batch in one transaction, synced when this returns.

        ``described`` are the devices whose units and helps may differ from those in the file.
        ``mark`` is told, just before the end, by what one can tell later that it was reached.
        """
        try:
            if _file(self._path) != self._file:
                raise StoreError(f"{self._path} was replaced or removed while in use")
            self._connection.execute("BEGIN IMMEDIATE")
            before = witness.newest(self._connection) if mark is not None else {}
            self._run = self._run or self._start_run(devices)
            self._eras.look(self._clock.stamp(), self._clock.is_synchronised())
            for name in described:
                self._describe(name, devices[name])
            for name, lost in dropped.items():
                known = devices[name]
                self._gaps.note_dropped(self._book.entry(name, known.kind), lost, known.interval_s)
            for event in events:
                self._write(event, devices[event.device])
            self._book.finish()
            if mark is not None:
                made = witness.made(before, witness.newest(self._connection))
                if made is not None:
                    mark(made)
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {_why(exc, self._path)}") from exc

    def holds(self, made: witness.Witness | None) -> bool:
        """Whether the transaction is in the file that ``mark`` was told of."""
        try:
            return made is not None and witness.holds(self._connection, made)
        except sqlite3.Error as exc:
            raise StoreError(f"cannot read {self._path}: {_why(exc, self._path)}") from exc

    def _write(self, event: Event, known: Known) -> None:
        entry = self._book.entry(event.device, known.kind)
        if isinstance(event, WaitingRow):
            # A sample ends a gap also when the event that said so had to be dropped.
            self._gaps.close(entry, event.stamp.ts_ms, known.interval_s)
            self._insert_row(entry, event, known)
        elif isinstance(event, GapOpened):
            self._gaps.open(entry, event, known.interval_s)
        else:
            self._gaps.close(entry, event.end_ms, known.interval_s)

    def _describe(self, name: str, known: Known) -> None:
        entry = self._book.find(name)
        if entry is not None:
            self._book.describe(entry, [*known.metrics.values()])

    def delete_before(self, ts_ms: int, at_most: int) -> int:
        """Delete rows and gaps older than a time, some at once; how many went."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            gone = 0
            for table, scale in TABLES.items():
                gone += self._connection.execute(
                    f"DELETE FROM {table} WHERE rowid IN ({_oldest(table)})",
                    {
                        "key": ts_ms * 1000 // scale,
                        "last": (ts_ms + self._lag_ms) * 1000 // scale,
                        "set": CLOCK_SET_MS,
                        "ts": ts_ms,
                        "looked_at": LOOKED_AT,
                        "at_most": at_most,
                    },
                ).rowcount
            self._connection.execute("DELETE FROM gap WHERE end_ms < ?", (ts_ms,))
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {_why(exc, self._path)}") from exc
        return gone

    def end_run(self, end_ms: int) -> None:
        """Note that the agent stopped in order."""
        try:
            self._connection.execute("UPDATE run SET end_ms = ? WHERE id = ?", (end_ms, self._run))
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {_why(exc, self._path)}") from exc

    def close(self) -> None:
        """Close the file, with its log written back into it.

        Left in WAL mode, it could not be read by somebody who may not write its folder, such as
        an ordinary user with the sqlite3 shell when the agent runs as a service.
        """
        try:
            self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as exc:  # somebody reads it right now
            log.debug("%s stays in WAL mode: %s", self._path, exc)
        try:
            self._connection.close()
        except sqlite3.Error as exc:
            raise StoreError(f"cannot close {self._path}: {_why(exc, self._path)}") from exc

    def abandon(self) -> None:
        """Let go of the file after an error, in whatever state it is."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as exc:
            log.debug("rolling back %s: %s", self._path, exc)
        try:
            self._connection.close()
        except sqlite3.Error as exc:
            log.debug("closing %s: %s", self._path, exc)

    def _insert_row(self, entry: Entry, row: WaitingRow, known: Known) -> None:
        layout, paths = self._book.layout(entry, row.names, known.metrics)
        ts_ms = row.stamp.ts_ms
        table = table_of(entry.kind)
        scale = TABLES[table]
        key = max(ts_ms * 1000 // scale, self._last[table] + 1)
        self._last[table] = key
        self._note_lag(key * scale // 1000 - ts_ms)
        self._connection.execute(
            f"INSERT INTO {table} VALUES(?, ?, ?, ?, ?, ?)",
            (
                key,
                entry.id,
                ts_ms,
                layout,
                self._eras.of(row.stamp),
                arrange(row.text, paths),
            ),
        )

    def _note_lag(self, lag_ms: int) -> None:
        """Keep the bound by which keys run ahead of times: readers widen their range by it."""
        if lag_ms <= self._lag_ms:
            return
        self._lag_ms = max(LAG_STEP_MS, 2 * lag_ms)
        self._connection.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES('lag_ms', ?)", (self._lag_ms,)
        )


def _oldest(table: str) -> str:
    """Rowids of rows to delete, ``:at_most`` of them.

    Keys run ahead of times after the clock stepped back. Such a row is old when its time is; only
    a time before the clock was ever set says nothing, and the row goes with its neighbours.
    """
    oldest = f"SELECT rowid AS key, ts_ms FROM {table} WHERE rowid < :last ORDER BY rowid"
    return (
        f"SELECT key FROM ({oldest} LIMIT :looked_at) "
        "WHERE key < :key OR (ts_ms >= :set AND ts_ms < :ts) LIMIT :at_most"
    )


def _file(path: Path) -> tuple[int, int] | None:
    """Which file is there, whatever its name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path) -> sqlite3.Connection:
    make_folders(path.parent)
    make_file(path)
    return sqlite3.connect(
        path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    schema.check_file(connection, str(path))  # nothing is changed in a file that is not ours
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_mode = WAL")
    # The log is written over from its start, never cut: growing it again costs metadata.
    connection.execute("PRAGMA journal_size_limit = -1")
    schema.migrate(connection, str(path))


def _why(exc: Exception, path: Path) -> str:
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
