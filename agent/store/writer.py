"""The one writing connection: opens the file, commits what waited, notes gaps."""

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.clock import Clock
from agent.errors import StoreError
from agent.model import Reason
from agent.store import witness
from agent.store.batches import Batches, Reading
from agent.store.book import Book, Entry
from agent.store.connection import bystander, connect, file_at, prepare, why
from agent.store.eras import Eras
from agent.store.gaps import Gaps
from agent.store.log_file import LOG_BYTES, LogFile
from agent.store.newest import newest
from agent.store.rows import arrange
from agent.store.schema import SAMPLE_TABLES
from agent.store.views import table_of
from agent.store.waiting import Dropped, Event, GapOpened, Known, WaitingRow

log = logging.getLogger(__name__)

LAG_STEP_MS = 600_000  # keys may run this far ahead of the time before it is written down
COUNTED_WITH = {"batch": "row"}  # numbers of batches are keys among those of rows


class Writer:
    """An open file with its numbers in memory. Any error makes it unusable: open another.

    ``connection``, ``book`` and ``next_key`` are for what is done within ``transaction()``.

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
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self._path = path
        self._clock = clock
        self._version = version
        self._run_start_ms = run_start_ms
        self._warn = warn
        try:
            self.connection = connect(path)
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(f"cannot open {path}: {why(exc, path)}") from exc
        try:
            prepare(self.connection, path, log_bytes)
            self._file = file_at(path)
            self._log_file = LogFile(path, log_bytes)
            self.book = Book(self.connection, warn)
            self._eras = Eras(self.connection, clock.boot_id)
            self._gaps = Gaps(self.connection, run_start_ms)
            self._batches = Batches(self.connection, warn)
            self._newest = newest(self.connection)
            self._last = dict.fromkeys(SAMPLE_TABLES, 0)
            self._last |= {table: one.key for table, one in self._newest.items()}
            self.lag_ms = self._scalar("SELECT value FROM meta WHERE key = 'lag_ms'") or 0
            self._run = self._find_run()
        except (sqlite3.Error, OSError) as exc:
            self.connection.close()
            raise StoreError(f"cannot open {path}: {why(exc, path)}") from exc
        except StoreError:
            self.connection.close()
            raise

    def _scalar(self, sql: str, *values: object) -> int | None:
        row = self.connection.execute(sql, values).fetchone()
        return row[0] if row else None

    def _find_run(self) -> int | None:
        """The number of this run, if the file was open in it before.

        Its start may have its true time by now.
        """
        return self._scalar(
            "SELECT id FROM run WHERE boot_id = ?1 AND (start_ms = ?2 OR start_ms - ?2 IN "
            "(SELECT moved_ms FROM clock WHERE boot_id = ?1)) ORDER BY id DESC",
            self._clock.boot_id,
            self._run_start_ms,
        )

    def _start_run(self, devices: Mapping[str, Known]) -> int:
        """Note this run, in the transaction of its first batch, and end what a crash left open."""
        lasting = f"end_ms IS NULL AND reason != '{Reason.AGENT_DOWN}'"
        known = [
            self._scalar("SELECT coalesce(end_ms, start_ms) FROM run ORDER BY id DESC LIMIT 1"),
            self._scalar(f"SELECT max(start_ms) FROM gap WHERE {lasting}"),
            *(one.ts_ms for one in self._newest.values()),
        ]
        since = [ms for ms in known if ms is not None]
        if since:
            entries = [entry for name in devices if (entry := self.book.find(name)) is not None]
            self._gaps.start_run(max(since), entries)
            self._eras.run_starts(max(since))
        cursor = self.connection.execute(
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
        """Write what waited in one transaction, synced when this returns.

        ``described`` are the devices whose units and helps may differ from those in the file.
        ``mark`` is told, just before the end, by what one can tell later that it was reached.
        """
        self._tend_log()
        with self.transaction():
            before = witness.newest(self.connection) if mark is not None else {}
            # Asked in the other order, a step in between would make the wrong time a right one.
            synchronised = self._clock.is_synchronised()
            self._eras.look(self._clock.stamp(), synchronised, self._last)
            self._run = self._run or self._start_run(devices)
            for name in described:
                self._describe(name, devices[name])
            for name, lost in dropped.items():
                known = devices[name]
                self._gaps.note_dropped(self._entry(name, known), lost, known.interval_s)
            for event in events:
                self._write(event, devices[event.device])
            self._eras.now()  # gaps have times, too
            self._batches.write()
            self.book.finish()
            if mark is not None:
                made = witness.made(before, witness.newest(self.connection))
                if made is not None:
                    mark(made)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done in it is in the file, synced, when it ends; after an error nothing of it."""
        try:
            if file_at(self._path) != self._file:
                raise StoreError(f"{self._path} was replaced or removed while in use")
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc

    def _tend_log(self) -> None:
        try:
            is_held = self._log_file.tend(self.connection)
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc
        if is_held:
            self._warn(
                f"{self._path}-wal grows and takes up the disk, since another program has been "
                f"reading {self._path} for long: close that program, to find it: fuser {self._path}"
            )

    def holds(self, made: witness.Witness | None) -> bool:
        """Whether the transaction is in the file, to stay, that ``mark`` was told of."""
        try:
            is_there = made is not None and witness.holds(self.connection, made)
            if is_there:  # perhaps in a log that was never synced
                self._write_back("PASSIVE")
            return is_there
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc

    def _write(self, event: Event, known: Known) -> None:
        entry = self._entry(event.device, known)
        if isinstance(event, WaitingRow):
            # A sample ends a gap also when the event that said so had to be dropped.
            self._gaps.close(entry, event.stamp.ts_ms, known.interval_s)
            self._add(entry, event, known)
        elif isinstance(event, GapOpened):
            self._gaps.open(entry, event, known.interval_s)
        else:
            self._gaps.close(entry, event.end_ms, known.interval_s)

    def _entry(self, name: str, known: Known) -> Entry:
        return self.book.entry(name, known.kind, plain=known.plain)

    def _describe(self, name: str, known: Known) -> None:
        entry = self.book.find(name)
        if entry is not None:
            self.book.describe(entry, [*known.metrics.values()])

    def end_run(self, end_ms: int) -> None:
        """Note that the agent stopped in order; the file is whole without its log then.

        The note alone stands in the log: all that stands there is written again by the next run.
        """
        try:
            self._write_back("RESTART")
            self.connection.execute("UPDATE run SET end_ms = ? WHERE id = ?", (end_ms, self._run))
            self._write_back("PASSIVE")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot write {self._path}: {why(exc, self._path)}") from exc

    def _write_back(self, mode: str) -> None:
        busy, *_ = self.connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        if busy:  # what is left in the log, the next run takes from there
            log.debug("%s: its log is not emptied, somebody reads it right now", self._path)

    def close(self) -> None:
        """Close the file, and leave its log and the log's index beside it.

        Made anew with each start, they cost 90 kB of writing more. And somebody who may not write
        the folder, such as a guest with the sqlite3 shell, needs them for reading.
        """
        try:
            with bystander(self._path):
                self.connection.close()
        except sqlite3.Error as exc:
            raise StoreError(f"cannot close {self._path}: {why(exc, self._path)}") from exc

    def abandon(self) -> None:
        """Let go of the file after an error, in whatever state it is."""
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error as exc:
            log.debug("rolling back %s: %s", self._path, exc)
        try:
            self.connection.close()
        except sqlite3.Error as exc:
            log.debug("closing %s: %s", self._path, exc)

    def _add(self, entry: Entry, row: WaitingRow, known: Known) -> None:
        places = self.book.places(entry, row.names, known.metrics)
        ts_ms = row.stamp.ts_ms
        clock = self._eras.of(row.stamp)
        table = table_of(entry.kind)
        key = self.next_key(table, ts_ms)
        if known.plain:
            text = arrange(row.text, places.paths)
            self.connection.execute(
                f"INSERT INTO {table} VALUES(?, ?, ?, ?, ?, ?)",
                (key, entry.id, ts_ms, places.layout, clock, text),
            )
            return
        # All batches lie in one table: that of a host needs a number among the others', too.
        id_ = key if table == COUNTED_WITH["batch"] else self.next_key("batch", ts_ms)
        self._batches.add(entry, Reading(id_, key, ts_ms, clock, places, row.text))

    def next_key(self, table: str, ts_ms: int) -> int:
        """A key for a new line of ``row``, ``host_row`` or ``batch``, inside the transaction."""
        table = COUNTED_WITH.get(table, table)
        scale = SAMPLE_TABLES[table]
        key = max(ts_ms * 1000 // scale, self._last[table] + 1)
        self._last[table] = key
        self._note_lag(key * scale // 1000 - ts_ms)
        return key

    def past_key(self, table: str, key: int, ts_ms: int) -> int:
        """A key for a row of the past, inside the transaction: ``key``, or the next free one."""
        while self._scalar(f"SELECT 1 FROM {table} WHERE rowid = ?", key) is not None:
            key += 1
        self.note_key(table, key, ts_ms)
        return key

    def note_key(self, table: str, key: int, ts_ms: int) -> None:
        """A sample that was there already has this key now, inside the transaction."""
        self._last[table] = max(self._last[table], key)
        self._note_lag(key * SAMPLE_TABLES[table] // 1000 - ts_ms)

    def reread(self) -> None:
        """Somebody changed clocks or gaps in the transaction."""
        self._eras = Eras(self.connection, self._clock.boot_id)
        self._gaps = Gaps(self.connection, self._run_start_ms)

    def _note_lag(self, lag_ms: int) -> None:
        """Keep the bound by which keys run ahead of times: readers widen their range by it."""
        if lag_ms <= self.lag_ms:
            return
        self.lag_ms = max(LAG_STEP_MS, 2 * lag_ms)
        self.connection.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES('lag_ms', ?)", (self.lag_ms,)
        )
