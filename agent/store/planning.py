"""Which samples come into one block: as many as fit, and of one life of a device."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import or_

import attrs

from agent.store.codec import Block
from agent.store.making import SAMPLES, SPAN_MS, VALUES

POSITIONS = 500_000  # of all layouts in a block together
LAYOUTS = 16  # of a group; where there are more, something new is usual
HABIT = 3  # changes for good, of those that are to be one block: so many are no news, but usual


@attrs.frozen
class Extent:
    """How much some samples are, and which layouts they have."""

    count: int
    values: int
    first_ms: int
    last_ms: int
    layouts: frozenset[tuple[int, int]]  # their numbers, and of how many metrics they are

    @classmethod
    def of(cls, block: Block) -> "Extent":
        """Of a block's samples."""
        widest = max(map(len, block.positions.values()))
        return cls(
            block.count,
            block.count * widest,
            block.first_ms,
            block.last_ms,
            frozenset((number, len(layout)) for number, layout in block.positions.items()),
        )

    def __add__(self, other: "Extent") -> "Extent":
        return Extent(
            self.count + other.count,
            self.values + other.values,
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
            self.layouts | other.layouts,
        )

    @property
    def fits(self) -> bool:
        """Whether one block takes them."""
        return (
            self.count <= SAMPLES
            and self.values <= VALUES
            and self.last_ms - self.first_ms <= SPAN_MS
            and sum(width for _, width in self.layouts) <= POSITIONS
        )


def groups(extents: Sequence[Extent]) -> list[range]:
    """Which of some extents, by number, become one block each; one that is too large is alone."""
    found: list[range] = []
    whole: Extent | None = None
    for number, extent in enumerate(extents):
        longer = None if whole is None else whole + extent
        if found and longer is not None and longer.fits:
            found[-1] = range(found[-1].start, number + 1)
            whole = longer
        else:
            found.append(range(number, number + 1))
            whole = extent
    return [part for group in found for part in lives(extents, group)]


def lives(extents: Sequence[Extent], group: range) -> list[range]:
    """A group cut where the layout changes for good: neither comes again on the other side.

    A layout that comes and goes is one life; so is a device that offers something new each time.

    >>> a, b = (Extent(1, 1, 0, 0, frozenset([(number, 1)])) for number in (1, 2))
    >>> lives([a, a, b, b], range(4)), lives([a, b, a, b], range(4))
    ([range(0, 2), range(2, 4)], [range(0, 4)])
    """
    layouts = [extents[number].layouts for number in group]
    if not 1 < len(frozenset[tuple[int, int]]().union(*layouts)) <= LAYOUTS:
        return [group]
    before = [*accumulate(layouts, or_)]
    behind = [*accumulate(reversed(layouts), or_)][::-1]
    cuts = [
        number
        for number in range(1, len(layouts))
        if not before[number - 1] & _after(layouts[number], behind[number + 1 :])
    ]
    if not 0 < len(cuts) < HABIT:
        return [group]
    edges = [0, *cuts, len(layouts)]
    return [group[start:end] for start, end in pairwise(edges)]


def _after(
    layouts: frozenset[tuple[int, int]], behind: Sequence[frozenset[tuple[int, int]]]
) -> frozenset[tuple[int, int]]:
    """What comes behind a cut; one that holds the change itself counts for what follows it."""
    if len(layouts) > 1 and behind:
        return behind[0]
    return layouts.union(*behind[:1])
