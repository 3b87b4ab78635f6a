"""Turns rows that are old into blocks, in pieces of about an hour for each device."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import attrs

from agent.clock import CLOCK_SET_MS
from agent.model import Value
from agent.store.book import path_from
from agent.store.codec import Piece
from agent.store.making import Made, columns_in, made_of_piece
from agent.store.newest import Newest
from agent.store.planning import Extent, groups
from agent.store.query import open_to_read
from agent.store.replacing import LISTED, Kept, Replacement, Workplace
from agent.store.rows import Layout, Path, decode, layout_from
from agent.store.schema import SAMPLE_TABLES

# In one step; an hour of a device that is polled each second, or 10 MB of Python objects.
ROWS, VALUES = 4000, 250_000
LOOKED_AT = 20_000  # rows among which one step looks for old ones
NEVER = -(1 << 63)  # before all keys

Belongs = Callable[[str, str], bool]  # whether rows of a device, by name and kind, are meant


@attrs.frozen
class Age:
    """Once a row is older than ``oldest_s``, all that are older than ``youngest_s`` are sealed."""

    oldest_s: float
    youngest_s: float


@attrs.frozen
class _Row:
    """A row, with its values in the order of its layout's positions."""

    key: int
    device: int
    ts_ms: int
    layout: int
    clock: int
    values: Sequence[Value]


@attrs.frozen
class _Book:
    """What the numbers in rows stand for."""

    layouts: Mapping[int, Layout]
    paths: Mapping[tuple[int, int], Path]  # by device and position


class SealRows:
    """The step that seals old rows of a table, of those devices that ``belongs`` says.

    A row is old by its key or by its time: each may be wrong where the clock was.
    """

    def __init__(self, workplace: Workplace, table: str, age: Age, belongs: Belongs) -> None:
        self._workplace = workplace
        self._table = table
        self._age = age
        self._belongs = belongs
        self._kept = Kept(table)
        self._passed = NEVER  # up to this key there is nothing to seal, now and later

    def __call__(self) -> bool:
        """Seal what is old, as much as goes in one step; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        with closing(open_to_read(self._workplace.path)) as connection:
            keys, has_more = self._choose(connection)
            if not keys:
                return has_more
            book = _Book(_layouts(connection), _paths(connection))
            rows = self._read(connection, keys, book)
        replacement = Replacement(self._workplace, self._table, self._kept)
        for device in sorted({row.device for row in rows}):
            own = [row for row in rows if row.device == device]
            for group in groups([_extent(row) for row in own]):
                chosen = own[group.start : group.stop]
                replacement.make([row.key for row in chosen], partial(self._made, chosen, book))
        return replacement.write(changes_hours=True) or has_more

    def _choose(self, connection: sqlite3.Connection) -> tuple[list[int], bool]:
        """The keys of rows to seal, the oldest ones; whether there may be others behind them."""
        last = self._last(connection)
        if last is None:
            return [], False
        devices = connection.execute("SELECT id, name, kind FROM device")
        meant = {id_ for id_, name, kind in devices if self._belongs(name, kind)}
        widths = {id_: len(layout) for id_, layout in _layouts(connection).items()}
        sql = (
            f"SELECT rowid, device, ts_ms, layout FROM {self._table} WHERE rowid > ? "
            "ORDER BY rowid LIMIT ?"
        )
        keys: list[int] = []
        values = looked_at = 0
        for key, device, ts_ms, layout in connection.execute(sql, (self._passed, LOOKED_AT)):
            looked_at += 1
            if device in meant and key not in self._kept:
                age_s = self._age.youngest_s if keys else self._age.oldest_s
                if not self._is_old(key, ts_ms, last, age_s):
                    return keys, False
                keys.append(key)
                values += widths[layout]
                if len(keys) == ROWS or values >= VALUES:
                    return keys, True
            elif not keys:
                self._passed = key
        return keys, looked_at == LOOKED_AT

    def _last(self, connection: sqlite3.Connection) -> Newest | None:
        """What rows are old beside; ``None``: there are none to look at."""
        sql = f"SELECT rowid, ts_ms FROM {self._table} ORDER BY rowid DESC LIMIT 1"
        row = connection.execute(sql).fetchone()
        if row is None or row[0] <= self._passed:
            return None
        if self._table == "row":  # with whose keys those of batches are counted
            (batch,) = connection.execute("SELECT max(id) FROM batch").fetchone()
            if batch is not None and batch > row[0]:
                return Newest(batch, batch // 1000)
        return Newest(*row)

    def _is_old(self, key: int, ts_ms: int, last: Newest, age_s: float) -> bool:
        by_key_s = (last.key - key) * SAMPLE_TABLES[self._table] / 1_000_000
        by_time_s = (last.ts_ms - ts_ms) / 1000
        return by_key_s > age_s or (ts_ms >= CLOCK_SET_MS and by_time_s > age_s)

    def _read(self, connection: sqlite3.Connection, keys: Sequence[int], book: _Book) -> list[_Row]:
        sql = (
            f"SELECT rowid, device, ts_ms, layout, clock, v FROM {self._table} "
            f"WHERE rowid {LISTED} ORDER BY rowid"
        )
        rows = []
        for key, device, ts_ms, layout, clock, text in connection.execute(sql, (json.dumps(keys),)):
            try:
                values = _values(decode(text), device, book.layouts[layout], book)
            except (ValueError, LookupError, TypeError) as exc:  # another program wrote into it
                self._kept.keep_unreadable(key, exc)
            else:
                rows.append(_Row(key, device, ts_ms, layout, clock, values))
        return rows

    def _made(self, rows: Sequence[_Row], book: _Book) -> Made:
        layouts = {row.layout: book.layouts[row.layout] for row in rows}
        columns: dict[int, list[Value]] = {position: [] for position in columns_in(layouts)}
        for row in rows:
            for position, value in zip(layouts[row.layout], row.values, strict=True):
                columns[position].append(value)
        piece = Piece(
            rows[0].device,
            [row.key for row in rows],
            [row.ts_ms for row in rows],
            [row.clock for row in rows],
            [row.layout for row in rows],
            layouts,
            columns,
        )
        return made_of_piece(piece, self._workplace.pause)


def _values(root: Any, device: int, layout: Layout, book: _Book) -> list[Value]:
    found = []
    for position in layout:
        value = root
        for index in book.paths[device, position]:
            value = value[index]
        found.append(value)
    return found


def _extent(row: _Row) -> Extent:
    width = len(row.values)
    return Extent(1, width, row.ts_ms, row.ts_ms, frozenset([(row.layout, width)]))


def _layouts(connection: sqlite3.Connection) -> dict[int, Layout]:
    found = connection.execute("SELECT id, positions FROM layout")
    return {id_: layout_from(positions) for id_, positions in found}


def _paths(connection: sqlite3.Connection) -> dict[tuple[int, int], Path]:
    found = connection.execute("SELECT device, position, path FROM metric")
    return {(device, position): path_from(path) for device, position, path in found}
