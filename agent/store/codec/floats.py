"""Doubles as integers that give the very same doubles back."""

from array import array
from collections.abc import Sequence
from math import isfinite

MOST_DIGITS = 22  # 10**22 is the largest power of ten that a double holds
EXACT = 1 << 53  # below it every whole number is a double
SAMPLED = 32


def scaled(cells: Sequence[float]) -> tuple[int, list[int | None]]:
    """The digits behind the point that most cells have, and the cells without a point.

    ``None`` stands for a cell that has more digits, and for -0.0.

    >>> scaled([20.5, 21.0, -0.0, 1e300])
    (1, [205, 210, None, None])
    """
    step = len(cells) // SAMPLED + 1
    digits = _most_digits(cells[::step])
    numbers = _scale(cells, digits)
    if step == 1 or 16 * numbers.count(None) <= len(cells):
        return digits, numbers
    more = _most_digits(cells)
    return (digits, numbers) if more == digits else (more, _scale(cells, more))


def _most_digits(cells: Sequence[float]) -> int:
    found = {digits for each in cells if (digits := _digits(each)) <= MOST_DIGITS}
    return max(found, default=0)


def _digits(number: float) -> int:
    mantissa, _, exponent = repr(number).partition("e")
    fraction = mantissa.partition(".")[2]
    if not fraction.isdigit() and not exponent:
        return MOST_DIGITS + 1  # not finite
    return max(0, (len(fraction) if fraction != "0" else 0) - int(exponent or 0))


def _scale(cells: Sequence[float], digits: int) -> list[int | None]:
    power = float(10**digits)
    largest = max(map(abs, cells)) * power
    if largest < EXACT and isfinite(sum(cells)):
        found: list[int] = [round(each * power) for each in cells]
        back = array("d", [each / power for each in found])
        if back.tobytes() == array("d", cells).tobytes():
            return [*found]
    return [_scale_one(each, power) for each in cells]


def _scale_one(number: float, power: float) -> int | None:
    if not abs(number) * power < EXACT:
        return None
    found = round(number * power)
    return found if repr(found / power) == repr(number) else None


def unscaled(numbers: Sequence[int], digits: int) -> list[float]:
    """The doubles of ``scaled``."""
    if not digits:
        return [*map(float, numbers)]
    power = 10**digits
    return [each / power for each in numbers]


def singles(cells: Sequence[float]) -> list[int] | None:
    """The bits of floats that are all of single precision, or ``None``."""
    found = array("f", cells)
    if array("d", found).tobytes() != array("d", cells).tobytes():
        return None
    return array("i", found.tobytes()).tolist()


def from_singles(numbers: Sequence[int]) -> list[float]:
    """The floats of ``singles``."""
    return array("f", array("i", numbers).tobytes()).tolist()


def doubles(cells: Sequence[float]) -> list[int]:
    """The bits of doubles, as signed integers."""
    return array("q", array("d", cells).tobytes()).tolist()


def from_doubles(numbers: Sequence[int]) -> list[float]:
    """The doubles of ``doubles``."""
    return array("d", array("q", numbers).tobytes()).tolist()
