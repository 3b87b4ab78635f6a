"""Which clock stamped a row: a line of ``clock`` for each boot and each step of the wall clock."""

import json
import sqlite3
from collections.abc import Mapping

import attrs

from agent.model import Stamp

STEP_MS = 100  # both clocks run at one rate within a boot; more than this apart is a step
REMEMBERED = 16  # eras of this boot that late samples may still belong to
NOTES_KEPT = 64  # of so many eras it is known what was in the file before them
BEFORE = "before clock "  # and an era's number, in meta

# Samples of an era with a moved line have their true time, and that line, or get both soon.
IS_MOVED = """
    clock.moved_ms IS NULL AND EXISTS (
        SELECT 1 FROM clock AS moved WHERE moved.moved_ms IS NOT NULL
        AND moved.boot_id = clock.boot_id AND moved.monotonic_ms = clock.monotonic_ms
        AND moved.ts_ms = clock.ts_ms
    )
"""
USABLE = f"""
    SELECT id, ts_ms - monotonic_ms, synchronised FROM clock
    WHERE boot_id = ? AND moved_ms IS NULL AND NOT ({IS_MOVED}) ORDER BY id DESC LIMIT ?
"""


@attrs.define
class Era:
    """A stretch in which wall and monotonic clock ran side by side."""

    id: int
    offset_ms: int
    synchronised: bool | None


@attrs.frozen
class Before:
    """What was in the file before an era: the newest numbers, and when the agent was last heard of.

    ``since_ms`` is ``None`` where the agent was running before, or for the first time. ``again``
    says that only samples are to be looked for: all else was done.
    """

    gap: int = 0
    keys: Mapping[str, int] = attrs.field(factory=dict)  # by table
    since_ms: int | None = None
    again: bool = False


def before_of(connection: sqlite3.Connection, era: int) -> Before | None:
    """What was noted of an era; ``None`` once all is done that it is needed for."""
    sql = "SELECT value FROM meta WHERE key = ?"
    row = connection.execute(sql, (f"{BEFORE}{era}",)).fetchone()
    return None if row is None else Before(*json.loads(row[0]))


def note_before(connection: sqlite3.Connection, era: int, before: Before) -> None:
    """Note it, in the open transaction."""
    text = json.dumps(attrs.astuple(before))
    connection.execute(
        "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", (f"{BEFORE}{era}", text)
    )


def forget_before(connection: sqlite3.Connection, era: int) -> None:
    """All is done that it was needed for, in the open transaction."""
    connection.execute("DELETE FROM meta WHERE key = ?", (f"{BEFORE}{era}",))


def look_again(connection: sqlite3.Connection) -> None:
    """Samples came from elsewhere: some may be of eras that all was done for."""
    text = json.dumps(attrs.astuple(Before(again=True)))
    connection.execute(
        f"INSERT OR IGNORE INTO meta(key, value) SELECT ? || id, ? FROM clock WHERE {IS_MOVED}",
        (BEFORE, text),
    )


class Eras:
    """Finds the era of a stamp, and writes down new ones inside the open transaction."""

    def __init__(self, connection: sqlite3.Connection, boot_id: str) -> None:
        self._connection = connection
        self._boot_id = boot_id
        self._now = Stamp(0, 0)
        self._synchronised: bool | None = None
        self._before = Before()
        rows = connection.execute(USABLE, (boot_id, REMEMBERED))
        self._eras = [Era(i, offset, None if s is None else bool(s)) for i, offset, s in rows]

    def look(self, now: Stamp, synchronised: bool | None, keys: Mapping[str, int]) -> None:
        """Take note of the clocks as they are: the stamps that follow may be of another era.

        ``keys`` are the newest of each table.
        """
        self._now = now
        self._synchronised = synchronised
        (gap,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM gap").fetchone()
        self._before = Before(gap, dict(keys))

    def run_starts(self, since_ms: int | None) -> None:
        """The agent was last heard of then."""
        self._before = attrs.evolve(self._before, since_ms=since_ms)

    def now(self) -> int:
        """The number of the era of the clocks as they are."""
        return self.of(self._now)

    def of(self, stamp: Stamp) -> int:
        """The number of the era that a stamp was taken in."""
        offset_ms = stamp.ts_ms - stamp.monotonic_ms
        # What the kernel says is about the clock as it is now, not as it was before a step.
        is_now = abs(self._now.ts_ms - self._now.monotonic_ms - offset_ms) <= STEP_MS
        synchronised = self._synchronised if is_now else (False if self._synchronised else None)
        for era in self._eras:
            if abs(era.offset_ms - offset_ms) <= STEP_MS:
                if synchronised and not era.synchronised:
                    self._connection.execute(
                        "UPDATE clock SET synchronised = 1 WHERE id = ?", (era.id,)
                    )
                    era.synchronised = True
                return era.id
        return self._add(stamp, synchronised)

    def _add(self, stamp: Stamp, synchronised: bool | None) -> int:
        cursor = self._connection.execute(
            "INSERT INTO clock(boot_id, monotonic_ms, ts_ms, synchronised) VALUES(?, ?, ?, ?)",
            (self._boot_id, stamp.monotonic_ms, stamp.ts_ms, synchronised),
        )
        assert cursor.lastrowid is not None
        note_before(self._connection, cursor.lastrowid, self._before)
        forget_before(self._connection, cursor.lastrowid - NOTES_KEPT)
        self._eras.insert(0, Era(cursor.lastrowid, stamp.ts_ms - stamp.monotonic_ms, synchronised))
        del self._eras[REMEMBERED:]
        return cursor.lastrowid
