"""The step of upkeep that reads the whole store now and then, to find damage before anybody else.

A few lines with each call, so that no reading transaction lasts and keeps the log from being
emptied. What it reads is checked by its checksums only.
"""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from agent.clock import Clock
from agent.errors import StoreError
from agent.model import Reason
from agent.store.codec import Block, Damaged
from agent.store.moment import time_text
from agent.store.query import Reader, open_to_read
from agent.store.repair.losses import holes
from agent.store.repair.scan import LEAST_KEY, Row, Unread, scan
from agent.store.repair.target import put_gap
from agent.store.replacing import StoppedError, Workplace
from agent.store.rows import decode
from agent.store.schema import SAMPLE_TABLES
from agent.store.writer import Writer

log = logging.getLogger(__name__)

FIRST_S = 1800.0  # after the start of the agent
AGAIN_S = 7 * 86_400.0  # a year's store is some hundred MB, and reading is all it takes
COLUMNS = {
    "block": ("device", "first_ms", "last_ms", "count", "data"),
    "batch": ("device", "data"),
    "row": ("device", "layout", "v", "ts_ms", "clock"),
    "host_row": ("device", "layout", "v", "ts_ms", "clock"),
}
INDEX = "block_time"
TABLES = (
    "meta", "run", "clock", "device", "metric", "layout", "gap", "aggregate", "catalogue", "block",
    "batch", "row", "host_row", INDEX,
)  # fmt: skip
STEPS = 20_000  # instructions of SQLite between two looks whether to stop
SUMS = (
    "SELECT count(*), sum(id), sum(device), sum(first_ms % 1000003), sum(last_ms % 1000003), "
    "sum(first_key % 1000003), sum(last_key % 1000003), sum(count) FROM block {}"
)
HOW = ("INDEXED BY block_time", "NOT INDEXED")
AT_ONCE = {"block": 8, "batch": 100, "row": 200, "host_row": 200}


class CheckStore:
    """Whether there is more to do is what a call says.

    Args:
        give_up: Has the store go on in a new file; what is in this one is saved then.
    """

    def __init__(self, workplace: Workplace, clock: Clock, give_up: Callable[[str], None]) -> None:
        self._workplace = workplace
        self._clock = clock
        self._give_up = give_up
        self._due_s = clock.monotonic() + FIRST_S
        self._tables: list[str] = []
        self._start = LEAST_KEY
        self._said: set[tuple[str, int]] = set()  # what is known to be damaged

    def __call__(self) -> bool:
        """Look at some lines, when it is time for that.

        Raises:
            StoreError: The store can't be read or written now.
        """
        if not self._tables:
            if self._clock.monotonic() < self._due_s:
                return False
            self._due_s = self._clock.monotonic() + AGAIN_S
            self._tables, self._start = [*TABLES, *COLUMNS], LEAST_KEY
        fault = self._whole_table() if len(self._tables) > len(COLUMNS) else self._some_lines()
        if fault is not None:
            self._tables.clear()
            self._give_up(fault)
        return bool(self._tables)

    def _whole_table(self) -> str | None:
        """Have SQLite look at a table, which takes seconds where it is a large one."""
        table = self._tables.pop(0)
        return self._index_fault() if table == INDEX else self._broken(table)

    def _some_lines(self) -> str | None:
        """Why the file can't stay in use, if so."""
        table = self._tables[0]
        found = self._read(table)
        if isinstance(found, Unread):
            return f"a page of table {table} can't be read: {found.why}"
        if len(found) < AT_ONCE[table]:
            del self._tables[0]
            self._start = LEAST_KEY
        else:
            self._start = found[-1][0] + 1
        return self._fault(table, found)

    def _layouts(self) -> dict[int, int]:
        """The device of each layout."""
        with closing(open_to_read(self._workplace.path)) as connection:
            return dict(connection.execute("SELECT id, device FROM layout"))

    def _index_fault(self) -> str | None:
        """Blocks are found by their index: what that says has to be what they say."""
        with closing(open_to_read(self._workplace.path)) as connection:
            try:
                sums = [connection.execute(SUMS.format(how)).fetchone() for how in HOW]
            except sqlite3.Error as exc:
                raise StoreError(f"cannot read {self._workplace.path}: {exc}") from exc
        return None if sums[0] == sums[1] else "the index of its blocks is damaged"

    def _read(self, table: str) -> Sequence[Row] | Unread:
        with closing(open_to_read(self._workplace.path)) as connection:
            try:
                lines = scan(connection, table, COLUMNS[table], AT_ONCE[table], self._start)
                return next(lines, [])
            except sqlite3.Error as exc:
                raise StoreError(f"cannot read {self._workplace.path}: {exc}") from exc

    def _fault(self, table: str, rows: Sequence[Row]) -> str | None:
        """Why the file can't stay in use, if so; what is damaged in it by itself is noted."""
        if table in SAMPLE_TABLES:
            return _row_fault(rows, self._layouts())
        damaged = [row for row in rows if _why_damaged(row[-1], row[1]) is not None]
        for row in damaged:
            if (table, row[0]) in self._said:
                continue
            self._said.add((table, row[0]))
            if table == "block":
                self._note(row[1], row[2], row[3], f"{row[4]} samples lost, block {row[0]}")
            else:
                self._note_missing(row[1], row[0] // 1000, f"batch {row[0]}")
        return None

    def _broken(self, table: str) -> str | None:
        """What SQLite finds wrong with a table."""
        with closing(open_to_read(self._workplace.path)) as connection:
            connection.set_progress_handler(self._pause, STEPS)
            try:
                ((text,), *_) = connection.execute(f"PRAGMA quick_check('{table}')").fetchall()
            except sqlite3.Error as exc:
                self._workplace.pause()
                raise StoreError(f"cannot read {self._workplace.path}: {exc}") from exc
        return None if text == "ok" else str(text).splitlines()[-1]

    def _pause(self) -> int:
        """Whether SQLite is to leave off: the agent stops."""
        try:
            self._workplace.pause()
        except StoppedError:
            return 1
        return 0

    def _note_missing(self, device: int, ts_ms: int, what: str) -> None:
        """A batch does not say how many samples it had: those around it do."""
        with closing(open_to_read(self._workplace.path)) as connection:
            sql = "SELECT name FROM device WHERE id = ?"
            name = connection.execute(sql, (device,)).fetchone()
        with Reader(self._workplace.path) as reader:
            found = [] if name is None else [*holes(reader, name[0], (ts_ms, ts_ms))]
        for loss in found:
            if loss is not None:
                self._note(device, loss.first_ms, loss.last_ms, f"{loss.text} lost, {what}")

    def _note(self, device: int, first_ms: int, last_ms: int, detail: str) -> None:
        log.error(
            "device %d: %s is damaged, from %s to %s",
            device, detail, time_text(first_ms), time_text(last_ms),
        )  # fmt: skip
        detail = f"{detail} is damaged"

        def note(writer: Writer) -> None:
            put_gap(writer.connection, device, first_ms, last_ms, Reason.DAMAGED, detail)

        self._workplace.transact(note)


def _row_fault(rows: Sequence[Row], layouts: Mapping[int, int]) -> str | None:
    """By what one sees that a row is damaged, if one is."""
    for key, device, layout, text, *_ in rows:
        try:
            text.encode("utf-8")
            if layouts.get(layout) == device and isinstance(decode(text), list):
                continue
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        return f"row {key} is damaged"
    return None


def _why_damaged(data: bytes, device: int) -> str | None:
    try:
        return None if Block(data).device == device else "it is another device's"
    except (Damaged, TypeError) as exc:
        return str(exc)
