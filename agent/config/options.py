"""The words that options are declared with: ranges, choices, and faults between options."""

from typing import Annotated, Any

import attrs


@attrs.frozen
class Between:
    """A number from ``low`` to ``high``, both allowed."""

    low: float
    high: float
    unit: str = ""

    def allows(self, value: Any) -> bool:
        return bool(self.low <= value <= self.high)

    def __str__(self) -> str:
        return f"{decimal(self.low)} to {decimal(self.high)}" + (
            f" {self.unit}" if self.unit else ""
        )


def decimal(value: float) -> str:
    """A number with all its digits, and no point where it needs none.

    >>> decimal(36500.0), decimal(0.01), decimal(-1e15)
    ('36500', '0.01', '-1e+15')
    """
    return f"{value:.15g}"


@attrs.frozen
class OneOf:
    """One of some words."""

    words: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        return value in self.words

    def __str__(self) -> str:
        return "one of " + ", ".join(repr(word) for word in self.words)


@attrs.frozen
class Length:
    """A text of ``low`` to ``high`` characters."""

    low: int
    high: int

    def allows(self, value: Any) -> bool:
        return self.low <= len(value) <= self.high

    def __str__(self) -> str:
        return f"a text of {self.low} to {self.high} characters"


@attrs.frozen
class OptionFault:
    """A fault that shows only when options are seen together; ``key`` as in ``tag[2].address``."""

    key: str
    found: object
    allowed: str
    hint: str = ""


Port = Annotated[int, Between(1, 65535)]
Host = Annotated[str, Length(1, 253)]


@attrs.frozen
class Secret:
    """A text that no log, error or table shows; ``value`` is it."""

    value: str = attrs.field(repr=False)

    def __str__(self) -> str:
        return "***"
