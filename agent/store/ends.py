"""When the oldest and the newest of what lies in a file were read, and how much is newer."""

import sqlite3
from collections.abc import Iterator

from agent.clock import CLOCK_SET_MS
from agent.store.schema import SAMPLE_TABLES
from agent.store.views import table_of

DAY_MS = 86_400_000  # from the first to the last sample of a block at most
ROW_BYTES = 30  # of a row beside its values
ROWS = 2000  # at either end of a table of rows; the clock may have been wrong for so many


def time_of(ts_ms: int, key: int, scale: int) -> int:
    """When something was read: a time before the clock was ever set says nothing, its key does.

    >>> time_of(1000, 1_795_176_000_000_000, 1)
    1795176000000
    """
    return ts_ms if ts_ms >= CLOCK_SET_MS else key * scale // 1000


def oldest_ms(connection: sqlite3.Connection) -> int | None:
    """When the oldest row, the first of a batch, or the last of a block was read."""
    return min([*_rows(connection, ""), *_first_batch(connection), *_oldest_blocks(connection)],
               default=None)  # fmt: skip


def newest_ms(connection: sqlite3.Connection) -> int | None:
    """When the newest sample was read, more or less: that of a batch counts from its first."""
    found = [*_rows(connection, "DESC")]
    found += [key // 1000 for (key,) in _some(connection, "SELECT max(id) FROM batch")]
    found += [last for (last,) in _some(connection, "SELECT max(last_ms) FROM block")]
    return max(found, default=None)


def kept_ms(connection: sqlite3.Connection, now_ms: int) -> int | None:
    """Since when all is kept whatever comes: a day before the newest sample.

    One that a wrong clock put into the future does not count.
    """
    newest = newest_ms(connection)
    if newest is None:
        return None
    return (newest if now_ms < CLOCK_SET_MS else min(newest, now_ms)) - DAY_MS


def bytes_since(connection: sqlite3.Connection, since_ms: int) -> int:
    """How many bytes of samples are newer than that, more or less."""
    found = 0
    for table, scale in SAMPLE_TABLES.items():
        sql = f"SELECT total(length(v) + ?) FROM {table} WHERE rowid >= ?"
        (size,) = connection.execute(sql, (ROW_BYTES, since_ms * 1000 // scale)).fetchone()
        found += int(size)
    sql = "SELECT total(length(data)) FROM batch WHERE id >= ?"
    found += int(connection.execute(sql, (since_ms * 1000,)).fetchone()[0])
    sql = (
        "SELECT total(length(data)) FROM block WHERE device = ? AND first_ms >= ? AND last_ms >= ?"
    )
    for (device,) in connection.execute("SELECT id FROM device").fetchall():
        (size,) = connection.execute(sql, (device, since_ms - DAY_MS, since_ms)).fetchone()
        found += int(size)
    return found


def _rows(connection: sqlite3.Connection, order: str) -> Iterator[int]:
    for table, scale in SAMPLE_TABLES.items():
        sql = f"SELECT rowid, ts_ms FROM {table} ORDER BY rowid {order} LIMIT ?"
        for key, ts_ms in connection.execute(sql, (ROWS,)):
            yield time_of(ts_ms, key, scale)


def _first_batch(connection: sqlite3.Connection) -> Iterator[int]:
    for (key,) in _some(connection, "SELECT min(id) FROM batch"):
        yield key // 1000


def _oldest_blocks(connection: sqlite3.Connection) -> Iterator[int]:
    for device, kind in connection.execute("SELECT id, kind FROM device").fetchall():
        scale = SAMPLE_TABLES[table_of(kind)]
        sql = "SELECT min(last_key) FROM block WHERE device = ? AND first_ms < ?"
        for (key,) in _some(connection, sql, device, CLOCK_SET_MS):
            yield key * scale // 1000
        sql = (
            "SELECT min(last_ms) FROM block WHERE device = ?1 AND first_ms BETWEEN ?2 AND ?3 + "
            "(SELECT min(first_ms) FROM block WHERE device = ?1 AND first_ms >= ?2)"
        )
        for (last_ms,) in _some(connection, sql, device, CLOCK_SET_MS, DAY_MS):
            yield last_ms


def _some(connection: sqlite3.Connection, sql: str, *values: int) -> list[tuple[int]]:
    """The answer, without the NULL of an empty table."""
    return [row for row in connection.execute(sql, values) if row[0] is not None]
