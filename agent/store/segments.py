"""Samples of one device that lie together, and how those of many places come in key order."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, pairwise
from typing import Protocol, TypeVar

import attrs

from agent.model import Value
from agent.store.rows import Layout

T = TypeVar("T")

# Where places overlap, so many values are put in order at once: in smaller steps a block that lies
# beside many small ones would be decoded for each of them.
AT_ONCE_VALUES = 1_000_000


class Source(Protocol):
    """Samples as they lie in one place of the file, in key order: a block, or some rows."""

    @property
    def count(self) -> int: ...

    @property
    def positions(self) -> Mapping[int, Layout]: ...

    def keys(self) -> list[int]: ...

    def times(self) -> list[int]: ...

    def clocks(self) -> list[int]: ...

    def layouts(self) -> list[int]: ...

    def cells(
        self, position: int, absent: Value = None, start: int = 0, stop: int | None = None
    ) -> list[Value]: ...

    def lines(
        self, columns: Sequence[int], start: int = 0, stop: int | None = None
    ) -> Sequence[str]: ...


@attrs.frozen
class Place:
    """Where samples lie, before they are read; of equal keys that of the lesser rank is first."""

    first_key: int
    last_key: int
    rank: tuple[int, int]
    open: Callable[[], Source | None]  # ``None``: what lies there is damaged


@attrs.frozen
class Slice:
    """Some samples of a source, by their numbers in it, which rise and are at least one."""

    source: Source
    numbers: Sequence[int]  # a range where they follow each other

    @property
    def start(self) -> int:
        return self.numbers[0]

    @property
    def stop(self) -> int:
        return self.numbers[-1] + 1

    @property
    def positions(self) -> Mapping[int, Layout]:
        """The layouts that these samples have, by number."""
        if len(self.numbers) == self.source.count:
            return self.source.positions
        return {layout: self.source.positions[layout] for layout in {*self.layouts()}}

    def keys(self) -> Sequence[int]:
        return self._of_all(self.source.keys())

    def times(self) -> Sequence[int]:
        return self._of_all(self.source.times())

    def clocks(self) -> Sequence[int]:
        return self._of_all(self.source.clocks())

    def layouts(self) -> Sequence[int]:
        return self._of_all(self.source.layouts())

    def cells(self, position: int, absent: Value = None) -> Sequence[Value]:
        return self._of(self.source.cells(position, absent, self.start, self.stop))

    def lines(self, columns: Sequence[int]) -> Sequence[str]:
        return self._of(self.source.lines(columns, self.start, self.stop))

    def _of_all(self, found: Sequence[T]) -> Sequence[T]:
        """Of what belongs to all samples of the source, what belongs to these."""
        return self._of(found[self.start : self.stop])

    def _of(self, found: Sequence[T]) -> Sequence[T]:
        """The same of those from the first to the last of these."""
        if len(found) == len(self.numbers):
            return found
        return [found[number - self.start] for number in self.numbers]


class Segment:
    """Samples of one device in key order; their columns are decoded when they are asked for."""

    def __init__(self, slices: Sequence[Slice]) -> None:
        self._slices = slices
        self._order: Sequence[int] | None = None
        self.count = sum(len(each.numbers) for each in slices)
        self.positions: Mapping[int, Layout] = dict(
            chain.from_iterable(each.source.positions.items() for each in slices)
        )
        """The layouts that occur, by number: those of all that lies where these samples do."""
        if len(slices) > 1:
            keys = [*chain.from_iterable(each.keys() for each in slices)]
            if any(key > after for key, after in pairwise(keys)):
                self._order = sorted(range(self.count), key=keys.__getitem__)

    def keys(self) -> Sequence[int]:
        """Rising, on the scale of the table of rows that the device has."""
        return self._joined(each.keys() for each in self._slices)

    def times(self) -> Sequence[int]:
        """UTC milliseconds since 1970."""
        return self._joined(each.times() for each in self._slices)

    def clocks(self) -> Sequence[int]:
        """The line of ``clock`` of each sample."""
        return self._joined(each.clocks() for each in self._slices)

    def layouts(self) -> Sequence[int]:
        """The number of each sample's layout, which ``positions`` has."""
        return self._joined(each.layouts() for each in self._slices)

    def cells(self, position: int, absent: Value = None) -> Sequence[Value]:
        """A value for each sample, ``absent`` where the metric was not offered."""
        return self._joined(each.cells(position, absent) for each in self._slices)

    def lines(self, columns: Sequence[int]) -> Sequence[str]:
        """A line of CSV for each sample; the columns are positions, and empty if not offered."""
        return self._joined(each.lines(columns) for each in self._slices)

    def _joined(self, found: Iterable[Sequence[T]]) -> Sequence[T]:
        if len(self._slices) == 1:
            return next(iter(found))
        joined = [*chain.from_iterable(found)]
        return joined if self._order is None else [joined[number] for number in self._order]


def segments(
    places: Iterable[Place], start_ms: int, end_ms: int, *, at_once: int = AT_ONCE_VALUES
) -> Iterator[Segment]:
    """The samples of a stretch of time in key order; ``places`` are in that of their first keys.

    One place after the other is read; only those whose keys overlap are held side by side.
    """
    held: list[_Held] = []
    for place, following in pairwise(chain(places, (None,))):
        assert place is not None
        source = place.open()
        numbers = inside(source.times(), start_ms, end_ms) if source is not None else ()
        if source is not None and numbers:
            held.append(_Held(place, Slice(source, numbers)))
        if following is None:
            yield from _merged(held)
        elif all(each.place.last_key < following.first_key for each in held):
            yield from _merged(held)
            held = []
        elif sum(each.values for each in held) >= at_once:
            cut = [each.cut(following.first_key) for each in held]
            yield from _merged([before for before, _ in cut if before is not None])
            held = [rest for _, rest in cut if rest is not None]


def inside(times: Sequence[int], start_ms: int, end_ms: int) -> Sequence[int]:
    """Which of some times lie in a stretch.

    >>> inside([7, 8, 9], 8, 10), inside([7, 3, 8], 7, 9)
    (range(1, 3), [0, 2])
    """
    if not times or (start_ms <= min(times) and max(times) < end_ms):
        return range(len(times))
    found = [*compress(range(len(times)), (start_ms <= ts_ms < end_ms for ts_ms in times))]
    if found and found[-1] - found[0] + 1 == len(found):
        return range(found[0], found[-1] + 1)
    return found


@attrs.frozen
class _Held:
    """Samples that may be followed by others with lower keys."""

    place: Place
    slice: Slice

    @property
    def values(self) -> int:
        widest = max(map(len, self.slice.source.positions.values()), default=0)
        return len(self.slice.numbers) * (widest + 1)

    def cut(self, key: int) -> tuple["_Held | None", "_Held | None"]:
        """What is before a key, and the rest."""
        numbers = self.slice.numbers
        at = bisect_left(self.slice.keys(), key)
        before, rest = (
            _Held(self.place, Slice(self.slice.source, each)) if each else None
            for each in (numbers[:at], numbers[at:])
        )
        return before, rest


def _merged(held: Iterable[_Held]) -> Iterator[Segment]:
    slices = [each.slice for each in sorted(held, key=lambda each: each.place.rank)]
    if slices:
        yield Segment(slices)
