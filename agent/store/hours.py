"""What a device's blocks come to by the hour and its quarter, kept right as blocks come."""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

import attrs

from agent.model import Value
from agent.store.aggregates import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    QUARTER_MS,
    Buckets,
    Grouping,
    combine,
    fields_of,
    pack,
    unpack,
    within,
)
from agent.store.codec import Block, Damaged
from agent.store.making import SPAN_MS, Made

log = logging.getLogger(__name__)


@attrs.frozen
class _Part:
    """A block of a day: its keys, and how its minutes and its samples are read."""

    first_key: int
    last_key: int
    minutes: Callable[[], Buckets | None]
    block: Callable[[], Block]


@attrs.frozen
class HoursRow:
    """What a UTC day comes to by ``span_ms``, as it is stored; ``None``: nothing."""

    device: int
    span_ms: int
    day_ms: int
    data: bytes | None

    def write(self, connection: sqlite3.Connection) -> None:
        """Put it in the place of what was there, in the open transaction."""
        key = self.device, self.span_ms, self.day_ms
        sql = "DELETE FROM aggregate WHERE device = ? AND span_ms = ? AND start_ms = ?"
        connection.execute(sql, key)
        if self.data is not None:
            connection.execute(
                "INSERT INTO aggregate(device, span_ms, start_ms, block, data) "
                "VALUES(?, ?, ?, 0, ?)",
                (*key, self.data),
            )


