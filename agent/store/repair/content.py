"""All that can be read of a damaged store: lines of its tables, and what of them is lost.

First the tables are walked. Where a page between the first one and the leaves is lost, those below
it are found by looking at all pages, and told apart by what lines look like.
"""

import struct
from collections.abc import Iterator

import attrs

from agent.store.aggregates import COUNT, QUARTER_MS, unpack
from agent.store.codec import Block, Damaged
from agent.store.repair.cells import TABLE_LEAF, Cell, Record, TornError, leaf_lines, record_from
from agent.store.repair.pages import Pages
from agent.store.repair.shapes import is_of, shape_of, shape_of_entry
from agent.store.repair.tables import Tables
from agent.store.repair.trees import Lost

NAMING = ("catalogue", "clock", "device", "layout")  # they say what the others' numbers mean
HOLDING = ("block", "batch", "row", "host_row", "gap", "run")
FREE_AT = 32  # where on the first page SQLite says which pages are free
SCHEMA = "sqlite_master"
PAUSE_LINES, PAUSE_PAGES = 64, 256


@attrs.frozen
class Line:
    """A line of a table."""

    table: str
    key: int
    record: Record


@attrs.frozen
class LostKeys:
    """Keys of a table after ``after`` up to ``last`` of which some can't be read."""

    table: str
    after: int | None
    last: int | None


@attrs.frozen
class LostBlock:
    """A block whose content can't be read, as the table or its index lists it."""

    device: int
    first_ms: int
    last_ms: int
    count: int


Found = Line | LostKeys | LostBlock | None  # ``None``: nothing yet, after some work


class Content:
    """Reads a damaged store from its first page to its last.

    ``done`` and ``total`` are pages, for those who wait.
    """

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.tables = Tables(pages)
        self.total = pages.count
        self._scanned = 0
        self._is_damaged = not self.tables.is_whole
        self._blocks: set[int] = set()  # that were met

    @property
    def done(self) -> int:
        """Pages that were looked at."""
        return max(self._scanned, len(self.tables.trees.seen))

    def naming(self) -> Iterator[Line | None]:
        """Lines that say what the numbers in others mean; before anything else."""
        for line in self._strays() if not self.tables.is_whole else ():
            if line is not None and line.table == SCHEMA:
                self.tables.add_root(line.record)
            yield None
        is_whole = True
        for table in NAMING:
            for found in self._walk(table):
                if isinstance(found, LostKeys):
                    is_whole = False
                elif isinstance(found, Line):
                    yield found
        if not is_whole:
            for line in self._strays():
                if line is None or line.table in NAMING:
                    yield line

    def holding(self) -> Iterator[Found]:
        """Lines that hold samples, gaps and runs, and which of them are lost."""
        for table in HOLDING:
            yield from self._walk(table)
        if self._is_damaged:
            for line in self._strays():
                if line is None or line.table in HOLDING:
                    yield self._looked_at(line) if line is not None else None
        yield from self._lost_blocks()

    def counts(self) -> Iterator[tuple[int, list[tuple[int, int]]] | None]:
        """How many samples in each quarter of an hour a device had in its blocks, day by day."""
        met: set[tuple[int, int]] = set()
        for record in self._entries("aggregate"):
            match record:
                case (int(device), int(span_ms), int(day_ms), int(), bytes(data)):
                    if span_ms == QUARTER_MS and (device, day_ms) not in met:
                        met.add((device, day_ms))
                        yield device, _counts(data)
                case None:
                    yield None

    def _entries(self, name: str) -> Iterator[Record | None]:
        """What an index has, or a table without keys, also where nothing leads to it any more."""
        yield from self.tables.entries(name)
        trees, free = self.tables.trees, self._free()
        for number in range(2, self.pages.count + 1):
            if number % PAUSE_PAGES == 0:
                yield None
            if number in trees.seen or number in free:
                continue
            for cell in trees.entries(number, is_root=False):
                try:
                    record = self.tables.record(cell)
                except TornError:
                    continue
                if shape_of_entry(record) == name:
                    yield record

    def _walk(self, table: str) -> Iterator[Found]:
        if table not in self.tables.roots:
            # A version may lack it; a store has it once its list of tables can be read.
            if not self.tables.is_whole:
                yield self._lost(table, Lost(None, None))
            return
        for number, cell in enumerate(self.tables.trees.lines(self.tables.roots[table])):
            if number % PAUSE_LINES == 0:
                yield None
            if isinstance(cell, Lost):
                yield self._lost(table, cell)
            else:
                yield self._line(table, cell)

    def _lost(self, table: str, lost: Lost) -> LostKeys:
        self._is_damaged = True
        return LostKeys(table, lost.after, lost.last)

    def _line(self, table: str, cell: Cell) -> Found:
        try:
            record = self.tables.record(cell)
            if not is_of(table, cell.key, record):
                raise TornError("of another table")
        except TornError:
            lost = self._lost(table, Lost(cell.key - 1, cell.key))
            return (self._torn_block(cell) if table == "block" else None) or lost
        return self._looked_at(Line(table, cell.key, record))

    def _looked_at(self, line: Line) -> Line:
        if line.table == "block":
            self._blocks.add(line.key)
        return line

    def _strays(self) -> Iterator[Line | None]:
        """Lines on pages that no table led to, and that are not free."""
        free = self._free()
        seen = self.tables.trees.seen
        for number in range(2, self.pages.count + 1):
            self._scanned = number
            if number % PAUSE_PAGES == 0:
                yield None
            if number in seen or number in free:
                continue
            try:
                page = self.tables.trees.page(number)
            except TornError:
                continue
            for cell in leaf_lines(page) if page.kind == TABLE_LEAF else ():
                try:
                    record = self.tables.record(cell)
                except TornError:
                    continue
                table = shape_of(cell.key, record)
                if table is not None:
                    yield Line(table, cell.key, record)

    def _free(self) -> set[int]:
        """Pages that are in no table, as far as the list of them can be read."""
        free: set[int] = set()
        following = int.from_bytes(self.pages.page(1)[FREE_AT : FREE_AT + 4], "big")
        while following and following not in free:
            free.add(following)
            page = self.pages.page(following)
            if len(page) < 8:
                break
            following, count = struct.unpack_from(">II", page)
            if 8 + 4 * count <= len(page):
                free.update(struct.unpack_from(f">{count}I", page, 8))
        return free

    def _lost_blocks(self) -> Iterator[LostBlock | None]:
        """Blocks that only their index knows of."""
        for record in self._entries("block_time") if self._is_damaged else ():
            match record:
                case (int(device), int(first), int(last), int(), int(), int(count), int(key)):
                    if key not in self._blocks:
                        self._blocks.add(key)
                        yield LostBlock(device, first, last, count)
                case None:
                    yield None

    def _torn_block(self, cell: Cell) -> LostBlock | None:
        """What the first page of a block says of it, when others are damaged."""
        try:
            record = record_from(cell.payload, cell.size)
        except TornError:
            return None
        match record:
            case (None, int(device), int(first), int(last), int(), int(), int(count), *_):
                self._blocks.add(cell.key)
                return LostBlock(device, first, last, count)
        return None


def _counts(data: bytes) -> list[tuple[int, int]]:
    try:
        buckets = unpack(Block(data))
    except Damaged:
        return []
    counts = (fields[COUNT] for fields in buckets.fields.values())
    most = [max(filter(None, each), default=0) for each in zip(*counts, strict=True)]
    return [(start, int(count)) for start, count in zip(buckets.starts, most, strict=False)]
