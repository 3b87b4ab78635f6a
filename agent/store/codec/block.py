"""Reading a block: its heading at once, its columns when they are asked for."""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import groupby
from operator import add

from agent.model import Value
from agent.store.codec.column import Cell, Column, take_column
from agent.store.codec.cursor import Cursor
from agent.store.codec.damaged import Damaged
from agent.store.codec.directory import Directory
from agent.store.codec.encode import MICROSECONDS, PLAIN, SECONDS
from agent.store.codec.heading import take_heading
from agent.store.codec.ints import take_ints
from agent.store.codec.piece import Piece
from agent.store.codec.reference import DEEPEST
from agent.store.codec.seal import unsealed
from agent.store.lines import cell

SAMPLES = KEYS, TIMES, CLOCKS, LAYOUTS = range(4)  # the entries before those of the columns


class Block:
    """Samples of one device, read from the bytes that ``encode`` made of them.

    Raises:
        Damaged: The bytes are no block; also from the methods, where a part of it is wrong.
    """

    def __init__(self, data: bytes) -> None:
        cursor = Cursor(unsealed(data))
        heading = take_heading(cursor)
        self.device, self.count = heading.device, heading.count
        self.first_key, self.last_key = heading.first_key, heading.last_key
        self.first_ms, self.last_ms = heading.first_ms, heading.last_ms
        self._directory = Directory(cursor, len(SAMPLES))
        self.positions = self._directory.positions
        self._columns = self._directory.columns
        entries = enumerate(self._columns, len(SAMPLES))
        self._entries = {position: entry for entry, position in entries}

    @property
    def offered(self) -> Collection[int]:
        """The positions of all layouts."""
        return self._entries.keys()

    def keys(self) -> list[int]:
        """The keys of the samples."""
        taken = self._directory.taken(KEYS)
        way = taken.head.byte()
        found = take_ints(taken, self.count)
        if way == MICROSECONDS:
            return [*map(add, found, [time * 1000 for time in self.times()])]
        if way == SECONDS:
            return [*map(add, found, [time // 1000 for time in self.times()])]
        if way != PLAIN:
            raise Damaged(f"wanted a way to write keys, got {way}")
        return found

    def times(self) -> list[int]:
        """The times of the samples in UTC milliseconds."""
        return take_ints(self._directory.taken(TIMES), self.count)

    def clocks(self) -> list[int]:
        """The clocks of the samples."""
        return take_ints(self._directory.taken(CLOCKS), self.count)

    def layouts(self) -> list[int]:
        """The numbers of the samples' layouts."""
        return [*self._layouts]

    def column(self, position: int) -> list[Value]:
        """The cells of the samples that offer ``position``."""
        entry = self._entries[position]
        if self._directory.is_constant(entry):
            return [self._directory.constant(entry)] * self._counts[position]
        return self._column(position).values()

    def cells(
        self, position: int, absent: Value = None, start: int = 0, stop: int | None = None
    ) -> list[Value]:
        """One cell for each sample, ``absent`` where ``position`` was not offered."""
        if position not in self._entries:
            return [absent] * len(range(self.count)[start:stop])
        return self._spread(position, self.column(position), absent)[start:stop]

    def lines(self, columns: Sequence[int], start: int = 0, stop: int | None = None) -> list[str]:
        """Lines of CSV of the samples, with these columns in this order."""
        texts = {
            position: self._spread(position, self._column(position).texts(cell), "")
            for position in {*columns}
            if position in self._entries
            and not self._directory.is_constant(self._entries[position])
        }
        found: list[str] = []
        first, end, _ = slice(start, stop).indices(self.count)
        for layout, run in groupby(self._layouts[first:end]):
            count = sum(1 for _ in run)
            found += self._lines_of(layout, columns, texts, slice(first, first + count))
            first += count
        return found

    def _lines_of(
        self, layout: int, columns: Sequence[int], texts: dict[int, list[str]], part: slice
    ) -> list[str]:
        offered = self._offered[layout]
        glue = []
        varying = []
        for position in columns:
            if position not in offered:
                glue.append("")
            elif position in texts:
                glue.append("%s")
                varying.append(texts[position][part])
            else:
                value = self._directory.constant(self._entries[position])
                glue.append(cell(value).replace("%", "%%"))
        line = ",".join(glue)
        if not varying:
            return [line % ()] * (part.stop - part.start)
        return [*map(line.__mod__, zip(*varying, strict=True))]

    def piece(self) -> Piece:
        """All of the block."""
        return Piece(
            self.device,
            self.keys(),
            self.times(),
            self.clocks(),
            self.layouts(),
            self.positions,
            {position: self.column(position) for position in self._entries},
        )

    @cached_property
    def _layouts(self) -> list[int]:
        found = take_ints(self._directory.taken(LAYOUTS), self.count)
        if {*found} != self.positions.keys():
            raise Damaged(f"wanted layouts {sorted(self.positions)}, got {sorted({*found})}")
        return found

    @cached_property
    def _offered(self) -> dict[int, frozenset[int]]:
        return {number: frozenset(layout) for number, layout in self.positions.items()}

    @cached_property
    def _counts(self) -> Counter[int]:
        """How many samples offer each position."""
        found: Counter[int] = Counter()
        for layout, count in Counter(self._layouts).items():
            found.update(dict.fromkeys(self.positions[layout], count))
        return found

    def _column(self, position: int, depth: int = 0) -> Column:
        def referred(back: int) -> Sequence[int]:
            if not 0 < back <= entry - len(SAMPLES) or depth >= DEEPEST:
                raise Damaged(f"column {position} refers to none before it")
            before = self._columns[entry - len(SAMPLES) - back]
            return self._column(before, depth + 1).numbers

        entry = self._entries[position]
        return take_column(self._directory.taken(entry), self._counts[position], referred)

    def _spread(self, position: int, dense: list[Cell], absent: Cell) -> list[Cell]:
        """Dense cells put at the samples that offer them."""
        if len(dense) == self.count:
            return dense
        cells = iter(dense)
        has = {number: position in offered for number, offered in self._offered.items()}
        return [next(cells) if has[layout] else absent for layout in self._layouts]
