"""The cells of a column as integers and back: each type in the way that its digits need.

Cells that do not fit the way of the others (None, -0.0, a text among numbers) are exceptions: they
are listed once each, and marks say which cells they are.
"""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import TypeVar

import attrs

from agent.model import Value
from agent.store.codec.cursor import varint
from agent.store.codec.damaged import Damaged
from agent.store.codec.floats import MOST_DIGITS, from_doubles, from_singles, unscaled
from agent.store.codec.ints import put_ints, take_ints
from agent.store.codec.parts import Parts, Taken
from agent.store.codec.plan import Way, plans
from agent.store.codec.reference import Recent, take_referring
from agent.store.codec.values import from_json, listed, to_json

HAS_EXCEPTIONS, HAS_REFERENCE = 128, 64

Cell = TypeVar("Cell")


def put_column(parts: Parts, cells: Sequence[Value], recent: Recent) -> None:
    """Add cells; the reader knows how many they are. ``recent`` is told of them."""
    for plan in plans(cells):
        misfits = [number is None for number in plan.numbers] if None in plan.numbers else []
        exceptions, which = listed([*compress(cells, misfits)])
        if 8 * sum(each is not None for each in exceptions) <= len(cells):
            parts.head.append(plan.way | (HAS_EXCEPTIONS if misfits else 0))
            if plan.way in (Way.DECIMAL, Way.WHOLE):
                parts.head.append(plan.digits)
            if misfits:
                _put_listed(parts, exceptions)
                number = iter(which)
                marks = [next(number) + 1 if is_misfit else 0 for is_misfit in misfits]
                put_ints(parts, marks)
            _put_numbers(parts, [each for each in plan.numbers if each is not None], recent)
            return
    values, numbers = listed(cells)
    parts.head.append(Way.LISTED)
    _put_listed(parts, values)
    put_ints(parts, numbers)
    recent.add(None)


def _put_listed(parts: Parts, values: Sequence[Value]) -> None:
    text = to_json(values)
    parts.head += varint(len(text))
    parts.text.append(text)


def _put_numbers(parts: Parts, numbers: Sequence[int], recent: Recent) -> None:
    reference = recent.best(numbers)
    if reference is None:
        put_ints(parts, numbers)
    else:
        parts.head[0] |= HAS_REFERENCE
        parts.head += varint(reference.code)
        put_ints(parts, reference.rest)
    recent.add(numbers, reference)


@attrs.frozen
class Column:
    """The cells of a column as they were read: numbers, how they become values, exceptions."""

    way: int
    digits: int
    numbers: Sequence[int]
    marks: Sequence[int]
    listed: Sequence[Value]

    def values(self) -> list[Value]:
        """The cells."""
        return _merged(self._convert(self.numbers), self.marks, self.listed)

    def texts(self, cell: Callable[[Value], str]) -> list[str]:
        """The cells as texts, each different one made once."""
        different = [*{*self.numbers}]
        made = dict(zip(different, map(cell, self._convert(different)), strict=True))
        found = [*map(made.__getitem__, self.numbers)]
        return _merged(found, self.marks, [*map(cell, self.listed)] if self.marks else [])

    def _convert(self, numbers: Sequence[int]) -> list[Value]:
        try:
            return self._converted(numbers)
        except OverflowError as error:
            raise Damaged(f"numbers are too large for values: {error}") from error

    def _converted(self, numbers: Sequence[int]) -> list[Value]:
        match self.way:
            case Way.INT:
                return [*numbers]
            case Way.BOOL:
                return [*map(bool, numbers)]
            case Way.DECIMAL:
                return [*unscaled(numbers, self.digits)]
            case Way.WHOLE:
                power = 10**self.digits
                return [each / power if each % power else each // power for each in numbers]
            case Way.FLOAT32:
                return [*from_singles(numbers)]
            case Way.FLOAT64:
                return [*from_doubles(numbers)]
            case _:
                return [*map(self.listed.__getitem__, numbers)]


def _merged(found: list[Cell], marks: Sequence[int], exceptions: Sequence[Cell]) -> list[Cell]:
    if not marks:
        return found
    plain = iter(found)
    return [exceptions[mark - 1] if mark else next(plain) for mark in marks]


def take_column(taken: Taken, count: int, referred: Callable[[int], Sequence[int]]) -> Column:
    """The column that ``put_column`` wrote; ``referred`` has the numbers of columns before it."""
    mark = taken.head.byte()
    way = mark & ~(HAS_EXCEPTIONS | HAS_REFERENCE)
    digits = taken.head.byte() if way in (Way.DECIMAL, Way.WHOLE) else 0
    if way > Way.LISTED or digits > MOST_DIGITS:
        raise Damaged(f"wanted a way to write values, got {mark} with {digits} digits")
    values: list[Value] = []
    if mark & HAS_EXCEPTIONS or way == Way.LISTED:
        values = from_json(taken.text.take(taken.head.varint()))
    marks: list[int] = []
    if mark & HAS_EXCEPTIONS:
        marks = take_ints(taken, count)
        if not 0 <= min(marks, default=0) <= max(marks, default=0) <= len(values):
            raise Damaged(f"wanted marks of {len(values)} exceptions")
        count = marks.count(0)
    if mark & HAS_REFERENCE:
        code = taken.head.varint()
        numbers = take_referring(taken, count, code, referred(code >> 1))
    else:
        numbers = take_ints(taken, count)
    if way == Way.LISTED and numbers and not 0 <= min(numbers) <= max(numbers) < len(values):
        raise Damaged(f"wanted numbers of {len(values)} values")
    return Column(way, digits, numbers, marks, values)
