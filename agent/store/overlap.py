"""Which of some samples the store has already, and which it has otherwise."""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Protocol

from agent.model import Value
from agent.store.lines import cell
from agent.store.segments import Segment

SECOND_MS = 1000
DIGITS = 1e-14  # the sqlite3 shell and spreadsheets write 15 digits of a number


class Past(Protocol):
    """A sample of the past."""

    @property
    def ts_ms(self) -> int: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def values(self) -> Sequence[Value]: ...


class Fate(Enum):
    """What becomes of a sample."""

    STORED = "stored"
    KNOWN = "known"  # the store has it
    IN_CONFLICT = "in conflict"  # the store has another one of that time, which stays


class Overlap:
    """Compares samples with those of the store that have the same time, or the same second.

    A sample is known when the store's has all of its values; it may have more. ``positions`` is
    by metric name.
    """

    def __init__(
        self, samples: Sequence[Past], positions: Mapping[str, int], *, by_second: bool
    ) -> None:
        self._samples = samples
        self._positions = positions
        self._slot_ms = SECOND_MS if by_second else 1
        self._at: dict[int, list[int]] = {}
        for number, sample in enumerate(samples):
            self._at.setdefault(sample.ts_ms // self._slot_ms, []).append(number)
        self._met: dict[int, bool] = {}  # whether what the store has of that time is the same

    @property
    def start_ms(self) -> int:
        """From here on the store has to be looked at."""
        return min(self._at) * self._slot_ms

    @property
    def end_ms(self) -> int:
        """And up to here."""
        return (max(self._at) + 1) * self._slot_ms

    def look(self, segments: Iterable[Segment]) -> None:
        """Compare with what the store has."""
        for segment in segments:
            pairs = [
                (stored, number)
                for stored, ts_ms in enumerate(segment.times())
                for number in self._at.get(ts_ms // self._slot_ms, ())
            ]
            if not pairs:
                continue
            alike = self._alike(segment, pairs)
            for pair in pairs:
                self._met[pair[1]] = self._met.get(pair[1], False) or pair in alike

    def fates(self) -> list[Fate]:
        """What becomes of each sample; of those that are alike among themselves one is stored."""
        found = [Fate.STORED] * len(self._samples)
        for number, is_known in self._met.items():
            found[number] = Fate.KNOWN if is_known else Fate.IN_CONFLICT
        for numbers in self._at.values():
            if len(numbers) > 1:
                self._compare_among(numbers, found)
        return found

    def _compare_among(self, numbers: Sequence[int], found: list[Fate]) -> None:
        seen, times = set(), set()
        for number in numbers:
            if number in self._met:
                continue
            sample = self._samples[number]
            values = sample.names, tuple(sample.values)
            if values in seen:
                found[number] = Fate.KNOWN
            elif sample.ts_ms in times:
                found[number] = Fate.IN_CONFLICT
            else:
                seen.add(values)
                times.add(sample.ts_ms)

    def _alike(self, segment: Segment, pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those pairs whose stored sample has all values of the new one; column by column."""
        alike: set[tuple[int, int]] = set()
        by_names: dict[tuple[str, ...], set[tuple[int, int]]] = {}
        for pair in pairs:
            by_names.setdefault(self._samples[pair[1]].names, set()).add(pair)
        for names, waiting in by_names.items():
            for at, name in enumerate(names):
                position = self._positions.get(name)
                cells = [None] * segment.count if position is None else segment.cells(position)
                waiting = {  # noqa: PLW2901 - fewer with each column
                    (stored, number)
                    for stored, number in waiting
                    if is_same(self._samples[number].values[at], cells[stored])
                }
                if not waiting:
                    break
            alike |= waiting
        return alike


def is_same(new: Value, stored: Value) -> bool:
    """Whether a value of a file is what the store has, as far as a file can tell.

    >>> is_same(1, True), is_same(4.037, 4.0369999999999996), is_same(None, 0), is_same("5", 5)
    (True, True, False, True)
    """
    if new == stored:
        return True
    if new is None or stored is None:
        return cell(new) == cell(stored)  # an empty text is an empty cell, too
    if isinstance(new, float) and isinstance(stored, float):
        return math.isclose(new, stored, rel_tol=DIGITS)
    return (isinstance(new, str) or isinstance(stored, str)) and cell(new) == cell(stored)
