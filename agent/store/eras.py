"""Which clock stamped a row: a line of ``clock`` for each boot and each step of the wall clock."""

import sqlite3

import attrs

from agent.model import Stamp

STEP_MS = 100  # both clocks run at one rate within a boot; more than this apart is a step
REMEMBERED = 16  # eras of this boot that late samples may still belong to


@attrs.define
class Era:
    """A stretch in which wall and monotonic clock ran side by side."""

    id: int
    offset_ms: int
    synchronised: bool | None


class Eras:
    """Finds the era of a stamp, and writes down new ones inside the open transaction."""

    def __init__(self, connection: sqlite3.Connection, boot_id: str) -> None:
        self._connection = connection
        self._boot_id = boot_id
        self._now_offset_ms = 0
        self._synchronised: bool | None = None
        rows = connection.execute(
            "SELECT id, ts_ms - monotonic_ms, synchronised FROM clock WHERE boot_id = ? "
            "ORDER BY id DESC LIMIT ?",
            (boot_id, REMEMBERED),
        )
        self._eras = [Era(i, offset, None if s is None else bool(s)) for i, offset, s in rows]

    def look(self, now: Stamp, synchronised: bool | None) -> None:
        """Take note of the clocks as they are: the stamps that follow may be of another era."""
        self._now_offset_ms = now.ts_ms - now.monotonic_ms
        self._synchronised = synchronised

    def of(self, stamp: Stamp) -> int:
        """The number of the era that a stamp was taken in."""
        offset_ms = stamp.ts_ms - stamp.monotonic_ms
        # What the kernel says is about the clock as it is now, not as it was before a step.
        is_now = abs(self._now_offset_ms - offset_ms) <= STEP_MS
        synchronised = self._synchronised if is_now else (False if self._synchronised else None)
        for era in self._eras:
            if abs(era.offset_ms - offset_ms) <= STEP_MS:
                if synchronised and not era.synchronised:
                    self._connection.execute(
                        "UPDATE clock SET synchronised = 1 WHERE id = ?", (era.id,)
                    )
                    era.synchronised = True
                return era.id
        cursor = self._connection.execute(
            "INSERT INTO clock(boot_id, monotonic_ms, ts_ms, synchronised) VALUES(?, ?, ?, ?)",
            (self._boot_id, stamp.monotonic_ms, stamp.ts_ms, synchronised),
        )
        assert cursor.lastrowid is not None
        self._eras.insert(0, Era(cursor.lastrowid, offset_ms, synchronised))
        del self._eras[REMEMBERED:]
        return cursor.lastrowid
