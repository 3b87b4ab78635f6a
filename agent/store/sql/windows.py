"""The history of a device cut into windows, each of which is read at once and put in order.

Samples come out of the store in the order they were read, which is that of their times until
somebody sets the clock back. A window has the samples of the blocks whose times are entangled,
mostly of one, or an hour where there are no blocks yet.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

import attrs

from agent.store.sql.bounds import AFTER_ALL, BEFORE_ALL, Stretch

HOUR_MS = 3_600_000
MOST_STEPS = 5000  # so many windows at most where there are no blocks
SECOND_MS = 1000


@attrs.frozen
class Part:
    """What blocks cover: whole numbers from ``first`` to ``last``, and their times."""

    first: int
    last: int
    first_ms: int
    last_ms: int


@attrs.frozen
class Window:
    """A stretch of what a table is in order by, and the times that its samples have."""

    stretch: Stretch
    start_ms: int
    end_ms: int


class Windows:
    """All windows, from before the first sample to after the last one.

    They are cut by times; or by keys that count seconds, ``lag_ms`` behind the times at most.

    Args:
        rest: From the first to behind the last sample, as far as known.
    """

    def __init__(self, parts: Iterable[Part], rest: Stretch, lag_ms: int | None = None) -> None:
        self._lag_ms = lag_ms
        self._parts = disentangled(parts)
        cuts = [BEFORE_ALL, *(each.last + 1 for each in self._parts)]
        start = max(rest.start, cuts[-1])
        if start < rest.end:
            step = HOUR_MS if lag_ms is None else HOUR_MS // SECOND_MS
            steps = range(start, rest.end, max(step, (rest.end - start) // MOST_STEPS))
            cuts += [*steps[start == cuts[-1] :], rest.end]
        self._cuts = [*cuts, AFTER_ALL]

    def holding(self, value: int, end: int = AFTER_ALL) -> Window:
        """The window that a value is in; without its blocks where these begin at ``end`` or later.

        What lies before blocks is in a window with them, as mostly nothing does.
        """
        number = bisect_right(self._cuts, value)
        at = bisect_left(self._parts, value, key=lambda part: part.last)
        if at < len(self._parts) and max(value + 1, end) <= self._parts[at].first:
            first = self._parts[at].first
            if first < self._cuts[number]:
                self.cut(first)
        stretch = Stretch(self._cuts[number - 1], self._cuts[number])
        if self._lag_ms is None:
            return Window(stretch, stretch.start, stretch.end)
        return self._by_seconds(stretch, self._lag_ms)

    def cut(self, at: int) -> None:
        """Make two windows of one."""
        insort(self._cuts, at)

    def _by_seconds(self, stretch: Stretch, lag_ms: int) -> Window:
        at = bisect_left(self._parts, stretch.start, key=lambda part: part.last)
        inside = [part for part in self._parts[at : at + 1] if part.first < stretch.end]
        times = [(part.first_ms, part.last_ms + 1) for part in inside]
        if not any(p.first <= stretch.start and stretch.end <= p.last + 1 for p in inside):
            end_ms = (stretch.end - 1) * SECOND_MS + SECOND_MS
            times.append((stretch.start * SECOND_MS - lag_ms, end_ms))
        start_ms = max(BEFORE_ALL, min(start for start, _ in times))
        return Window(stretch, start_ms, min(AFTER_ALL, max(end for _, end in times)))


def disentangled(parts: Iterable[Part]) -> Sequence[Part]:
    """Parts that do not overlap, in order: those that did are one."""
    found: list[Part] = []
    for part in sorted(parts, key=lambda each: each.first):
        is_entangled = bool(found) and part.first <= found[-1].last
        found.append(hull(found.pop(), part) if is_entangled else part)
    return found


def hull(one: Part, other: Part) -> Part:
    """The least part that has all of two."""
    return Part(
        min(one.first, other.first),
        max(one.last, other.last),
        min(one.first_ms, other.first_ms),
        max(one.last_ms, other.last_ms),
    )
