"""Columns that follow another: their differences to it are smaller than they are.

The least and the greatest value of a minute lie together, and its last value is near the next one's
first. Only short columns refer to others: long ones are read alone.
"""

from collections import deque
from collections.abc import Sequence
from operator import add, sub

import attrs

from agent.store.codec.damaged import Damaged
from agent.store.codec.ints import needed_bits, take_ints
from agent.store.codec.parts import Taken

DEEPEST = 4  # how many columns must be read for one at most, besides itself
SHORTEST, LONGEST = 16, 1000  # numbers of a column that refers to another
LOOKED_AT = 5  # columns before one that it may refer to
GAIN = 0.95  # of its bits a column must not need more as differences


@attrs.frozen
class Reference:
    """A column before another (``code`` is twice how far, and odd for its next numbers)."""

    code: int
    rest: Sequence[int]
    depth: int


@attrs.frozen
class _Written:
    numbers: Sequence[int] | None
    depth: int


class Recent:
    """The numbers of the last columns that were written."""

    def __init__(self) -> None:
        self._columns: deque[_Written] = deque(maxlen=LOOKED_AT)

    def add(self, numbers: Sequence[int] | None, reference: Reference | None = None) -> None:
        """Tell of a column; ``None`` is one that has no numbers."""
        self._columns.appendleft(_Written(numbers, reference.depth if reference else 0))

    def best(self, numbers: Sequence[int]) -> Reference | None:
        """The column to refer to, if there is one that makes numbers smaller."""
        if not SHORTEST <= len(numbers) <= LONGEST:
            return None
        found = None
        least = GAIN * needed_bits(numbers)
        for back, column in enumerate(self._columns, 1):
            if column.numbers is None or column.depth >= DEEPEST:
                continue
            if len(column.numbers) != len(numbers):
                continue
            for is_ahead in (0, 1):
                rest = [*map(sub, numbers, _shifted(column.numbers, is_ahead))]
                bits = needed_bits(rest)
                if bits < least:
                    found, least = Reference(2 * back + is_ahead, rest, column.depth + 1), bits
        return found


def take_referring(taken: Taken, count: int, code: int, referred: Sequence[int]) -> list[int]:
    """The numbers of a column that refers to another."""
    if len(referred) != count:
        raise Damaged(f"wanted to refer to {count} numbers, got {len(referred)}")
    return [*map(add, take_ints(taken, count), _shifted(referred, code & 1))]


def _shifted(numbers: Sequence[int], is_ahead: int) -> Sequence[int]:
    """The numbers themselves, or the next one of each; the last one stays."""
    return [*numbers[1:], *numbers[-1:]] if is_ahead else numbers
