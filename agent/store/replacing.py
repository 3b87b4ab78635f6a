"""Blocks that take the place of what they were made of, all in one transaction."""

import json
import logging
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

import attrs

from agent.store.aggregates import MINUTE_MS
from agent.store.hours import Hours, HoursRow
from agent.store.making import Made, insert
from agent.store.query import open_to_read
from agent.store.writer import Writer

log = logging.getLogger(__name__)

T = TypeVar("T")

NOT_KEPT = "NOT IN (SELECT value FROM json_each(?))"
LISTED = "IN (SELECT value FROM json_each(?))"  # one statement: between two, others may run


class StoppedError(Exception):
    """The agent stops: what is in hand is left as it was."""


class Transact(Protocol):
    """``Store.transact``."""

    def __call__(self, work: Callable[[Writer], T], /) -> T | None: ...


@attrs.frozen
class Workplace:
    """What steps work with; ``pause`` is called often and may raise ``StoppedError``."""

    path: Path
    transact: Transact
    pause: Callable[[], None]


class Kept:
    """Numbers of sources that gave no block: they stay, and the log says so once."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._ids: set[int] = set()

    def __contains__(self, id_: int) -> bool:
        return id_ in self._ids

    def keep(self, ids: Collection[int], why: Exception) -> None:
        """Leave these alone from now on: there is a bug."""
        self._ids.update(ids)
        log.error(
            "store: %d of table %s, from number %d on, are not made into a block and stay as they "
            "are, nothing is lost: %s; please report this",
            len(ids), self._table, min(ids), str(why) or repr(why), exc_info=why,
        )  # fmt: skip

    def keep_unreadable(self, id_: int, why: Exception) -> None:
        """Leave this alone from now on: it is damaged."""
        self._ids.add(id_)
        log.error(
            "store: number %d of table %s is damaged and stays as it is: %s; to save what can be "
            "saved: agent store repair", id_, self._table, str(why) or repr(why),
        )  # fmt: skip

    @property
    def text(self) -> str:
        """The numbers, for SQL."""
        return json.dumps([*self._ids])


class Replacement:
    """New blocks, and what of a table goes when they come."""

    def __init__(self, workplace: Workplace, table: str, kept: Kept) -> None:
        self._workplace = workplace
        self._table = table
        self._kept = kept
        self._made: list[Made] = []
        self._ids: list[int] = []

    def make(self, ids: Sequence[int], make: Callable[[], Made]) -> None:
        """Have a block made of these; whatever is wrong with it, they stay then."""
        try:
            self._made.append(make())
        except StoppedError:
            raise
        except Exception as exc:  # noqa: BLE001  a bug in the codec must not cost samples
            self._kept.keep(ids, exc)
            return
        self._ids += ids

    def write(self, *, changes_hours: bool) -> bool:
        """Write the blocks and delete what they replace; whether there was anything to write.

        Raises:
            StoreError: The file can't be read or written now.
        """
        if not self._made:
            return False
        hours = self._hours() if changes_hours else []
        return bool(self._workplace.transact(lambda writer: self._write(writer.connection, hours)))

    def _hours(self) -> list[HoursRow]:
        with closing(open_to_read(self._workplace.path)) as connection:
            hours = Hours(connection)
            for made in self._made:
                self._workplace.pause()
                hours.add(made)
        return hours.rows()

    def _write(self, connection: sqlite3.Connection, hours: Sequence[HoursRow]) -> bool:
        ids = json.dumps(self._ids)
        sql = f"SELECT count(*) FROM {self._table} WHERE rowid {LISTED}"
        (there,) = connection.execute(sql, (ids,)).fetchone()
        if there != len(self._ids):
            log.debug("not sealed: %s was deleted from meanwhile", self._table)
            return False
        if self._table == "block":
            self._delete_minutes(connection, ids)
        connection.execute(f"DELETE FROM {self._table} WHERE rowid {LISTED}", (ids,))
        for made in self._made:
            insert(connection, made)
        for row in hours:
            row.write(connection)
        return True

    def _delete_minutes(self, connection: sqlite3.Connection, ids: str) -> None:
        sql = (
            "DELETE FROM aggregate WHERE device = ? AND span_ms = ? AND start_ms BETWEEN ? AND ? "
            f"AND block {LISTED}"
        )
        for made in self._made:
            block = made.block
            since_ms = block.first_ms - MINUTE_MS
            connection.execute(sql, (block.device, MINUTE_MS, since_ms, block.last_ms, ids))
