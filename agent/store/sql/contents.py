"""The samples of one window, in order, with their columns as SQLite takes them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import attrs

from agent.model import Value
from agent.store.query import Reader
from agent.store.segments import Segment
from agent.store.sql.bounds import Stretch
from agent.store.sql.cells import absent, sql_cells
from agent.store.sql.pages import Columns, Page
from agent.store.sql.plans import Wanted
from agent.store.sql.windows import Window, Windows

# Of a window; a block has less, so that only what is not sealed, or is entangled, is cut.
MOST_SAMPLES, MOST_VALUES = 20_000, 1_200_000


@attrs.frozen
class Device:
    """A device whose samples a table shows, and where its metrics lie."""

    name: str
    positions: Mapping[str, int]  # by metric name


class Samples:
    """Samples in order of what the table is in order by: their times, or their keys."""

    def __init__(
        self,
        parts: Sequence[tuple[Device, Segment]],
        stretch: Stretch,
        *,
        is_by_key: bool,
    ) -> None:
        self._parts = parts
        found = [*chain.from_iterable(_places(segment, is_by_key) for _, segment in parts)]
        self._order: Sequence[int] | None = None
        if found != sorted(found) or not _is_in(found, stretch):
            inside = (n for n, place in enumerate(found) if stretch.start <= place < stretch.end)
            self._order = sorted(inside, key=found.__getitem__)
            found = [found[number] for number in self._order]
        self.places: Sequence[int] = found
        """What the samples are in order by, rising."""

    def times(self) -> Sequence[int]:
        """UTC milliseconds since 1970."""
        return self._ordered(segment.times() for _, segment in self._parts)

    def keys(self) -> Sequence[int]:
        """What tells a sample from all others of its table."""
        return self._ordered(segment.keys() for _, segment in self._parts)

    def cells(self, metric: str) -> Sequence[Value]:
        """A metric as SQLite takes it; ``None`` where it is not offered."""
        return sql_cells(self._ordered(_cells(*part, metric) for part in self._parts))

    def _ordered(self, found: Iterator[Sequence[Any]]) -> Sequence[Any]:
        if len(self._parts) == 1 and self._order is None:
            return next(found)
        joined = [*chain.from_iterable(found)]
        return joined if self._order is None else [joined[number] for number in self._order]


def _places(segment: Segment, is_by_key: bool) -> Sequence[int]:
    return segment.keys() if is_by_key else segment.times()


def _is_in(places: Sequence[int], stretch: Stretch) -> bool:
    return not places or (stretch.start <= places[0] and places[-1] < stretch.end)


def _cells(device: Device, segment: Segment, metric: str) -> Sequence[Value]:
    position = device.positions.get(metric)
    return absent(segment.count) if position is None else segment.cells(position)


@attrs.frozen
class Rows:
    """What a table makes of the samples of a window: rows in order, each with its place in it."""

    places: Sequence[int]
    columns: Columns

    def page(self, wanted: Wanted) -> Page:
        """Those in a stretch."""
        start = bisect_left(self.places, wanted.stretch.start)
        rows = range(start, bisect_left(self.places, wanted.stretch.end, start))
        return Page(self.columns, rows[::-1] if wanted.is_falling else rows)


class Contents:
    """Reads windows, and keeps the one that was read last: nested loops look into it again."""

    def __init__(
        self,
        reader: Reader,
        devices: Sequence[Device],
        windows: Windows,
        arrange: Callable[[Samples], Rows],
        *,
        is_by_key: bool = False,
    ) -> None:
        self._reader = reader
        self._devices = devices
        self._windows = windows
        self._arrange = arrange
        self._is_by_key = is_by_key
        self._last: tuple[Window, Rows] | None = None

    def pages(self, wanted: Wanted) -> Iterator[Page]:
        """The rows of a stretch in order, window by window."""
        stretch = wanted.stretch
        at = stretch.end - 1 if wanted.is_falling else stretch.start
        while stretch.start <= at < stretch.end:
            window, rows = self._holding(at, stretch.end)
            page = rows.page(wanted)
            at = window.stretch.start - 1 if wanted.is_falling else window.stretch.end
            del rows
            yield page
            del page  # so that it is gone before the next one is read

    def _holding(self, value: int, end: int) -> tuple[Window, Rows]:
        """The window that a value is in, and its rows."""
        if self._last is not None:
            there = self._last[0].stretch
            if there.start <= value < there.end:
                return self._last
        window = self._windows.holding(value, end)
        self._last = None
        while (parts := self._read(window)) is None:
            window = self._windows.holding(value, end)
        samples = Samples(parts, window.stretch, is_by_key=self._is_by_key)
        self._last = window, self._arrange(samples)
        return self._last

    def _read(self, window: Window) -> list[tuple[Device, Segment]] | None:
        """All that is in a window; ``None`` when it was too much, and the window was cut."""
        found: list[tuple[Device, Segment]] = []
        samples = values = 0
        for device in self._devices:
            for segment in self._reader.segments(device.name, window.start_ms, window.end_ms):
                if self._is_by_key and not _touches(segment.keys(), window.stretch):
                    continue
                found.append((device, segment))
                samples += segment.count
                values += segment.count * max(map(len, segment.positions.values()), default=0)
                is_much = samples > MOST_SAMPLES or values > MOST_VALUES
                if is_much and self._cut(window, found):
                    return None
        return found

    def _cut(self, window: Window, found: Sequence[tuple[Device, Segment]]) -> bool:
        """Cut a window in the middle of what was found of it, if there is more than one block."""
        if len(found) == 1:
            return False
        stretch = window.stretch
        every = chain.from_iterable(_places(segment, self._is_by_key) for _, segment in found)
        places = sorted(place for place in every if stretch.start <= place < stretch.end)
        at = next((place for place in places[len(places) // 2 :] if place > places[0]), None)
        if at is None:
            return False
        self._windows.cut(at)
        return True


def _touches(keys: Sequence[int], stretch: Stretch) -> bool:
    return any(stretch.start <= key < stretch.end for key in keys)
