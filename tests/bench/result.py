"""One figure of a benchmark, and how it is printed."""

import math
from collections.abc import Sequence

import attrs


@attrs.frozen
class Result:
    """A measured figure; ``target`` is the most that it should be, where there is one."""

    group: str
    name: str
    value: float | None
    unit: str
    target: float | None = None

    def __str__(self) -> str:
        shown = "-" if self.value is None else f"{self.value:.2f}".rstrip("0").rstrip(".")
        line = f"  {self.name:58} {shown:>9} {self.unit}"
        if self.target is None or self.value is None:
            return line
        verdict = "met" if self.value <= self.target else "MISSED"
        return f"{line.ljust(76)} at most {self.target:g}: {verdict}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of all do not exceed.

    >>> quantile([1, 2, 3, 4], 0.5)
    2
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
