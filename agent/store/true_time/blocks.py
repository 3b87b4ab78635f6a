"""Moves blocks to their true time: one with samples of an era is cut and written anew."""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing

from agent.store.aggregates import DAY_MS, MINUTE_MS
from agent.store.codec import Damaged
from agent.store.hours import HoursRow, day_of
from agent.store.making import SPAN_MS, Made, Source, insert, made_of_piece
from agent.store.query import open_to_read
from agent.store.replacing import Kept, StoppedError, Workplace
from agent.store.true_time.moves import Move
from agent.store.true_time.parts import Given, parts
from agent.store.views import table_of
from agent.store.writer import Writer

log = logging.getLogger(__name__)

LOOKED_AT = 100  # blocks of a device in one step

# By what its clock said, and by what was true.
NEAR = """
    SELECT id FROM block WHERE device = ? AND (
        first_ms BETWEEN ? AND ? AND last_ms >= ? OR first_ms BETWEEN ? AND ? AND last_ms >= ?
    ) ORDER BY first_key
"""


class MoveBlocks:
    """The blocks that have samples of an era; called until there are no more."""

    def __init__(self, workplace: Workplace, move: Move, target: int) -> None:
        self._workplace = workplace
        self._move = move
        self._target = target
        self._kept = Kept("block")
        self._given = Given()
        self._passed: set[int] = set()  # those that have none
        self._found: list[int] = []  # those that have some, in the order they were read
        self._devices: list[tuple[int, str]] | None = None  # in which there may be others

    def __call__(self) -> bool:
        """Look for some, or move one; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        with closing(open_to_read(self._workplace.path)) as connection:
            if self._devices is None:
                self._devices = connection.execute("SELECT id, kind FROM device").fetchall()
            if not self._devices:
                return False
            device, kind = self._devices[0]
            if not self._looked_through(connection, device):
                return True
            if not self._found:  # a merger may have made one meanwhile, so it was looked again
                del self._devices[0]
                return True
            block = self._read(connection, self._found[0])
            if block is not None:
                self._move_block(connection, self._found[0], block, table_of(kind))
            del self._found[0]
            return True

    def _looked_through(self, connection: sqlite3.Connection, device: int) -> bool:
        """Find what a device has; whether all was looked at."""
        if self._found:
            return True
        found = []
        said, true = (self._move.first_ms, self._move.last_ms), self._move.true_ms
        bounds = [(start - SPAN_MS, end, start) for start, end in (said, true)]
        near = connection.execute(NEAR, (device, *bounds[0], *bounds[1])).fetchall()
        unknown = [id_ for (id_,) in near if id_ not in self._passed and id_ not in self._kept]
        for id_ in unknown[:LOOKED_AT]:
            block = self._read(connection, id_)
            if block is not None and self._move.era.id in block.clocks():
                found.append(id_)
            else:
                self._passed.add(id_)
        self._found = found
        return bool(found) or len(unknown) <= LOOKED_AT

    def _read(self, connection: sqlite3.Connection, id_: int) -> Source | None:
        self._workplace.pause()
        row = connection.execute("SELECT data FROM block WHERE id = ?", (id_,)).fetchone()
        if row is None:  # it was merged with others
            return None
        try:
            block = Source(row[0], self._workplace.pause)
            self._given.note(block, self._target)
        except Damaged as exc:  # whoever reads it says so
            log.debug("block %d keeps the times that it has: %s", id_, exc)
            return None
        return block

    def _move_block(
        self, connection: sqlite3.Connection, id_: int, block: Source, table: str
    ) -> None:
        try:
            found = [*parts(block, self._move, self._target, table, self._given)]
            made = [made_of_piece(part.piece, self._workplace.pause) for part in found]
        except StoppedError:
            raise
        except Exception as exc:  # noqa: BLE001  a bug in the codec must not cost samples
            self._kept.keep([id_], exc)
            return
        hours = _hours(connection, id_, block, made)
        keys = [(part.piece.keys[-1], part.piece.times[-1]) for part in found if part.is_moved]

        def write(writer: Writer) -> bool:
            if _delete(writer.connection, id_, block):
                for each in made:
                    insert(writer.connection, each)
                for row in hours:
                    row.write(writer.connection)
                for key, ts_ms in keys:
                    writer.note_key(table, key, ts_ms)
            return True

        if self._workplace.transact(write) is None:
            raise StoppedError


def _hours(
    connection: sqlite3.Connection, id_: int, block: Source, made: Sequence[Made]
) -> list[HoursRow]:
    """What the days come to that it was in, and those that its samples are in now."""
    all_blocks = [block, *(each.block for each in made)]
    days = {ts_ms // DAY_MS for each in all_blocks for ts_ms in each.times()}
    rows = []
    for day in sorted(days):
        start_ms = day * DAY_MS
        added = [
            each
            for each in made
            if each.block.first_ms < start_ms + DAY_MS and each.block.last_ms >= start_ms
        ]
        rows += day_of(connection, block.device, start_ms, without=id_, added=added)
    return rows


def _delete(connection: sqlite3.Connection, id_: int, block: Source) -> bool:
    """Delete a block and its minutes, in the open transaction; whether it was there."""
    sql = (
        "DELETE FROM aggregate WHERE device = ? AND span_ms = ? "
        "AND start_ms BETWEEN ? AND ? AND block = ?"
    )
    since_ms = block.first_ms - MINUTE_MS
    connection.execute(sql, (block.device, MINUTE_MS, since_ms, block.last_ms, id_))
    sql = "DELETE FROM block WHERE id = ? AND device = ? AND first_key = ? AND last_key = ?"
    facts = id_, block.device, block.first_key, block.last_key
    return connection.execute(sql, facts).rowcount > 0
