"""What kinds with a list of tags share: names, scales, and how a number is written."""

import struct
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import Annotated, Final, Protocol

from agent.config.options import Between, OptionFault
from agent.model import RESERVED_METRICS

Factor = Annotated[float, Between(-1e15, 1e15)]  # a number: neither infinite nor NaN

SMALLEST_NORMAL_REAL: Final = 2.0**-126
REAL_FORMATS: Final = tuple(f"%.{digits}g" for digits in range(1, 10))
UNPACK_REAL: Final = struct.Struct(">f").unpack_from
PACK_REAL: Final = struct.Struct(">f").pack


class AddressError(ValueError):
    """An address or type that cannot be meant; ``key`` is the option that holds it."""

    def __init__(self, key: str, found: object, allowed: str, hint: str = "") -> None:
        super().__init__(f"{found!r} is not {allowed}" + (f": {hint}" if hint else ""))
        self.key = key
        self.found = found
        self.allowed = allowed
        self.hint = hint

    def fault(self, number: int) -> OptionFault:
        """The same as a fault of the tag with that number, counted from 1."""
        hint = f", {self.hint}" if self.hint else ""
        return OptionFault(f"tag[{number}].{self.key}", self.found, self.allowed, hint)


class Named(Protocol):
    """A tag, whatever else it says."""

    @property
    def name(self) -> str: ...


class Scaled(Protocol):
    """A tag whose number becomes ``number * scale + offset``."""

    @property
    def scale(self) -> float: ...

    @property
    def offset(self) -> float: ...


def name_faults(tags: Sequence[Named]) -> Iterator[OptionFault]:
    """Names that no metric can have, or that two tags have."""
    seen: dict[str, int] = {}
    for number, tag in enumerate(tags, 1):
        key = f"tag[{number}].name"
        if not tag.name.isprintable() or tag.name != tag.name.strip():
            yield OptionFault(key, tag.name, "a name without blanks around it, on one line")
        if tag.name.lower() in RESERVED_METRICS:
            allowed = "another name, a column with the sample's time has this one"
            yield OptionFault(key, tag.name, allowed)
        first = seen.setdefault(tag.name.lower(), number)
        if first != number:
            allowed = (
                f"a name that no other tag has; upper and lower case count as one, see tag[{first}]"
            )
            yield OptionFault(key, tag.name, allowed)


def scale_faults(
    number: int, tag: Scaled, type_name: str, *, is_number: bool
) -> Iterator[OptionFault]:
    """Scale and offset that mean nothing for the type of a tag."""
    if tag.scale == 0:
        yield OptionFault(f"tag[{number}].scale", tag.scale, "a number other than 0")
    if (tag.scale, tag.offset) != (1.0, 0.0) and not is_number:
        key = "scale" if tag.scale != 1.0 else "offset"
        found = tag.scale if tag.scale != 1.0 else tag.offset
        yield OptionFault(f"tag[{number}].{key}", found, f"no {key}: {type_name} is no number")


def real(data: bytes, at: int) -> float | None:
    """Shortest decimal that names the same big-endian 32-bit float, since that is what is meant.

    >>> real(bytes.fromhex("3f8ccccd"), 0)
    1.1
    """
    value: float = UNPACK_REAL(data, at)[0]
    if not isfinite(value):
        return None
    raw = data[at : at + 4]
    # Six digits always name a normal number uniquely, so the search can start there.
    for form in REAL_FORMATS if abs(value) < SMALLEST_NORMAL_REAL else REAL_FORMATS[5:]:
        short = float(form % value)
        if PACK_REAL(short) == raw:
            return short
    return value


def scaling(
    scale: float, offset: float, *, is_whole: bool, is_real: bool
) -> Callable[[object], float | None] | None:
    """``raw * scale + offset`` without the dust of binary fractions; ``None`` if that is ``raw``.

    Whole numbers are rounded to the decimal places of scale and offset, so that 3 x 0.1 is 0.3;
    a 32-bit float to the nine digits that it can hold, all else to fifteen. What is no number, and
    what is not finite afterwards, becomes ``None``.

    >>> scaling(0.1, 0.0, is_whole=True, is_real=False)(2301)
    230.1
    """
    if scale == 1.0 and offset == 0.0:
        return None
    places = max(_places(scale), _places(offset))
    form = "%.9g" if is_real else "%.15g"

    def apply(raw: object) -> float | None:
        if not isinstance(raw, int | float):
            return None
        value = raw * scale + offset
        if not isfinite(value):
            return None
        return round(value, places) if is_whole else float(form % value)

    return apply


def _places(number: float) -> int:
    """Decimal places of a number as it is written: 2 for 0.25, 7 for 1e-07."""
    mantissa, _, exponent = repr(number).partition("e")
    fraction = mantissa.partition(".")[2].rstrip("0")
    return max(0, len(fraction) - int(exponent or 0))
