"""A new block: checked against what went into it, and summed up."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

import attrs

from agent.model import Value
from agent.store.aggregates import (
    MINUTE_MS,
    QUARTER_MS,
    Buckets,
    Fields,
    Grouping,
    combine,
    fields_of,
    is_worthwhile,
    pack,
)
from agent.store.codec import Block, Piece, encode, merge
from agent.store.exact import DifferenceError, compare
from agent.store.rows import Layout

# Of one block at most.
SPAN_MS = 86_400_000
SAMPLES = 16_384
VALUES = 1_000_000

Pause = Callable[[], None]  # called between columns; what it raises ends the work


class Source(Block):
    """A block that others are made of."""

    def __init__(self, data: bytes, pause: Pause) -> None:
        super().__init__(data)
        self._pause = pause

    def column(self, position: int) -> list[Value]:
        self._pause()
        return super().column(position)


@attrs.frozen
class Made:
    """A block that is right, and what it comes to; not yet in the file."""

    block: Block
    data: bytes
    minutes: Buckets | None
    packed_minutes: bytes | None
    quarters: Buckets


def made_of(blocks: Sequence[Block], pause: Pause) -> Made:
    """One block out of several of one device, which follow each other.

    Raises:
        DifferenceError: There is a bug in the codec.
        Damaged: One of them is.
    """
    return checked(merge(blocks), joined(blocks), pause)


def made_of_piece(piece: Piece, pause: Pause) -> Made:
    """A block out of samples.

    Raises:
        DifferenceError: There is a bug in the codec.
    """
    return checked(encode(piece), piece, pause)


def made_again(data: bytes, pause: Pause) -> Made:
    """A block as it is, summed up anew.

    Raises:
        Damaged: It is.
    """
    return checked(data, joined([Source(data, pause)]), pause)


def joined(blocks: Sequence[Block]) -> Piece:
    """The samples of several blocks; a column is decoded each time it is asked for."""
    positions: dict[int, Layout] = {}
    for block in blocks:
        positions |= block.positions
    return Piece(
        blocks[0].device,
        [*chain.from_iterable(block.keys() for block in blocks)],
        [*chain.from_iterable(block.times() for block in blocks)],
        [*chain.from_iterable(block.clocks() for block in blocks)],
        [*chain.from_iterable(block.layouts() for block in blocks)],
        positions,
        _Columns(blocks, positions),
    )


class _Columns(Mapping[int, Sequence[Value]]):
    """The columns of several blocks, one after the other."""

    def __init__(self, blocks: Sequence[Block], positions: Mapping[int, Layout]) -> None:
        self._blocks = blocks
        self._columns = columns_in(positions)

    def __getitem__(self, position: int) -> Sequence[Value]:
        having = (block for block in self._blocks if position in block.offered)
        return [*chain.from_iterable(block.column(position) for block in having)]

    def __iter__(self) -> Iterator[int]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def columns_in(positions: Mapping[int, Layout]) -> list[int]:
    """All positions that some layout has, rising."""
    return sorted({*chain.from_iterable(positions.values())})


def checked(data: bytes, piece: Piece, pause: Pause) -> Made:
    """The block of these bytes, if it is what the piece says.

    Raises:
        DifferenceError: It is not.
    """
    block = Block(data)
    if (block.device, block.positions) != (piece.device, {**piece.positions}):
        raise DifferenceError("its heading came out differently")
    compare("keys", block.keys(), piece.keys)
    compare("times", block.times(), piece.times)
    compare("clocks", block.clocks(), piece.clocks)
    compare("layouts", block.layouts(), piece.layouts)
    by_minute = Grouping.of(piece.times, MINUTE_MS)
    by_quarter = Grouping.of(piece.times, QUARTER_MS)
    has_minutes = is_worthwhile(block.count, by_minute)
    minutes: dict[int, Fields] = {}
    quarters: dict[int, Fields] = {}
    for position in columns_in(piece.positions):
        pause()
        column = piece.columns[position]
        compare(f"column {position}", block.column(position), column)
        cells = spread(column, position, piece)
        if has_minutes:
            minutes[position] = fields_of(cells, by_minute)
        if not has_minutes or by_minute.is_torn:  # else they are made of the minutes
            quarters[position] = fields_of(cells, by_quarter)
    kept = Buckets(by_minute.starts(MINUTE_MS), minutes) if has_minutes else None
    return Made(
        block,
        data,
        kept,
        None if kept is None else pack(piece.device, kept),
        Buckets(by_quarter.starts(QUARTER_MS), quarters)
        if kept is None or quarters
        else combine([kept], QUARTER_MS),
    )


def spread(column: Sequence[Value], position: int, piece: Piece) -> Sequence[Value]:
    """A cell for each sample; ``None`` also where the metric was not offered."""
    if len(column) == len(piece.times):
        return column
    offered = {number: position in layout for number, layout in piece.positions.items()}
    cells = iter(column)
    return [next(cells) if offered[layout] else None for layout in piece.layouts]


def insert(connection: sqlite3.Connection, made: Made) -> None:
    """Write a block and its minutes, in the open transaction."""
    block = made.block
    cursor = connection.execute(
        "INSERT INTO block(device, first_ms, last_ms, first_key, last_key, count, data) "
        "VALUES(?, ?, ?, ?, ?, ?, ?)",
        (
            block.device, block.first_ms, block.last_ms, block.first_key, block.last_key,
            block.count, made.data,
        ),
    )  # fmt: skip
    if made.minutes is not None:
        connection.execute(
            "INSERT INTO aggregate(device, span_ms, start_ms, block, data) VALUES(?, ?, ?, ?, ?)",
            (block.device, MINUTE_MS, made.minutes.starts[0], cursor.lastrowid,
             made.packed_minutes),
        )  # fmt: skip
