"""The one writing connection: opens the file, commits batches, notes gaps."""

import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from agent.clock import CLOCK_SET_MS, Clock
from agent.errors import StoreError
from agent.model import Reason
from agent.store import witness
from agent.store.book import Book, Entry
from agent.store.connection import bystander, connect, file_at, prepare, why
from agent.store.eras import Eras
from agent.store.gaps import Gaps
from agent.store.rows import arrange
from agent.store.schema import SAMPLE_TABLES
from agent.store.views import table_of
from agent.store.waiting import Dropped, Event, GapOpened, Known, WaitingRow

log = logging.getLogger(__name__)

LAG_STEP_MS = 600_000  # keys may run this far ahead of the time before it is written down
LOOKED_AT = 100_000  # rows in which one step looks for old ones


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
            self._connection = connect(path)
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(f"cannot open {path}: {why(exc, path)}") from exc
        try:
            prepare(self._connection, path)
            self._file = file_at(path)
            self._book = Book(self._connection, warn)
            self._eras = Eras(self._connection, clock.boot_id)
            self._gaps = Gaps(self._connection, run_start_ms)
            self._last = {
                t: self._scalar(f"SELECT max(rowid) FROM {t}") or 0 for t in SAMPLE_TABLES
            }
            self._lag_ms = self._scalar("SELECT value FROM meta WHERE key = 'lag_ms'") or 0
            self._run = self._find_run()
        except (sqlite3.Error, OSError) as exc:
            self._connection.close()
            raise StoreError(f"cannot open {path}: {why(exc, path)}") from exc
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
        newest = [f"SELECT ts_ms FROM {t} ORDER BY rowid DESC LIMIT 1" for t in SAMPLE_TABLES]
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
            if file_at(self._path) != self._file:
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
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc

    def holds(self, made: witness.Witness | None) -> bool:
        """Whether the transaction is in the file, to stay, that ``mark`` was told of."""
        try:
            is_there = made is not None and witness.holds(self._connection, made)
            if is_there:  # perhaps in a log that was never synced
                self._write_back("PASSIVE")
            return is_there
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc

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
            for table, scale in SAMPLE_TABLES.items():
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
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc
        return gone

    def end_run(self, end_ms: int) -> None:
        """Note that the agent stopped in order; the file is whole without its log then.

        The note alone stands in the log: all that stands there is written again by the next run.
        """
        try:
            self._write_back("RESTART")
            self._connection.execute("UPDATE run SET end_ms = ? WHERE id = ?", (end_ms, self._run))
            self._write_back("PASSIVE")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc

    def _write_back(self, mode: str) -> None:
        busy, *_ = self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        if busy:  # what is left in the log, the next run takes from there
            log.debug("%s: its log is not emptied, somebody reads it right now", self._path)

    def close(self) -> None:
        """Close the file, and leave its log and the log's index beside it.

        Made anew with each start, they cost 90 kB of writing more. And somebody who may not write
        the folder, such as a guest with the sqlite3 shell, needs them for reading.
        """
        try:
            with bystander(self._path):
                self._connection.close()
        except sqlite3.Error as exc:
            raise StoreError(f"cannot close {self._path}: {why(exc, self._path)}") from exc

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
        scale = SAMPLE_TABLES[table]
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
