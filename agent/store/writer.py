"""The one writing connection: opens the file, commits batches, notes gaps."""

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from agent.clock import Clock
from agent.errors import StoreError
from agent.model import Metric, Reason
from agent.store import schema
from agent.store.book import Book, Entry
from agent.store.eras import Eras
from agent.store.rows import arrange
from agent.store.views import table_of
from agent.store.waiting import Dropped, Event, GapClosed, GapOpened, WaitingRow

log = logging.getLogger(__name__)

BUSY_MS = 1000  # how long a commit waits for somebody else's lock
GAP_INTERVALS = 1.5  # a stretch longer than so many intervals is a gap
LAG_STEP_MS = 600_000  # keys may run this far ahead of the time before it is written down


TABLES = {"row": 1, "host_row": 1_000_000}  # what a key counts, in microseconds


@attrs.frozen
class Known:
    """What the process knows of a device: for rows that are still to come."""

    kind: str
    interval_s: float
    metrics: Mapping[str, Metric] = attrs.field(factory=dict)


class Writer:
    """An open file with its numbers in memory. Any error makes it unusable: open another.

    Raises:
        StoreError: From every method, with the path and what to do.
    """

    def __init__(self, path: Path, clock: Clock, version: str, run_start_ms: int) -> None:
        self._path = path
        self._clock = clock
        self._version = version
        self._run_start_ms = run_start_ms
        self._open_gaps: dict[int, int] = {}
        self._down_since_ms: int | None = None
        self._noted_down: set[int] = set()
        try:
            self._connection = _connect(path)
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(f"cannot open {path}: {_why(exc, path)}") from exc
        try:
            schema.migrate(self._connection, str(path))
            self._inode = path.stat().st_ino
            self._book = Book(self._connection)
            self._eras = Eras(self._connection, clock.boot_id)
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
        found = self._scalar(
            "SELECT id FROM run WHERE boot_id = ? AND start_ms = ?",
            self._clock.boot_id,
            self._run_start_ms,
        )
        if found:
            rows = self._connection.execute("SELECT device, id FROM gap WHERE end_ms IS NULL")
            self._open_gaps = dict(rows.fetchall())
            return found
        last = [self._scalar(f"SELECT ts_ms FROM {t} ORDER BY rowid DESC LIMIT 1") for t in TABLES]
        stopped = self._scalar("SELECT end_ms FROM run ORDER BY id DESC LIMIT 1")
        self._down_since_ms = max((ms for ms in (*last, stopped) if ms is not None), default=None)
        return None

    def _start_run(self) -> int:
        """Note this run, in the transaction of its first batch, and end what a crash left open."""
        if self._down_since_ms is not None:
            self._connection.execute(
                "UPDATE gap SET end_ms = max(start_ms, ?) WHERE end_ms IS NULL",
                (self._down_since_ms,),
            )
        cursor = self._connection.execute(
            "INSERT INTO run(boot_id, version, start_ms) VALUES(?, ?, ?)",
            (self._clock.boot_id, self._version, self._run_start_ms),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def commit(
        self, events: Sequence[Event], dropped: Mapping[str, Dropped], devices: Mapping[str, Known]
    ) -> None:
        """Write a batch in one transaction, synced when this returns."""
        try:
            if not self._is_same_file():
                raise StoreError(f"{self._path} was replaced or removed while in use")
            self._connection.execute("BEGIN IMMEDIATE")
            self._run = self._run or self._start_run()
            synchronised = self._clock.is_synchronised()
            for device, lost in dropped.items():
                self._note_dropped(device, lost, devices[device])
            for event in events:
                known = devices[event.device]
                entry = self._book.entry(event.device, known.kind)
                self._note_agent_down(entry, event, known)
                if isinstance(event, WaitingRow):
                    self._insert_row(entry, event, known, synchronised)
                elif isinstance(event, GapOpened):
                    self._open_gap(entry, event)
                else:
                    self._close_gap(entry, event)
            self._book.finish()
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {_why(exc, self._path)}") from exc

    def describe(self, devices: Mapping[str, Known]) -> None:
        """Bring units and helps in the file up to date with what the drivers say."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for name, known in devices.items():
                self._book.describe(self._book.entry(name, known.kind), [*known.metrics.values()])
            self._book.finish()
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {_why(exc, self._path)}") from exc

    def delete_before(self, ts_ms: int, at_most: int) -> int:
        """Delete rows and gaps older than a time, some at once; how many went."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            gone = 0
            for table, key in (("row", ts_ms * 1000), ("host_row", ts_ms // 1000)):
                oldest = f"SELECT rowid FROM {table} WHERE rowid < ? ORDER BY rowid LIMIT ?"
                gone += self._connection.execute(
                    f"DELETE FROM {table} WHERE rowid IN ({oldest})", (key, at_most)
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
        """Close the file; the last one out writes the log back into it."""
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

    def _is_same_file(self) -> bool:
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def _insert_row(
        self, entry: Entry, row: WaitingRow, known: Known, synchronised: bool | None
    ) -> None:
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
                self._eras.of(row.stamp, synchronised),
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

    def _note_agent_down(self, entry: Entry, event: Event, known: Known) -> None:
        """A gap from the end of the run before to this one's start, once for each device.

        With a clock that is not set yet this run seems to start before the other ended: then
        the gap ends at the first sample that lies behind it.
        """
        since_ms = self._down_since_ms
        if since_ms is None or entry.id in self._noted_down:
            return
        end_ms = self._run_start_ms
        if end_ms <= since_ms:
            if not isinstance(event, WaitingRow) or event.stamp.ts_ms <= since_ms:
                return
            end_ms = event.stamp.ts_ms
        self._noted_down.add(entry.id)
        if not entry.is_new and end_ms - since_ms > GAP_INTERVALS * known.interval_s * 1000:
            self._insert_gap(entry, since_ms, end_ms, Reason.AGENT_DOWN, "")

    def _note_dropped(self, device: str, lost: Dropped, known: Known) -> None:
        entry = self._book.entry(device, known.kind)
        detail = f"{lost.count} samples dropped, the store could not be written"
        self._insert_gap(entry, lost.first_ms, lost.last_ms, Reason.STORE, detail)

    def _insert_gap(
        self, entry: Entry, start_ms: int, end_ms: int | None, reason: Reason, detail: str
    ) -> int:
        cursor = self._connection.execute(
            "INSERT INTO gap(device, start_ms, end_ms, reason, detail) VALUES(?, ?, ?, ?, ?)",
            (entry.id, start_ms, end_ms, reason, detail),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _open_gap(self, entry: Entry, event: GapOpened) -> None:
        self._open_gaps[entry.id] = self._insert_gap(
            entry, event.start_ms, None, event.reason, event.detail
        )

    def _close_gap(self, entry: Entry, event: GapClosed) -> None:
        gap = self._open_gaps.pop(entry.id, None)
        if gap is not None:
            self._connection.execute("UPDATE gap SET end_ms = ? WHERE id = ?", (event.end_ms, gap))


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_mode = WAL")
        # The log is written over from its start, never cut: growing it again costs metadata.
        connection.execute("PRAGMA journal_size_limit = -1")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


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
    return text
