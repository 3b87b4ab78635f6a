"""Moves plain rows to their true time, some at once."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import chain

from agent.store.query import open_to_read
from agent.store.replacing import StoppedError, Workplace
from agent.store.true_time.moves import Move
from agent.store.writer import Writer

MOVED_AT_ONCE = 500  # rows in one transaction
LOOKED_AT = 10_000  # rows in which one step looks for some
AFTER_ALL = 2**63 - 1
TAKEN = {
    "row": "SELECT 1 FROM row WHERE id = ?1 UNION ALL SELECT 1 FROM batch WHERE id = ?1",
    "host_row": "SELECT 1 FROM host_row WHERE ts = ?1",
}

_Found = tuple[int, int, int]  # key, device, time


class MoveRows:
    """The rows of one table that an era has; called until there are no more.

    Times that come to lie later are moved from the last one on, others from the first one on: so
    the places they move to are free, and readers find all in their order at any moment.
    """

    def __init__(self, workplace: Workplace, move: Move, target: int, table: str) -> None:
        self._workplace = workplace
        self._move = move
        self._target = target
        self._table = table
        self._is_forward = move.moved_ms > 0
        self._passed: int | None = None  # on this side of the key there are none left

    def __call__(self) -> bool:
        """Move some; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        with closing(open_to_read(self._workplace.path)) as connection:
            found, passed = self._find(connection)
        if found:
            keys = [key for key, _, _ in found]
            bounds = min(keys), max(keys)
            if self._workplace.transact(lambda writer: self._write(writer, *bounds)) is None:
                raise StoppedError
        self._passed = passed
        return passed is not None

    def _find(self, connection: sqlite3.Connection) -> tuple[Sequence[_Found], int | None]:
        """The next rows in the order they are moved in, and the key up to which there are none."""
        # Rows of years are not looked through. There is no such bound behind the era: rows of boots
        # before that were moved may lie between those of later ones.
        first, end = self._move.before.keys.get(self._table, -1) + 1, AFTER_ALL
        if self._passed is not None:
            first, end = (first, self._passed) if self._is_forward else (self._passed + 1, end)
        sql = (
            f"SELECT rowid, device, ts_ms, clock FROM {self._table} WHERE rowid >= ? AND rowid < ? "
            f"ORDER BY rowid {'DESC' if self._is_forward else ''} LIMIT ?"
        )
        found: list[_Found] = []
        key, looked_at = None, 0
        for key, device, ts_ms, clock in connection.execute(sql, (first, end, LOOKED_AT)):
            looked_at += 1
            if clock == self._move.era.id:
                found.append((key, device, ts_ms))
                if len(found) > MOVED_AT_ONCE and (count := self._cut(found)):
                    return found[:count], found[count - 1][0]
        return found, key if looked_at == LOOKED_AT else None

    def _cut(self, found: Sequence[_Found]) -> int:
        """How many of them may be moved without the rest: what a device has of one moment stays
        together, so that it stays in order."""
        moments = [(device, self._move.key(self._table, ts_ms)) for _, device, ts_ms in found]
        count, first = len(found), len(found) - 1
        while first < count:
            count, rest = first, {*moments[first:]}
            first = next((n for n, moment in enumerate(moments[:count]) if moment in rest), count)
        return count

    def _write(self, writer: Writer, first: int, last: int) -> bool:
        connection, table = writer.connection, self._table
        sql = (
            f"SELECT rowid, device, ts_ms FROM {table} "
            "WHERE rowid BETWEEN ? AND ? AND clock = ? ORDER BY rowid"
        )
        rows = connection.execute(sql, (first, last, self._move.era.id)).fetchall()
        times = [ts_ms + self._move.moved_ms for _, _, ts_ms in rows]
        if self._move.keeps_keys(table):
            keys = [key for key, _, _ in rows]
        else:
            # Out of the way of each other first: rows have no keys below zero.
            sql = f"UPDATE {table} SET rowid = -1 - rowid WHERE rowid = ?"
            connection.executemany(sql, ((key,) for key, _, _ in rows))
            keys = self._new_keys(connection, rows)
        sql = f"UPDATE {table} SET rowid = ?, ts_ms = ?, clock = ? WHERE rowid = ?"
        was = chain.from_iterable(
            [key] if self._move.keeps_keys(table) else [-1 - key] for key, _, _ in rows
        )
        targets = [self._target] * len(rows)
        connection.executemany(sql, zip(keys, times, targets, was, strict=True))
        for key, ts_ms in zip(keys, times, strict=True):
            writer.note_key(table, key, ts_ms)
        return True

    def _new_keys(self, connection: sqlite3.Connection, rows: Sequence[_Found]) -> list[int]:
        if self._is_forward:
            return self._new_keys_down(connection, rows)
        keys: list[int] = []
        newest: dict[int, int] = {}  # of each device
        given: set[int] = set()
        for _, device, ts_ms in rows:
            key = max(self._move.key(self._table, ts_ms), newest.get(device, -1) + 1)
            key = next_free(connection, self._table, key, given)
            newest[device] = key
            given.add(key)
            keys.append(key)
        return keys

    def _new_keys_down(self, connection: sqlite3.Connection, rows: Sequence[_Found]) -> list[int]:
        """From the last one on: behind them lie those of the clock that was right."""
        keys: list[int] = []
        oldest: dict[int, int] = {}  # of each device
        given: set[int] = set()
        least = self._move.before.keys.get(self._table, -1)
        for _, device, ts_ms in reversed(rows):
            wanted = self._move.key(self._table, ts_ms)
            key = min(wanted, oldest.get(device, wanted + 1) - 1)
            while key > least and (
                key in given
                or connection.execute(TAKEN[self._table], (key,)).fetchone() is not None
            ):
                key -= 1
            if key <= least:
                key = next_free(connection, self._table, wanted, given)
            oldest[device] = key
            given.add(key)
            keys.append(key)
        return keys[::-1]


def next_free(connection: sqlite3.Connection, table: str, key: int, given: set[int]) -> int:
    """This key, or the next one that nothing in the file has and that was not given away."""
    while key in given or connection.execute(TAKEN[table], (key,)).fetchone() is not None:
        key += 1
    return key
