"""Deleting what is older than a time: in steps so small that no commit waits long for one."""

import sqlite3
from collections.abc import Callable

from agent.clock import CLOCK_SET_MS
from agent.model import Reason
from agent.store.aggregates import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from agent.store.batches import SPAN_MS
from agent.store.codec import Block, Damaged
from agent.store.deleted import Deletions
from agent.store.ends import time_of
from agent.store.schema import SAMPLE_TABLES
from agent.store.views import table_of

ROWS_AT_ONCE, BATCHES_AT_ONCE, BLOCKS_AT_ONCE = 2000, 100, 64
BYTES_AT_ONCE = 2 << 20  # of blocks: all pages of one are read for deleting it
LOOKED_AT = 100_000  # rows in which one step looks for old ones

# Keys run ahead of times after the clock stepped back. A row is old when its time is, also then;
# only a time before the clock was ever set says nothing, and the row goes with its neighbours. It
# is the same with what holds many samples: as a whole.
ROWS = """
    SELECT key, device, ts_ms FROM (
        SELECT rowid AS key, device, ts_ms FROM {table} WHERE rowid < :last ORDER BY rowid
        LIMIT :looked_at
    ) WHERE key < :key OR (ts_ms >= :set AND ts_ms < :ts) LIMIT :at_most
"""
BLOCKS = """
    SELECT id, first_ms, last_ms, first_key, last_key, count, length(data) FROM block
    WHERE device = :device AND first_ms < :ts
    AND (last_key < :key OR (first_ms >= :set AND last_ms < :ts)) LIMIT :at_most
"""
# Its minutes are its own. Hours and their quarters are of all blocks of a day: without one of them
# they would tell of samples that are gone, and readers make them of what is left as well.
MINUTES = """
    DELETE FROM aggregate
    WHERE device = ? AND span_ms = ? AND block = ? AND start_ms BETWEEN ? AND ?
"""
DAYS = """
    DELETE FROM aggregate WHERE device = ? AND span_ms IN (?, ?) AND start_ms BETWEEN ? AND ?
"""
GAPS = """
    DELETE FROM gap WHERE end_ms < :ts AND reason != :retention AND NOT EXISTS (
        SELECT 1 FROM block WHERE block.device = gap.device
        AND first_ms > gap.start_ms - :day AND first_ms < :ts AND last_ms >= :ts
    )
"""


class ByAge:
    """One deletion of all that is older than a time; ``deletions`` are told what went."""

    def __init__(self, ts_ms: int, deletions: Deletions) -> None:
        self._ts_ms = ts_ms
        self._deletions = deletions
        self._lag_ms = 0
        self._after = -(2**63)  # the number of the newest batch that was looked at
        self._parts: list[Callable[[sqlite3.Connection], bool]] = [
            self._rows, self._batches, self._blocks,
        ]  # fmt: skip

    def step(self, connection: sqlite3.Connection, lag_ms: int) -> bool:
        """A step, inside a transaction; whether there may be more to do.

        Keys run ahead of times by at most ``lag_ms``.
        """
        self._lag_ms = lag_ms
        while self._parts:
            has_more = self._parts[0](connection)
            self._deletions.write(connection)
            if has_more:
                return True
            del self._parts[0]
        limits = {"ts": self._ts_ms, "retention": Reason.RETENTION, "day": DAY_MS}
        connection.execute(GAPS, limits)
        return False

    def _rows(self, connection: sqlite3.Connection) -> bool:
        gone = 0
        for table, scale in SAMPLE_TABLES.items():
            limits = {
                "key": self._ts_ms * 1000 // scale,
                "last": (self._ts_ms + self._lag_ms) * 1000 // scale,
                "set": CLOCK_SET_MS,
                "ts": self._ts_ms,
                "looked_at": LOOKED_AT,
                "at_most": ROWS_AT_ONCE,
            }
            found = connection.execute(ROWS.format(table=table), limits).fetchall()
            for key, device, ts_ms in found:
                moment = time_of(ts_ms, key, scale)
                self._deletions.add(device, moment, moment, 1)
            sql = f"DELETE FROM {table} WHERE rowid = ?"
            connection.executemany(sql, ((key,) for key, *_ in found))
            gone += len(found)
        return gone >= ROWS_AT_ONCE

    def _batches(self, connection: sqlite3.Connection) -> bool:
        last = (self._ts_ms + self._lag_ms) * 1000
        sql = "SELECT id, device, data FROM batch WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
        found = connection.execute(sql, (self._after, last, BATCHES_AT_ONCE)).fetchall()
        for id_, device, data in found:
            self._after = id_
            old = self._old(id_, data)
            if old is not None:
                connection.execute("DELETE FROM batch WHERE id = ?", (id_,))
                self._deletions.add(device, *old)
        return len(found) == BATCHES_AT_ONCE

    def _old(self, id_: int, data: bytes) -> tuple[int, int, int] | None:
        """From when to when and how many samples are in a batch, if all are old.

        How many were in a damaged one nobody knows.
        """
        is_past = id_ + SPAN_MS * 1000 < self._ts_ms * 1000
        try:
            block = Block(data)
        except Damaged:
            return (id_ // 1000, id_ // 1000, 0) if is_past else None
        is_old = block.first_ms >= CLOCK_SET_MS and block.last_ms < self._ts_ms
        if not (is_past or is_old):
            return None
        first_ms, last_ms = (time_of(ms, id_, 1) for ms in (block.first_ms, block.last_ms))
        return first_ms, last_ms, block.count

    def _blocks(self, connection: sqlite3.Connection) -> bool:
        left, left_bytes = BLOCKS_AT_ONCE, BYTES_AT_ONCE
        for device, kind in connection.execute("SELECT id, kind FROM device").fetchall():
            scale = SAMPLE_TABLES[table_of(kind)]
            limits = {
                "device": device,
                "key": self._ts_ms * 1000 // scale,
                "set": CLOCK_SET_MS,
                "ts": self._ts_ms,
                "at_most": left,
            }
            for id_, *bounds, count, size in connection.execute(BLOCKS, limits).fetchall():
                first_ms, last_ms, first_key, last_key = bounds
                connection.execute("DELETE FROM block WHERE id = ?", (id_,))
                since_ms = first_ms - MINUTE_MS
                connection.execute(MINUTES, (device, MINUTE_MS, id_, since_ms, last_ms))
                day_ms = first_ms // DAY_MS * DAY_MS
                connection.execute(DAYS, (device, QUARTER_MS, HOUR_MS, day_ms, last_ms))
                first_ms = time_of(first_ms, first_key, scale)
                self._deletions.add(device, first_ms, time_of(last_ms, last_key, scale), count)
                left, left_bytes = left - 1, left_bytes - size
                if not left or left_bytes <= 0:
                    return True
        return False
