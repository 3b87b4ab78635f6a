"""Which eras of the clock were wrong, and by how much."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby

import attrs

from agent.clock import CLOCK_SET_MS
from agent.store.eras import STEP_MS, Before, before_of
from agent.store.schema import SAMPLE_TABLES

LINES = (
    "SELECT id, boot_id, monotonic_ms, ts_ms, synchronised, moved_ms FROM clock "
    "ORDER BY boot_id, monotonic_ms, id"
)


@attrs.frozen
class Line:
    """A line of ``clock``."""

    id: int
    boot_id: str
    monotonic_ms: int
    ts_ms: int
    synchronised: int | None
    moved_ms: int | None

    @property
    def offset_ms(self) -> int:
        """By how much the wall clock was ahead of the monotonic one."""
        return self.ts_ms - self.monotonic_ms

    def is_of(self, other: "Line") -> bool:
        """Whether this is the line of those samples of another one that were moved."""
        mine = self.boot_id, self.monotonic_ms, self.ts_ms
        return self.moved_ms is not None and mine == (
            other.boot_id, other.monotonic_ms, other.ts_ms
        )  # fmt: skip


@attrs.frozen
class Move:
    """An era whose samples get their true time.

    ``first_ms`` and ``last_ms`` bound what its clock said; ``target`` is the line of moved samples,
    once it is there.
    """

    era: Line
    next: Line
    moved_ms: int
    target: int | None
    before: Before

    @property
    def first_ms(self) -> int:
        return self.era.offset_ms

    @property
    def last_ms(self) -> int:
        return self.era.offset_ms + self.next.monotonic_ms

    @property
    def true_ms(self) -> tuple[int, int]:
        """From when to when the era really lasted: from its first sample to the next era."""
        return self.era.ts_ms + self.moved_ms, self.last_ms + self.moved_ms

    def has(self, ts_ms: int | None) -> bool:
        """Whether its clock may have said this."""
        return ts_ms is not None and self.first_ms <= ts_ms <= self.last_ms

    def key(self, table: str, ts_ms: int) -> int:
        """The key by the true time of a sample."""
        return (ts_ms + self.moved_ms) * 1000 // SAMPLE_TABLES[table]

    def keeps_keys(self, table: str) -> bool:
        """Whether keys of before the era are ahead of its true time already.

        Then a clock in the future made them; those of the era are in order between them and the
        next ones, and no others would be.
        """
        return self.key(table, self.era.ts_ms) <= self.before.keys.get(table, -1)


def unfinished(connection: sqlite3.Connection) -> Iterator[Move]:
    """The eras whose true time is known and whose samples do not all have it.

    The newest boot comes first: its samples go to where nothing is yet, and those of the boots
    before still lie before all of its own.
    """
    lines = [Line(*row) for row in connection.execute(LINES)]
    boots = [[*boot] for _, boot in groupby(lines, key=lambda line: line.boot_id)]
    for boot in sorted(boots, key=lambda boot: -min(line.id for line in boot)):
        yield from _of_boot(connection, boot)


def _of_boot(connection: sqlite3.Connection, lines: Sequence[Line]) -> Iterator[Move]:
    eras = [line for line in lines if line.moved_ms is None]
    for number, era in enumerate(eras[:-1]):
        if era.synchronised:
            return  # who sets the clock of a machine that knows the time has a reason
        later = eras[number + 1 :]
        target = next((line for line in lines if line.is_of(era)), None)
        before = before_of(connection, era.id)
        if target is not None and target.moved_ms is not None:
            if before is not None:
                yield Move(era, later[0], target.moved_ms, target.id, before)
            continue
        true = _first_true(era, later)
        if true is not None and abs(true.offset_ms - era.offset_ms) > STEP_MS:
            moved_ms = true.offset_ms - era.offset_ms
            yield Move(era, later[0], moved_ms, None, before or Before())


def _first_true(era: Line, later: Sequence[Line]) -> Line | None:
    """The first era after one of which the true time is known.

    The kernel says so; where it can't be asked, a time from before there was this agent is wrong.
    """
    if era.synchronised is None and era.ts_ms < CLOCK_SET_MS:
        unasked = (line for line in later if line.synchronised is None)
        found = next((line for line in unasked if line.ts_ms >= CLOCK_SET_MS), None)
    else:
        found = None
    return next((line for line in later if line.synchronised), found)
