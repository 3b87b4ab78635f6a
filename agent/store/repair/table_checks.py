"""Checks the tables with samples of a store, line by line."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from agent.store.catalogue import CLOCKS, device_from, far, unsealed
from agent.store.codec import Block, Damaged
from agent.store.moment import time_text
from agent.store.repair.checks import (
    Book,
    Fault,
    Listed,
    Progress,
    Spacings,
    block_faults,
    content_faults,
    row_fault,
)
from agent.store.repair.look import is_damage
from agent.store.repair.scan import Unread, scan
from agent.store.rows import RawRow
from agent.store.schema import SAMPLE_TABLES

BLOCK_COLUMNS = ("device", "first_ms", "last_ms", "first_key", "last_key", "count", "data")
ROW_COLUMNS = ("device", "ts_ms", "layout", "clock", "v")
BLOCKS_AT_ONCE = 4

Found = Iterator[Fault | Progress]


class TableChecks:
    """One table after the other; ``samples`` are those that can be read."""

    def __init__(self, connection: sqlite3.Connection, book: Book, *, quick: bool) -> None:
        self._connection = connection
        self._book = book
        self._quick = quick
        self.samples = 0

    def _count(self, table: str) -> int:
        """How many lines a table has; 0 where they can't be counted."""
        try:
            (count,) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        except sqlite3.Error as exc:
            if not is_damage(exc):
                raise
            return 0
        return int(count)

    def catalogue(self) -> Found:
        """The second copy of the names."""
        for id_, data in self._connection.execute("SELECT id, data FROM catalogue"):
            try:
                text, number = unsealed(data), id_ if id_ >= CLOCKS else far(id_)
                if number != CLOCKS and device_from(text).name != self._book.names.get(number):
                    yield Fault(f"catalogue: device {number} has another name in it")
            except (ValueError, TypeError) as exc:
                yield Fault(f"catalogue: number {id_} is {exc}")

    def blocks(self) -> Found:
        """Every block, and those that only the index knows."""
        met: set[int] = set()
        total = self._count("block")
        for found in scan(self._connection, "block", BLOCK_COLUMNS, BLOCKS_AT_ONCE):
            if isinstance(found, Unread):
                continue  # the index names those
            for id_, *listed, data in found:
                met.add(id_)
                yield from self._block(id_, Listed(*listed), data)
            yield Progress("blocks", len(met), total)
        sql = (
            "SELECT device, first_ms, last_ms, count, id FROM block INDEXED BY block_time "
            "ORDER BY device, first_ms"
        )
        for device, first_ms, last_ms, count, id_ in self._connection.execute(sql):
            if id_ not in met:
                text = f"block {id_} can't be read"
                yield Fault(text, self._book.name(device), first_ms, last_ms, count)

    def _block(self, id_: int, listed: Listed, data: bytes) -> Iterator[Fault]:
        try:
            faults = [*block_faults(Block(data), listed, self._book, quick=self._quick)]
        except (Damaged, TypeError) as exc:
            faults = [f"damaged: {exc}"]
        name = self._book.name(listed.device)
        for text in faults:
            ends = listed.first_ms, listed.last_ms
            yield Fault(f"block {id_}: {text}", name, *ends, listed.count)
        self.samples += 0 if faults else listed.count

    def batches(self) -> Found:
        """Every batch."""
        spacings = Spacings(self._book.name)
        done = 0
        total = self._count("batch")
        for found in scan(self._connection, "batch", ("device", "data")):
            if isinstance(found, Unread):
                spacings.doubt()
                yield Fault(f"batches of {_times('batch', found)} can't be read: {found.why}")
                continue
            for id_, device, data in found:
                yield from self._batch(id_, device, data, spacings)
            done += len(found)
            yield Progress("batches", done, total)

    def _batch(self, id_: int, device: int, data: bytes, spacings: Spacings) -> Iterator[Fault]:
        try:
            batch = Block(data)
            faults = [*content_faults(batch, self._book, quick=self._quick)]
            if batch.device != device:
                faults.append(f"it is of device {batch.device}")
            times = batch.times()
        except (Damaged, TypeError) as exc:
            faults, times = [f"damaged: {exc}"], []
        if faults:
            spacings.doubt(device)
        else:
            self.samples += len(times)
            yield from spacings.add(device, times)
        for text in faults:
            moment = id_ // 1000
            yield Fault(f"batch {id_}: {text}", self._book.name(device), moment, moment)

    def rows(self, table: str) -> Found:
        """Every row of a table."""
        spacings = Spacings(self._book.name)
        done = 0
        total = self._count(table)
        for found in scan(self._connection, table, ROW_COLUMNS):
            if isinstance(found, Unread):
                spacings.doubt()
                yield Fault(f"rows of {_times(table, found)} can't be read: {found.why}")
                continue
            for key, device, ts_ms, *rest in found:
                why = self._row_fault(key, device, ts_ms, *rest)
                if why is None:
                    self.samples += 1
                    yield from spacings.add(device, [ts_ms])
                    continue
                spacings.doubt(device)
                yield Fault(f"{table} {key}: {why}", self._book.name(device), ts_ms, ts_ms, 1)
            done += len(found)
            yield Progress("rows", done, total)

    def _row_fault(
        self, key: int, device: int, ts_ms: Any, layout: int, clock: int, text: Any
    ) -> str | None:
        if not isinstance(text, str) or not isinstance(ts_ms, int):
            return "it has no time or no values"
        _, positions = self._book.layouts.get(layout, (None, ()))
        return row_fault(RawRow(key, ts_ms, positions, clock, text), device, layout, self._book)


def _times(table: str, unread: Unread) -> str:
    """From when to when keys are; keys are times."""
    scale = {**SAMPLE_TABLES, "batch": 1}[table]
    ends: list[Any] = [
        None if key is None else time_text(key * scale // 1000)
        for key in (unread.after, unread.before)
    ]
    return f"{ends[0] or 'the start'} to {ends[1] or 'the end'}"
