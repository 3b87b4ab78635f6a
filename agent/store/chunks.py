"""Stored rows of one device, some at a time, as a source of samples."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby, islice
from operator import getitem, itemgetter
from typing import Any

from agent.model import Value
from agent.store.lines import Lines
from agent.store.rows import Layout, Path, decode
from agent.store.segments import Place

# Rows that are worked on at once: enough to be fast, few enough to stay small in memory.
CHUNK_ROWS, FIRST_ROWS, CHUNK_CHARACTERS = 512, 16, 64 * 1024
ROW_RANK = 2  # behind blocks and batches

StoredRow = tuple[int, int, int, int, str]  # key, time, number of the layout, clock, JSON text


class Rows:
    """What the rows of a device have in common; ``paths`` says where in a row a position lies."""

    def __init__(self, layouts: Mapping[int, Layout], paths: Mapping[int, Path]) -> None:
        self.layouts = layouts
        self.paths = paths
        self._columns: Sequence[int] = ()
        self._lines: dict[int, Lines] = {}

    def places(self, rows: Iterable[StoredRow]) -> Iterator[Place]:
        """Rows in key order, in chunks."""
        waiting = iter(rows)
        size = FIRST_ROWS
        while chunk := list(islice(waiting, size)):
            yield self._place(chunk)
            characters = sum(len(text) for *_, text in chunk)
            size = max(1, min(CHUNK_ROWS, CHUNK_CHARACTERS * len(chunk) // characters))

    def _place(self, chunk: Sequence[StoredRow]) -> Place:
        source = Chunk(chunk, self)
        first, last = chunk[0][0], chunk[-1][0]
        return Place(first, last, (ROW_RANK, first), lambda: source)

    def lines_of(self, columns: Sequence[int], layout: int) -> Lines:
        """What makes lines of the rows of a layout."""
        if columns != self._columns:
            self._columns = columns
            self._lines = {}
        found = self._lines.get(layout)
        if found is None:
            found = self._lines[layout] = Lines(columns, self.layouts[layout], self.paths)
        return found


class Chunk:
    """Some rows that follow each other."""

    def __init__(self, rows: Sequence[StoredRow], common: Rows) -> None:
        self._rows = rows
        self._common = common
        self._values: list[Any] | None = None
        self.count = len(rows)
        self.positions = {layout: common.layouts[layout] for layout in {row[2] for row in rows}}

    def keys(self) -> list[int]:
        return [row[0] for row in self._rows]

    def times(self) -> list[int]:
        return [row[1] for row in self._rows]

    def layouts(self) -> list[int]:
        return [row[2] for row in self._rows]

    def clocks(self) -> list[int]:
        return [row[3] for row in self._rows]

    def cells(
        self, position: int, absent: Value = None, start: int = 0, stop: int | None = None
    ) -> list[Value]:
        if self._values is None:
            self._values = [decode(row[4]) for row in self._rows]
        offering = {number for number, layout in self.positions.items() if position in layout}
        path = self._common.paths[position] if offering else ()
        found = zip(self._rows[start:stop], self._values[start:stop], strict=True)
        return [
            reduce(getitem, path, values) if row[2] in offering else absent for row, values in found
        ]

    def lines(
        self, columns: Sequence[int], start: int = 0, stop: int | None = None
    ) -> Sequence[str]:
        found: list[str] = []
        for layout, group in groupby(self._rows[start:stop], itemgetter(2)):
            found += self._common.lines_of(columns, layout).of([row[4] for row in group])
        return found
