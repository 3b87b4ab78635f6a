"""Moves batches to their true time: those with samples of an era are written anew."""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import attrs

from agent.store.codec import Block, Damaged, encode
from agent.store.query import open_to_read
from agent.store.replacing import Kept, StoppedError, Workplace
from agent.store.true_time.moves import Move
from agent.store.true_time.parts import Given, Part, parts
from agent.store.true_time.rows import next_free
from agent.store.views import table_of
from agent.store.writer import Writer

log = logging.getLogger(__name__)

LOOKED_AT = 200  # batches in one step
# So many are moved at once.
BATCHES, VALUES = 20, 100_000


@attrs.frozen
class _Batch:
    """A batch, and what takes its place: parts with their bytes."""

    id: int
    data: bytes
    parts: Sequence[tuple[Part, bytes]]
    table: str


class MoveBatches:
    """The batches that have samples of an era; called until there are no more."""

    def __init__(self, workplace: Workplace, move: Move, target: int) -> None:
        self._workplace = workplace
        self._move = move
        self._target = target
        self._kept = Kept("batch")
        self._given = Given()
        self._looked_at: int | None = -1  # the number of the newest one
        self._found: list[int] = []

    def __call__(self) -> bool:
        """Look for some, or move some; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        with closing(open_to_read(self._workplace.path)) as connection:
            if self._looked_at is not None:
                self._looked_at = self._look(connection, self._looked_at)
                return True
            count, batches = self._made(connection)
        if batches and self._workplace.transact(lambda w: self._write(w, batches)) is None:
            raise StoppedError
        del self._found[:count]
        return bool(self._found)

    def _look(self, connection: sqlite3.Connection, after: int) -> int | None:
        """Find those with samples of the era behind one, in the order they were read."""
        sql = "SELECT id, data FROM batch WHERE id > ? ORDER BY id LIMIT ?"
        found = connection.execute(sql, (after, LOOKED_AT)).fetchall()
        for id_, data in found:
            self._workplace.pause()
            try:
                batch = Block(data)
                if self._move.era.id in batch.clocks():
                    self._found.append(id_)
                self._given.note(batch, self._target)
            except Damaged as exc:  # whoever reads it says so
                log.debug("batch %d keeps the times that it has: %s", id_, exc)
        return found[-1][0] if len(found) == LOOKED_AT else None

    def _made(self, connection: sqlite3.Connection) -> tuple[int, Sequence[_Batch]]:
        """How many of those found are done with, and what is to be written for them."""
        tables = {
            id_: table_of(kind) for id_, kind in connection.execute("SELECT id, kind FROM device")
        }
        made: list[_Batch] = []
        values = 0
        for number, id_ in enumerate(self._found):
            if len(made) == BATCHES or values > VALUES:
                return number, made
            row = connection.execute("SELECT data FROM batch WHERE id = ?", (id_,)).fetchone()
            if row is None:  # it is part of a block by now
                continue
            self._workplace.pause()
            batch = Block(row[0])
            table = tables[batch.device]
            values += batch.count * max(map(len, batch.positions.values()))
            try:
                found = [*parts(batch, self._move, self._target, table, self._given)]
                encoded = [(part, encode(part.piece, small=True)) for part in found]
            except StoppedError:
                raise
            except Exception as exc:  # noqa: BLE001  a bug in the codec must not cost samples
                self._kept.keep([id_], exc)
                continue
            made.append(_Batch(id_, row[0], encoded, table))
        return len(self._found), made

    def _write(self, writer: Writer, batches: Sequence[_Batch]) -> bool:
        connection = writer.connection
        for batch in batches:
            sql = "DELETE FROM batch WHERE id = ? AND data = ?"
            if not connection.execute(sql, (batch.id, batch.data)).rowcount:
                continue
            after = -1
            for part, data in batch.parts:
                piece = part.piece
                wanted = piece.keys[0] if batch.table == "row" else piece.times[0] * 1000
                if not part.is_moved or self._move.keeps_keys("row"):
                    wanted = max(batch.id, wanted)
                # Batches of a device are read in the order of their numbers.
                after = next_free(connection, "row", max(wanted, after + 1), set())
                connection.execute(
                    "INSERT INTO batch(id, device, data) VALUES(?, ?, ?)",
                    (after, piece.device, data),
                )
                writer.note_key("row", after, piece.times[0])
                if part.is_moved:
                    writer.note_key(batch.table, piece.keys[-1], piece.times[-1])
        return True
