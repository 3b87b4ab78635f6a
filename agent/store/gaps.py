"""Stretches without samples: opened, closed, and those in which the agent did not run."""

import sqlite3
from collections.abc import Sequence

import attrs

from agent.clock import CLOCK_SET_MS
from agent.model import GAP_INTERVALS, Reason
from agent.store.book import Entry
from agent.store.waiting import Dropped, GapOpened


@attrs.frozen
class OpenGap:
    """A gap without an end in the file."""

    id: int
    start_ms: int
    reason: Reason


class Gaps:
    """Writes gaps inside the writer's open transaction; after a rollback it is made anew.

    At most two gaps of a device are open: one that lasts, and one in which the agent was down.
    That ends with the start of the run in which the device is heard of again; or, while the clock
    of this run is behind the gap's start, with the first moment after it.
    """

    def __init__(self, connection: sqlite3.Connection, run_start_ms: int) -> None:
        self._connection = connection
        self._run_start_ms = run_start_ms
        self._open: dict[int, OpenGap] = {}
        self._down: dict[int, OpenGap] = {}
        for id_, device, start_ms, reason in connection.execute(
            "SELECT id, device, start_ms, reason FROM gap WHERE end_ms IS NULL ORDER BY id"
        ):
            gap = OpenGap(id_, start_ms, Reason(reason))
            (self._down if gap.reason is Reason.AGENT_DOWN else self._open)[device] = gap

    def start_run(self, since_ms: int, devices: Sequence[Entry]) -> None:
        """End what the run before left open, and note that none of these devices was polled."""
        self._connection.execute(
            "UPDATE gap SET end_ms = max(start_ms, ?) WHERE end_ms IS NULL AND reason != ?",
            (since_ms, Reason.AGENT_DOWN),
        )
        self._open.clear()
        before, self._down = self._down, {}
        for entry in devices:
            down = before.pop(entry.id, None)
            # The run before did not hear of the device, or it never learned the time: then the
            # gap goes on. Else its start lies in a future that a wrong clock told of.
            is_ahead = down is not None and down.start_ms > self._run_start_ms
            if down is not None and is_ahead and since_ms >= CLOCK_SET_MS:
                self._delete(down)
                down = None
            self._down[entry.id] = down or self._insert(
                entry.id, since_ms, None, Reason.AGENT_DOWN, ""
            )
        for down in before.values():
            self._end(down, max(down.start_ms, since_ms))

    def open(self, entry: Entry, event: GapOpened, interval_s: float) -> None:
        """A gap begins, and ends the one before."""
        self.close(entry, event.start_ms, interval_s)
        self._open[entry.id] = self._insert(
            entry.id, event.start_ms, None, event.reason, event.detail
        )

    def close(self, entry: Entry, end_ms: int, interval_s: float) -> None:
        """The open gap of a device is over, if there is one."""
        gap = self._open.pop(entry.id, None)
        was_down = self._reach(entry.id, end_ms, interval_s)
        if gap is None:
            return
        # A clock that was set tells nothing new where the agent was down until then.
        if end_ms <= gap.start_ms or (was_down and gap.reason is Reason.CLOCK):
            self._delete(gap)
        else:
            self._end(gap, end_ms)

    def note_dropped(self, entry: Entry, lost: Dropped, interval_s: float) -> None:
        """Samples that the store had no room for."""
        if lost.first_ms is not None:
            detail = f"{lost.count} samples dropped, the store could not be written"
            self._insert(entry.id, lost.first_ms, lost.last_ms, Reason.STORE, detail)
        if lost.opened is not None:
            self.open(entry, lost.opened, interval_s)

    def _reach(self, device: int, ts_ms: int, interval_s: float) -> bool:
        """Whether the time in which the agent was down ends with this very moment."""
        down = self._down.get(device)
        if down is None:
            return False
        was_behind = self._run_start_ms <= down.start_ms
        end_ms = ts_ms if was_behind else self._run_start_ms
        if end_ms <= down.start_ms:
            return False
        del self._down[device]
        if end_ms - down.start_ms > GAP_INTERVALS * interval_s * 1000:
            self._end(down, end_ms)
        else:
            self._delete(down)
        return was_behind

    def _insert(
        self, device: int, start_ms: int, end_ms: int | None, reason: Reason, detail: str
    ) -> OpenGap:
        cursor = self._connection.execute(
            "INSERT INTO gap(device, start_ms, end_ms, reason, detail) VALUES(?, ?, ?, ?, ?)",
            (device, start_ms, end_ms, reason, detail),
        )
        assert cursor.lastrowid is not None
        return OpenGap(cursor.lastrowid, start_ms, reason)

    def _end(self, gap: OpenGap, end_ms: int) -> None:
        self._connection.execute("UPDATE gap SET end_ms = ? WHERE id = ?", (end_ms, gap.id))

    def _delete(self, gap: OpenGap) -> None:
        self._connection.execute("DELETE FROM gap WHERE id = ?", (gap.id,))
