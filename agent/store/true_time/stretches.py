"""Stretches of time, and what is left of them."""

from collections.abc import Iterable, Sequence

import attrs


@attrs.frozen
class Stretch:
    """``end_ms`` is ``None`` while it lasts."""

    start_ms: int
    end_ms: int | None

    @property
    def lasts_ms(self) -> float:
        """How long it is."""
        return float("inf") if self.end_ms is None else self.end_ms - self.start_ms


def without(stretch: Stretch, others: Iterable[Stretch]) -> Sequence[Stretch]:
    """What is left of a stretch where the others are taken out.

    >>> without(Stretch(0, 9), [Stretch(2, 4), Stretch(8, None)])
    (Stretch(start_ms=0, end_ms=2), Stretch(start_ms=4, end_ms=8))
    """
    left: Sequence[Stretch] = (stretch,)
    for other in others:
        left = tuple(piece for each in left for piece in _without(each, other))
    return left


def _without(stretch: Stretch, other: Stretch) -> Iterable[Stretch]:
    is_before = stretch.end_ms is not None and stretch.end_ms <= other.start_ms
    is_behind = other.end_ms is not None and other.end_ms <= stretch.start_ms
    if is_before or is_behind:
        yield stretch
        return
    if stretch.start_ms < other.start_ms:
        yield Stretch(stretch.start_ms, other.start_ms)
    if other.end_ms is not None and (stretch.end_ms is None or other.end_ms < stretch.end_ms):
        yield Stretch(other.end_ms, stretch.end_ms)
