"""Which samples the store has already, known by when they were read.

That is the time that the clock said, and which clock it was: a time may be said twice, when a clock
is set back, and a sample may have got its true time since.
"""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import attrs

from agent.store.eras import STEP_MS
from agent.store.query import Reader, open_to_read

Mark = tuple[int, int]  # when a sample was read, as its clock said it, and which clock that was


@attrs.frozen
class Clock:
    """A line of ``clock``: the first one of that clock, and by how much times were put right."""

    era: int
    moved_ms: int


class There:
    """The store as it is now.

    Raises:
        StoreError: It can't be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(open_to_read(path)) as connection:
            self._clocks = _clocks(connection)

    def mark(self, ts_ms: int, clock: int) -> Mark:
        """What tells a sample apart from others of its device."""
        found = self._clocks.get(clock, Clock(clock, 0))
        return ts_ms - found.moved_ms, found.era

    def marks(self, device: str, first_ms: int, last_ms: int, clocks: Collection[int]) -> set[Mark]:
        """The samples of a stretch of time; ``clocks`` are those of the ones to compare with."""
        found: set[Mark] = set()
        with Reader(self._path) as reader:
            for shift_ms in self._shifts(clocks):
                for segment in reader.segments(device, first_ms + shift_ms, last_ms + shift_ms + 1):
                    found.update(map(self.mark, segment.times(), segment.clocks()))
        return found

    def _shifts(self, clocks: Collection[int]) -> set[int]:
        """By how much the same samples may lie elsewhere."""
        mine = {self._clocks.get(clock, Clock(clock, 0)) for clock in clocks}
        return {0} | {
            other.moved_ms - clock.moved_ms
            for clock in mine
            for other in self._clocks.values()
            if other.era == clock.era
        }


def _clocks(connection: sqlite3.Connection) -> dict[int, Clock]:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    moved = "coalesce(moved_ms, 0)" if version > 1 else "0"
    sql = f"SELECT id, boot_id, ts_ms - monotonic_ms, {moved} FROM clock ORDER BY id"
    found: dict[int, Clock] = {}
    eras: list[tuple[int, str, int]] = []
    for id_, boot_id, offset_ms, moved_ms in connection.execute(sql):
        same = [
            era
            for era, boot, offset in eras
            if boot == boot_id and abs(offset - offset_ms) <= STEP_MS
        ]
        if not same:
            eras.append((id_, boot_id, offset_ms))
        found[id_] = Clock(same[0] if same else id_, moved_ms)
    return found