class Hours:
    """The hours and quarters of days that new blocks change; made outside of the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._days: dict[tuple[int, int], Buckets] = {}
        self._added: dict[int, list[Made]] = {}

    def add(self, made: Made) -> None:
        """Count in what a new block comes to."""
        device = made.block.device
        added = self._added.setdefault(device, [])
        for day_ms in sorted({start // DAY_MS * DAY_MS for start in made.quarters.starts}):
            before = self._before(device, day_ms, made.block.first_key)
            if before is None:
                extra = [_part_of(each) for each in (*added, made)]
                found = quarters_of(self._connection, device, day_ms, extra)
            else:
                found = combine(
                    [before, within(made.quarters, day_ms, day_ms + DAY_MS)], QUARTER_MS
                )
            self._days[device, day_ms] = found
        added.append(made)

    def rows(self) -> list[HoursRow]:
        """What is to be written, packed: that takes long."""
        return [
            row
            for (device, day_ms), quarters in self._days.items()
            for row in _rows(device, day_ms, quarters)
        ]

    def _before(self, device: int, day_ms: int, key: int) -> Buckets | None:
        """What the blocks before a key come to; ``None`` where others are behind it."""
        last_keys = [each.last_key for each in _parts(self._connection, device, day_ms)]
        last_keys += [each.block.last_key for each in self._added[device]]
        if max(last_keys, default=key - 1) >= key:
            return None
        if (device, day_ms) in self._days:
            return self._days[device, day_ms]
        if not last_keys:
            return Buckets([], {})
        return quarters_in(self._connection, device, day_ms)


def hours_in(connection: sqlite3.Connection, device: int, day_ms: int) -> Buckets | None:
    """The hours of a UTC day as they are in the file."""
    return _stored(connection, device, HOUR_MS, day_ms)


def quarters_in(connection: sqlite3.Connection, device: int, day_ms: int) -> Buckets | None:
    """The quarters of its hours."""
    return _stored(connection, device, QUARTER_MS, day_ms)


def _stored(
    connection: sqlite3.Connection, device: int, span_ms: int, start_ms: int, block: int = 0
) -> Buckets | None:
    sql = (
        "SELECT data FROM aggregate WHERE device = ? AND span_ms = ? AND start_ms = ? AND block = ?"
    )
    row = connection.execute(sql, (device, span_ms, start_ms, block)).fetchone()
    try:
        return None if row is None else unpack(Block(row[0]))
    except Damaged:  # it is made again
        return None


def rebuild_hours(connection: sqlite3.Connection, device: int, day_ms: int) -> None:
    """Make what a UTC day comes to anew, in the open transaction: its blocks are others now.

    That takes long where there are many metrics; ``day_of`` can be called before.
    """
    for row in day_of(connection, device, day_ms):
        row.write(connection)


def day_of(
    connection: sqlite3.Connection,
    device: int,
    day_ms: int,
    *,
    without: int | None = None,
    added: Sequence[Made] = (),
) -> list[HoursRow]:
    """What is to be written of a UTC day, by the blocks that are there, but for one, and more."""
    extra = [_part_of(made) for made in added]
    return _rows(device, day_ms, quarters_of(connection, device, day_ms, extra, without))


def _rows(device: int, day_ms: int, quarters: Buckets) -> list[HoursRow]:
    found = ((QUARTER_MS, quarters), (HOUR_MS, combine([quarters], HOUR_MS)))
    return [HoursRow(device, span, day_ms, _packed(device, buckets)) for span, buckets in found]


def hours_of(connection: sqlite3.Connection, device: int, day_ms: int) -> Buckets:
    """What the blocks of a UTC day come to by the hour; what is damaged comes to nothing."""
    return combine([quarters_of(connection, device, day_ms)], HOUR_MS)


def quarters_of(
    connection: sqlite3.Connection,
    device: int,
    day_ms: int,
    extra: Sequence[_Part] = (),
    without: int | None = None,
) -> Buckets:
    """The same by quarters; ``extra`` are blocks not in the file yet, ``without`` one that goes."""
    there = _parts(connection, device, day_ms, without)
    parts = sorted([*there, *extra], key=lambda each: each.first_key)
    minutes = [_minutes_of(group) for group in _entangled(parts)]
    end_ms = day_ms + DAY_MS
    return combine([within(each, day_ms, end_ms) for each in minutes], QUARTER_MS)


def _packed(device: int, buckets: Buckets) -> bytes | None:
    if not buckets.starts:
        return None
    try:
        return pack(device, buckets)
    except Exception:  # whatever it is: blocks have the same, and may not wait for it
        log.exception("store: hours of device %d are not kept, please report this", device)
        return None


def _part_of(made: Made) -> _Part:
    block = made.block
    return _Part(block.first_key, block.last_key, lambda: made.minutes, lambda: block)


def _parts(
    connection: sqlite3.Connection, device: int, day_ms: int, without: int | None = None
) -> list[_Part]:
    """The blocks that touch a day, but for one."""
    sql = (
        "SELECT id, first_key, last_key, first_ms FROM block "
        "WHERE device = ? AND first_ms > ? AND first_ms < ? AND last_ms >= ? AND id IS NOT ?"
    )
    bounds = (device, day_ms - SPAN_MS - 1, day_ms + DAY_MS, day_ms, without)
    rows = connection.execute(sql, bounds).fetchall()
    return [_part(connection, device, *row) for row in rows]


def _part(
    connection: sqlite3.Connection, device: int, id_: int, first_key: int, last_key: int, first: int
) -> _Part:
    def block() -> Block:
        row = connection.execute("SELECT data FROM block WHERE id = ?", (id_,)).fetchone()
        return Block(row[0])

    start_ms = first // MINUTE_MS * MINUTE_MS
    minutes = partial(_stored, connection, device, MINUTE_MS, start_ms, id_)
    return _Part(first_key, last_key, minutes, block)


def _entangled(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Groups of parts whose keys lie among each other's: their samples must be put in order."""
    group: list[_Part] = []
    for part in parts:
        if group and part.first_key > max(each.last_key for each in group):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _minutes_of(group: Sequence[_Part]) -> Buckets:
    if len(group) == 1:
        found = group[0].minutes()
        if found is not None:
            return found
    blocks = []
    for part in group:
        try:
            blocks.append(part.block())
        except Damaged:
            continue
    return minutes_of(blocks)


def minutes_of(blocks: Sequence[Block], positions: Sequence[int] | None = None) -> Buckets:
    """What the samples of blocks come to, in the order of their keys; of some metrics or of all."""
    keys = [*chain.from_iterable(block.keys() for block in blocks)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    times = [*chain.from_iterable(block.times() for block in blocks)]
    grouping = Grouping.of([times[index] for index in order], MINUTE_MS)
    if positions is None:
        positions = sorted({*chain.from_iterable(block.offered for block in blocks)})
    fields = {}
    for position in positions:
        cells: list[Value] = []
        for block in blocks:
            cells += block.cells(position)
        fields[position] = fields_of([cells[index] for index in order], grouping)
    return Buckets(grouping.starts(MINUTE_MS), fields)
