"""What samples come to by the minute, the quarter of an hour and the hour.

It is kept beside the blocks, so that a year is drawn without reading them.

The aggregates of a device are a block of their own. Its times are the starts of the buckets, and
column ``8 * position + field`` has a field of a metric. A column without any value is left out.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

import attrs

from agent.model import Value
from agent.store.codec import Block, Piece, encode
from agent.store.exact import compare

MINUTE_MS, QUARTER_MS, HOUR_MS, DAY_MS = 60_000, 900_000, 3_600_000, 86_400_000
COUNT, LEAST, MOST, SUM, FIRST, LAST = range(6)
FIELDS = 6
PLACES = 8  # columns that are kept for each metric
WORTHWHILE = 6  # samples in a bucket on average, below which the block itself is as small
MOST_DECIMALS = 9  # numbers with more digits behind the point are no decimals

Fields = tuple[Sequence[Value], ...]  # one column for each field, with a value for each bucket
Picked = Sequence[Sequence[Any]]  # what falls into each bucket


@attrs.frozen
class Buckets:
    """What a device's metrics come to; times without a sample have no bucket."""

    starts: Sequence[int]  # UTC ms, rising
    fields: Mapping[int, Fields]  # by position


class Grouping:
    """Which of some samples, in the order they were read, fall into which bucket, by number."""

    def __init__(self, numbers: Iterable[int]) -> None:
        runs: dict[int, list[slice]] = {}
        end = 0
        for number, group in groupby(numbers):
            start, end = end, end + sum(1 for _ in group)
            runs.setdefault(number, []).append(slice(start, end))
        self.numbers = sorted(runs)
        self._runs = [runs[number] for number in self.numbers]
        self.is_torn = self.numbers != [*runs] or any(len(each) > 1 for each in self._runs)
        """Whether the buckets do not lie one behind the other: the clock was set back."""

    @classmethod
    def of(cls, times: Iterable[int], span_ms: int) -> "Grouping":
        """Buckets that all last as long."""
        return cls([ts_ms // span_ms for ts_ms in times])

    def starts(self, span_ms: int) -> list[int]:
        """When the buckets start that last so long."""
        return [number * span_ms for number in self.numbers]

    def pick(self, column: Sequence[Any]) -> list[Sequence[Any]]:
        """A column's values by bucket; where the clock was set back, one lies in two places."""
        return [
            column[runs[0]] if len(runs) == 1 else [*chain.from_iterable(column[r] for r in runs)]
            for runs in self._runs
        ]


def fields_of(cells: Sequence[Value], grouping: Grouping) -> Fields:
    """What the cells of a metric come to; ``None`` counts for nothing.

    A bucket with a text in it has no least, most and sum. True is 1, false is 0.

    >>> [list(field) for field in fields_of([1.5, None, 0.3, 7], Grouping([0, 0, 0, 1]))]
    [[2, 1], [0.3, 7], [1.5, 7], [1.8, 7.0], [1.5, 7], [0.3, 7]]
    """
    kinds = {*map(type, cells)}
    column: Sequence[Any] = (
        [+cell if cell is True or cell is False else cell for cell in cells]
        if bool in kinds
        else cells
    )
    groups = grouping.pick(column)
    if type(None) in kinds:
        groups = [[cell for cell in group if cell is not None] for group in groups]
    numbers: Picked = groups
    if str in kinds:
        numbers = [() if any(type(cell) is str for cell in group) else group for group in groups]
    return (
        [*map(len, groups)],
        [min(group) if group else None for group in numbers],
        [max(group) if group else None for group in numbers],
        _sums(numbers, kinds),
        [group[0] if group else None for group in groups],
        [group[-1] if group else None for group in groups],
    )


def _combined(fields: Fields, grouping: Grouping) -> Fields:
    """The same for what buckets come to that fall into larger ones."""
    counts, least, most, sums, first, last = map(grouping.pick, fields)
    kinds = {*map(type, fields[SUM])}
    whole = [_without_hole(each, of) for each, of in zip(sums, counts, strict=True)]
    return (
        [sum(filter(None, each)) for each in counts],
        _chosen(min, least, counts),
        _chosen(max, most, counts),
        _sums(whole, kinds),
        [next((value for value in each if value is not None), None) for each in first],
        [next((value for value in reversed(each) if value is not None), None) for each in last],
    )


def _chosen(choose: Callable[[Sequence[Any]], Any], picked: Picked, counts: Picked) -> list[Value]:
    found = (_without_hole(each, of) for each, of in zip(picked, counts, strict=True))
    return [choose(each) if each else None for each in found]


def _without_hole(values: Sequence[Any], counts: Sequence[Any]) -> Sequence[Any]:
    """What is there; nothing if it lacks in one that has values: those are texts, or too large."""
    if None not in values:
        return values
    if any(count and value is None for value, count in zip(values, counts, strict=True)):
        return ()
    return [value for value in values if value is not None]


def _sums(groups: Picked, kinds: set[type]) -> list[Value]:
    """Sums that are exact for decimals: 0.1 + 0.2 is 0.3 here."""
    if float not in kinds:
        return [sum(group) if group else None for group in groups]
    decimals = _decimals({value for group in groups for value in group if type(value) is float})
    return [_sum(group, decimals) if group else None for group in groups]


def _sum(values: Sequence[Any], decimals: int | None) -> float | None:
    try:
        found = math.fsum(values)
    except OverflowError:
        return None
    return found if decimals is None else round(found, decimals)


def _decimals(values: Iterable[float]) -> int | None:
    """The most digits behind the point, or ``None``: they are no decimals.

    >>> _decimals([1.0, 20.25]), _decimals([1 / 3])
    (2, None)
    """
    most = 0
    for value in values:
        whole, _, behind = repr(value).partition(".")
        if "e" in behind or "e" in whole:
            if abs(value) < 1:
                return None
        elif behind != "0" and len(behind) > most:
            most = len(behind)
            if most > MOST_DECIMALS:
                return None
    return most


def combine(parts: Sequence[Buckets], span_ms: int) -> Buckets:
    """Buckets of ``span_ms`` out of such or smaller ones; the earlier read parts come first."""
    grouping = Grouping.of(chain.from_iterable(part.starts for part in parts), span_ms)
    return Buckets(grouping.starts(span_ms), combined(parts, grouping))


def combined(parts: Sequence[Buckets], grouping: Grouping) -> dict[int, Fields]:
    """The fields of what several come to together; the earlier read parts come first."""
    positions = sorted({position for part in parts for position in part.fields})
    fields = {}
    for position in positions:
        columns = [
            [*chain.from_iterable(_field(part, position, field) for part in parts)]
            for field in range(FIELDS)
        ]
        fields[position] = _combined(tuple(columns), grouping)
    return fields


def _field(part: Buckets, position: int, field: int) -> Sequence[Value]:
    found = part.fields.get(position)
    return [None] * len(part.starts) if found is None else found[field]


def within(buckets: Buckets, start_ms: int, end_ms: int) -> Buckets:
    """Those buckets that start in a stretch of time."""
    chosen = [number for number, ms in enumerate(buckets.starts) if start_ms <= ms < end_ms]
    if len(chosen) == len(buckets.starts):
        return buckets
    part = slice(chosen[0], chosen[-1] + 1) if chosen else slice(0)
    fields = {
        position: tuple(column[part] for column in columns)
        for position, columns in buckets.fields.items()
    }
    return Buckets(buckets.starts[part], fields)


def is_worthwhile(count: int, grouping: Grouping) -> bool:
    """Whether so many samples are clearly more than their buckets."""
    return count >= WORTHWHILE * len(grouping.numbers)


def pack(device: int, buckets: Buckets) -> bytes:
    """Buckets as they are stored.

    Raises:
        DifferenceError: There is a bug in the codec.
    """
    columns = {
        PLACES * position + field: column
        for position, fields in sorted(buckets.fields.items())
        for field, column in enumerate(fields)
        if any(value is not None for value in column)
    }
    same = [0] * len(buckets.starts)
    starts = buckets.starts
    data = encode(Piece(device, starts, starts, same, same, {0: tuple(columns)}, columns))
    block = Block(data)
    compare("times", block.times(), starts)
    for number, column in columns.items():
        compare(f"column {number}", block.column(number), column)
    return data


def unpack(block: Block, positions: Iterable[int] | None = None) -> Buckets:
    """What was packed, or some metrics of it."""
    [*layouts] = block.positions.values()
    there = {*layouts[0]} if layouts else set()
    if positions is None:
        positions = sorted({column // PLACES for column in there})
    return Buckets(
        block.times(), {position: _unpacked(block, position, there) for position in positions}
    )


def _unpacked(block: Block, position: int, there: set[int]) -> Fields:
    nothing: list[Value] = [None] * block.count
    columns = range(PLACES * position, PLACES * position + FIELDS)
    return tuple(block.column(each) if each in there else nothing for each in columns)
