"""A block or batch cut into samples of an era, with their true times, and those of others."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import attrs

from agent.model import Value
from agent.store.codec import Block, Piece
from agent.store.making import columns_in
from agent.store.rows import Layout
from agent.store.true_time.moves import Move


@attrs.frozen
class Part:
    """Samples that follow each other, and whether they were moved."""

    piece: Piece
    is_moved: bool


class Given:
    """The keys that moved samples of each device have, at the ends of where they lie."""

    def __init__(self) -> None:
        self._ends: dict[int, list[tuple[int, int]]] = {}  # times and keys, in order

    def note(self, block: Block, target: int) -> None:
        """Samples of a block may have been moved already."""
        moved = [number for number, clock in enumerate(block.clocks()) if clock == target]
        if moved:
            keys, times = block.keys(), block.times()
            self._add(block.device, [(times[number], keys[number]) for number in moved])

    def next(self, device: int, times: Sequence[int], wanted: Sequence[int]) -> list[int]:
        """Keys for samples in the order they were read: those wanted, or the next ones."""
        ends = self._ends.get(device, [])
        before = bisect_right(ends, times[0], key=itemgetter(0))
        last = ends[before - 1][1] if before else -1
        keys = []
        for key in wanted:
            last = max(key, last + 1)
            keys.append(last)
        self._add(device, [*zip(times, keys, strict=True)])
        return keys

    def _add(self, device: int, samples: Sequence[tuple[int, int]]) -> None:
        for end in samples[0], samples[-1]:
            insort(self._ends.setdefault(device, []), end)


def parts(block: Block, move: Move, target: int, table: str, given: Given) -> Iterator[Part]:
    """All samples of a block in the order they were read; ``table`` is what their keys count by."""
    clocks, layouts = block.clocks(), block.layouts()
    start = 0
    for is_moved, group in groupby(clocks, lambda clock: clock == move.era.id):
        stop = start + sum(1 for _ in group)
        keys, times = block.keys()[start:stop], block.times()[start:stop]
        own = clocks[start:stop]
        if is_moved:
            wanted = [move.key(table, ts_ms) for ts_ms in times]
            times = [ts_ms + move.moved_ms for ts_ms in times]
            if not move.keeps_keys(table):
                keys = given.next(block.device, times, wanted)
            own = [target] * len(own)
        positions = {number: block.positions[number] for number in {*layouts[start:stop]}}
        columns = _Columns(block, layouts, positions, start, stop)
        piece = Piece(block.device, keys, times, own, layouts[start:stop], positions, columns)
        yield Part(piece, is_moved)
        start = stop


class _Columns(Mapping[int, Sequence[Value]]):
    """The columns of some samples of a block; each is decoded when it is asked for."""

    def __init__(
        self,
        block: Block,
        layouts: Sequence[int],
        positions: Mapping[int, Layout],
        start: int,
        stop: int,
    ) -> None:
        self._block = block
        self._columns = columns_in(positions)
        self._before = Counter(layouts[:start])
        self._within = Counter(layouts[start:stop])

    def __getitem__(self, position: int) -> Sequence[Value]:
        start, count = (
            self._offering(self._before, position),
            self._offering(self._within, position),
        )
        return self._block.column(position)[start : start + count]

    def _offering(self, layouts: Counter[int], position: int) -> int:
        positions = self._block.positions
        return sum(count for layout, count in layouts.items() if position in positions[layout])

    def __iter__(self) -> Iterator[int]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
