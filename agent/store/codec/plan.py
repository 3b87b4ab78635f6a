"""How the cells of a column can be written as integers, by what most of them are."""

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import IntEnum

import attrs

from agent.model import Value
from agent.store.codec.floats import EXACT, doubles, scaled, singles

PLAIN_INTS = 1 << 62  # larger ones are exceptions


class Way(IntEnum):
    """How numbers become values."""

    INT = 0
    BOOL = 1
    DECIMAL = 2
    WHOLE = 3
    FLOAT32 = 4
    FLOAT64 = 5
    LISTED = 6


@attrs.frozen
class Plan:
    """One number for each cell, ``None`` for those that are exceptions."""

    way: Way
    numbers: Sequence[int | None]
    digits: int = 0


def plans(cells: Sequence[Value]) -> Iterator[Plan]:
    """The ways to try in turn; where none is good enough, all cells are listed."""
    kinds = Counter(map(type, cells))
    kinds.pop(type(None), 0)
    if kinds[int] and kinds[float]:
        yield from _whole(cells)
    for kind, _ in kinds.most_common(1):
        if kind is int:
            yield Plan(Way.INT, _integers(cells))
        elif kind is bool:
            yield Plan(Way.BOOL, [int(cell) if type(cell) is bool else None for cell in cells])
        elif kind is float:
            yield from _floats(cells)


def _integers(cells: Sequence[Value]) -> list[int | None]:
    return [
        cell if type(cell) is int and -PLAIN_INTS < cell < PLAIN_INTS else None for cell in cells
    ]


def _floats(cells: Sequence[Value]) -> Iterator[Plan]:
    floats = [cell for cell in cells if type(cell) is float]
    digits, numbers = scaled(floats)
    yield Plan(Way.DECIMAL, _put_back(numbers, cells), digits)
    bits = singles(floats)
    if bits is not None:
        yield Plan(Way.FLOAT32, _put_back(bits, cells))
    bits = doubles(floats)
    if 4 * len({*bits}) > len(bits):  # otherwise the few that there are had better be listed
        yield Plan(Way.FLOAT64, _put_back(bits, cells))


def _put_back(numbers: Sequence[int | None], cells: Sequence[Value]) -> Sequence[int | None]:
    """Numbers of the floats among cells, put where those are."""
    if len(numbers) == len(cells):
        return numbers
    number = iter(numbers)
    return [next(number) if type(cell) is float else None for cell in cells]


def _whole(cells: Sequence[Value]) -> Iterator[Plan]:
    """Numbers that are integers where they are whole, as many devices send them."""
    numeric = [cell for cell in cells if isinstance(cell, int | float) and type(cell) is not bool]
    if not all(-EXACT < cell < EXACT for cell in numeric if type(cell) is int):
        return
    digits, scales = scaled([*map(float, numeric)])
    power = 10**digits
    number = iter(scales)
    numbers = [next(number) if type(cell) in (int, float) else None for cell in cells]
    for index, (cell, found) in enumerate(zip(cells, numbers, strict=True)):
        if found is not None and (found % power == 0) is not (type(cell) is int):
            numbers[index] = None
    yield Plan(Way.WHOLE, numbers, digits)
