"""Reads a table of a store through SQLite, past what is damaged in it."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from agent.store.repair.look import is_damage

AT_ONCE = 200  # lines of one question
BACKWARDS = "the keys of a page are not in order"
LEAST_KEY, MOST_KEY = -(1 << 63), (1 << 63) - 1


@attrs.frozen
class Unread:
    """Keys after ``after`` and before ``before`` can't be read; ``None``: up to the end."""

    after: int | None
    before: int | None
    why: str


Row = tuple[Any, ...]


def scan(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    at_once: int = AT_ONCE,
    start: int = LEAST_KEY,
) -> Iterator[list[Row] | Unread]:
    """Lines with their keys before the columns, in the order of keys, some at a time."""
    # A text that is damaged is no UTF-8; whoever looks at it can tell by what it has instead.
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    # Not "rowid > ?": what comes before would be looked at, too.
    sql = (
        f"SELECT rowid, {', '.join(columns)} FROM {table} NOT INDEXED "
        "WHERE rowid >= ? ORDER BY rowid LIMIT ?"
    )
    last: int | None = None
    unread: Unread | None = None
    while True:
        rows, error = _some(connection, sql, start, at_once)
        if rows:
            if unread is not None:
                yield unread
                unread = None
            yield rows
            last = rows[-1][0]
            if last == MOST_KEY:
                return
            start = last + 1
        if error is not None:
            found = _next_key(connection, table, start)
            unread = Unread(last, found, error)
            if found is None:
                yield unread
                return
            # The key of a line may be read, and the line not.
            start = found + 1 if found == start else found
        elif len(rows) < at_once:
            if unread is not None:
                yield attrs.evolve(unread, before=None)
            return


def _some(
    connection: sqlite3.Connection, sql: str, start: int, count: int
) -> tuple[list[Row], str | None]:
    """Lines up to where one can't be read, and why not."""
    try:
        return _in_order(connection.execute(sql, (start, count)).fetchall(), start)
    except sqlite3.Error as exc:
        if not is_damage(exc):
            raise
    rows: list[Row] = []
    while True:  # one by one: before Python hands out a line, it looks for the next
        try:
            row = connection.execute(sql, (start, 1)).fetchone()
        except sqlite3.Error as exc:
            if not is_damage(exc):
                raise
            return rows, str(exc)
        if row is None or len(rows) == count:
            return rows, None
        if row[0] < start:
            return rows, BACKWARDS
        rows.append(row)
        start = row[0] + 1


def _in_order(rows: list[Row], start: int) -> tuple[list[Row], str | None]:
    """Lines up to the first one whose key is too small: who follows it never comes to an end."""
    for number, row in enumerate(rows):
        if row[0] < start:
            return rows[:number], BACKWARDS
        start = row[0] + 1
    return rows, None


def _next_key(connection: sqlite3.Connection, table: str, start: int) -> int | None:
    """The first key from ``start`` on that can be read: ever further ahead, then back by halves."""
    found = _readable(connection, table, start)
    reach = 1
    while found is None and start + reach < MOST_KEY:
        found = _readable(connection, table, start + reach)
        reach *= 2
    low, high = start + reach // 4, start + reach // 2
    while found is not None and high - low > 1:
        middle = (low + high) // 2
        closer = _readable(connection, table, middle)
        if closer is None:
            low = middle
        else:
            high, found = middle, closer
    return found


def _readable(connection: sqlite3.Connection, table: str, key: int) -> int | None:
    """The first key from ``key`` on, if the way there is whole."""
    sql = f"SELECT rowid FROM {table} NOT INDEXED WHERE rowid >= ? ORDER BY rowid LIMIT 1"
    try:
        row = connection.execute(sql, (key,)).fetchone()
    except sqlite3.Error as exc:
        if not is_damage(exc):
            raise
        return None
    return None if row is None or row[0] < key else int(row[0])
