"""What a metric comes to over stretches of time, read from as little as will do.

Hours are read where they will do, their quarters or minutes where those are needed, blocks where
all are too coarse, and batches and rows of what is not sealed yet.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import attrs

from agent.errors import StoreError
from agent.model import Value
from agent.store.aggregates import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    QUARTER_MS,
    Buckets,
    Fields,
    Grouping,
    combined,
    fields_of,
    unpack,
    within,
)
from agent.store.codec import Block, Damaged
from agent.store.making import SPAN_MS
from agent.store.query import Reader
from agent.store.segments import Place, segments

LOOSE = (
    1.1  # stretches may be so much longer than asked for, to be of whole hours, quarters or minutes
)


@attrs.frozen
class Bucket:
    """What a metric comes to in a stretch of time.

    Where there are texts, ``min``, ``max`` and ``sum`` are ``None``. True is 1, false is 0.
    """

    start_ms: int
    count: int  # of valid values, at least one
    min: float | int | None
    max: float | int | None
    sum: float | int | None
    first: Value
    last: Value

    @property
    def mean(self) -> float | None:
        """The mean of the values."""
        return None if self.sum is None else self.sum / self.count


def buckets(
    reader: Reader, device: str, metric: str, start_ms: int, end_ms: int, span_ms: int
) -> list[Bucket]:
    """A metric by stretches of ``span_ms`` from ``start_ms`` on; those without a value lack.

    Raises:
        StoreError: There is no such device or metric, or the store can't be read.
    """
    return periods(reader, device, metric, [*range(start_ms, end_ms, span_ms), end_ms])


def min_max(
    reader: Reader, device: str, metric: str, start_ms: int, end_ms: int, points: int
) -> list[Bucket]:
    """A metric in at most so many stretches, for a plot; those without a value lack.

    They begin at full hours, quarters of hours or minutes where that changes little.

    Raises:
        StoreError: As ``buckets``.
    """
    length_ms = end_ms - start_ms
    wanted_ms = max(1, -(-length_ms // points))
    for unit_ms in (HOUR_MS, QUARTER_MS, MINUTE_MS):
        span_ms = -(-wanted_ms // unit_ms) * unit_ms
        first_ms = start_ms // span_ms * span_ms + span_ms
        edges = [start_ms, *range(first_ms, end_ms, span_ms), end_ms]
        if span_ms <= LOOSE * wanted_ms and len(edges) <= points + 1:
            return periods(reader, device, metric, edges)
    return buckets(reader, device, metric, start_ms, end_ms, wanted_ms)


def periods(reader: Reader, device: str, metric: str, edges: Sequence[int]) -> list[Bucket]:
    """A metric from each of the rising ``edges`` to the next, local days for one.

    Raises:
        StoreError: As ``buckets``.
    """
    parts = [part for part in _Series(reader, device, metric, edges).parts() if part.starts]
    if not parts:
        return []
    starts, fields = _in_order(parts)
    grouping = Grouping(bisect_right(edges, start_ms) - 1 for start_ms in starts)
    [found] = combined([Buckets(starts, {0: fields})], grouping).values()
    rows: Any = zip(grouping.numbers, *found, strict=True)
    return [Bucket(edges[number], *values) for number, *values in rows if values[0]]


def _in_order(parts: Sequence[Buckets]) -> tuple[Sequence[int], Fields]:
    """All parts of a metric as one; what is not sealed yet may come before what is."""
    starts = [*chain.from_iterable(part.starts for part in parts)]
    each = [fields for part in parts for fields in part.fields.values()]
    columns = [[*chain.from_iterable(column)] for column in zip(*each, strict=True)]
    order = sorted(range(len(starts)), key=starts.__getitem__)
    if order != [*range(len(starts))]:
        starts = [starts[index] for index in order]
        columns = [[column[index] for index in order] for column in columns]
    return starts, tuple(columns)


class _Series:
    """Reads what a metric of a device comes to, in parts that lie within one period each."""

    def __init__(self, reader: Reader, device: str, metric: str, edges: Sequence[int]) -> None:
        self._file, self._sealed, self._plain = reader.file, reader.sealed, reader.plain
        self._entry = reader.entry(device)
        found = self._entry.metrics.get(metric)
        if found is None:
            raise StoreError(f"{self._file.path}: {device} has no metric {metric!r}")
        self._position = found[0]
        self._edges = edges

    def parts(self) -> Iterator[Buckets]:
        """All there is, first what lies in blocks."""
        start_ms, end_ms = self._edges[0], self._edges[-1]
        spans = (HOUR_MS, QUARTER_MS, MINUTE_MS, 1)
        span_ms = next(s for s in spans if not any(edge % s for edge in self._edges[1:-1]))
        if span_ms >= QUARTER_MS:
            yield from self._days(start_ms, end_ms, span_ms)
        elif span_ms == MINUTE_MS:
            yield from self._minutes(start_ms, end_ms)
        else:
            yield from self._samples(start_ms, end_ms)
        places = heapq.merge(
            self._sealed.batches(self._entry, start_ms, end_ms),
            self._plain.places(self._entry, start_ms, end_ms),
            key=attrgetter("first_key"),
        )
        yield from self._of_places(places, start_ms, end_ms)

    def _days(self, start_ms: int, end_ms: int, span_ms: int) -> Iterator[Buckets]:
        """Blocks by the hour or its quarter; by the minute at the ends, and days that have none."""
        first_ms, last_ms = _whole(start_ms, end_ms, span_ms)
        yield from self._minutes(start_ms, first_ms)
        for day_ms in range(first_ms // DAY_MS * DAY_MS, last_ms, DAY_MS):
            bounds = max(first_ms, day_ms), min(last_ms, day_ms + DAY_MS)
            found = self._stored(span_ms, day_ms, 0)
            if found is None:
                yield from self._minutes(*bounds)
            else:
                yield within(found, *bounds)
        yield from self._minutes(last_ms, end_ms)

    def _minutes(self, start_ms: int, end_ms: int) -> Iterator[Buckets]:
        """Blocks by the minute; of those that have no minutes, and at the ends, the samples."""
        first_ms, last_ms = _whole(start_ms, end_ms, MINUTE_MS)
        yield from self._samples(start_ms, first_ms)
        if first_ms < last_ms and self._sealed.is_there:
            sql = (
                "SELECT block, start_ms FROM aggregate WHERE device = ? AND span_ms = ? "
                "AND start_ms BETWEEN ? AND ?"
            )
            bounds = self._entry.id, MINUTE_MS, first_ms - SPAN_MS - MINUTE_MS, last_ms
            there = dict(self._file.rows(sql, *bounds))
            for place in self._sealed.blocks(self._entry, first_ms, last_ms):
                id_ = place.rank[1]
                minutes = self._stored(MINUTE_MS, there[id_], id_) if id_ in there else None
                if minutes is None:
                    yield from self._of_places([place], first_ms, last_ms)
                else:
                    yield within(minutes, first_ms, last_ms)
        yield from self._samples(last_ms, end_ms)

    def _samples(self, start_ms: int, end_ms: int) -> Iterator[Buckets]:
        if start_ms < end_ms:
            places = self._sealed.blocks(self._entry, start_ms, end_ms)
            yield from self._of_places(places, start_ms, end_ms)

    def _of_places(self, places: Iterable[Place], start_ms: int, end_ms: int) -> Iterator[Buckets]:
        """Samples by period."""
        for segment in segments(places, start_ms, end_ms):
            times = segment.times()
            grouping = Grouping(bisect_right(self._edges, ts_ms) - 1 for ts_ms in times)
            fields = fields_of(segment.cells(self._position), grouping)
            yield Buckets([min(each) for each in grouping.pick(times)], {self._position: fields})

    def _stored(self, span_ms: int, start_ms: int, block: int) -> Buckets | None:
        """What was kept; ``None`` if there is nothing or it is damaged: blocks have the same."""
        if not self._sealed.is_there:
            return None
        sql = (
            "SELECT data FROM aggregate "
            "WHERE device = ? AND span_ms = ? AND start_ms = ? AND block = ?"
        )
        try:
            rows = [*self._file.rows(sql, self._entry.id, span_ms, start_ms, block)]
            return unpack(Block(rows[0][0]), [self._position]) if rows else None
        except (Damaged, StoreError):
            return None


def _whole(start_ms: int, end_ms: int, span_ms: int) -> tuple[int, int]:
    """From the first to the last full span in a stretch of time; both its end if there is none.

    >>> _whole(50, 250, 100), _whole(110, 190, 100)
    ((100, 200), (190, 190))
    """
    first_ms, last_ms = -(-start_ms // span_ms) * span_ms, end_ms // span_ms * span_ms
    return (first_ms, last_ms) if first_ms <= last_ms else (end_ms, end_ms)
