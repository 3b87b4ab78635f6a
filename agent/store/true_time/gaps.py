"""Puts the gaps right that were noted while the clock was wrong, all in one transaction."""

import json
import math
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from agent.model import GAP_INTERVALS, Reason
from agent.store.eras import before_of
from agent.store.true_time.lives import Life
from agent.store.true_time.moves import Move
from agent.store.true_time.stretches import Stretch, without

# They say of which time something was deleted or lost, and that is known by the samples.
OF_SAMPLES = (Reason.RETENTION, Reason.DAMAGED)
EVERY = 2**63 - 1  # no gap has a larger number
NEXT_BOOT = (
    "SELECT id FROM clock AS first WHERE boot_id != ? AND id > ? AND moved_ms IS NULL "
    "AND id = (SELECT min(id) FROM clock WHERE boot_id = first.boot_id) ORDER BY id"
)


@attrs.frozen
class _Gap:
    """A line of ``gap``."""

    id: int
    device: int
    start_ms: int
    end_ms: int | None
    reason: str
    detail: str

    @property
    def is_down(self) -> bool:
        """Whether it lies before a run; one within has a detail."""
        return self.reason == Reason.AGENT_DOWN and not self.detail


@attrs.frozen
class Heard:
    """A device that the agent heard of in an era; ``was_known`` says that it had before, too."""

    device: int
    was_known: bool


class MendGaps:
    """What the gaps of an era are by the true time.

    Args:
        lives: The runs of the boot from the first one that began in the era.
        intervals_ms: How often devices are polled, by number, as far as that is known.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        move: Move,
        lives: Sequence[Life],
        intervals_ms: Mapping[int, float],
    ) -> None:
        self._connection = connection
        self._move = move
        self._lives = lives
        self._intervals_ms = intervals_ms
        began = [life for life in lives if life.began_in_era]
        self._starts = {life.said_ms: life.start_ms for life in began}
        ends = [life.end_ms for life in began if life.end_ms is not None]
        # Where the clock was set back, both eras said the same times.
        next_before = before_of(connection, move.next.id) if move.moved_ms < 0 else None
        self._last_of_era = EVERY if next_before is None else next_before.gap
        self._ends = {end_ms - move.moved_ms: end_ms for end_ms in ends}

    def mend(self, heard: Collection[Heard]) -> None:
        """Change them, in the open transaction."""
        down: dict[int, list[Stretch]] = {}
        for gap in self._gaps():
            if gap.is_down:
                left = self._down(gap)
                down.setdefault(gap.device, []).extend(left)
            elif gap.reason == Reason.CLOCK:
                left = self._clock(gap)
            else:
                left = [self._moved(gap)]
            self._write(gap, left)
        for each in heard:
            if each.was_known:
                self._add_missing(each.device, down.get(each.device, []))
        self._mend_runs()

    def _gaps(self) -> list[_Gap]:
        """Those of this boot, and those before it in which the agent was down until then."""
        since_ms = self._move.before.since_ms
        sql = (
            "SELECT id, device, start_ms, end_ms, reason, detail FROM gap WHERE id <= ?1 "
            "AND (id > ?2 OR reason = ?3 AND detail = '' AND (end_ms IS NULL OR end_ms >= ?4 "
            "OR end_ms IN (SELECT value FROM json_each(?5)))) ORDER BY id"
        )
        bounds = (
            self._last_gap(), self._move.before.gap, Reason.AGENT_DOWN, since_ms,
            json.dumps([*self._starts]),
        )  # fmt: skip
        found = (_Gap(*row) for row in self._connection.execute(sql, bounds))
        return [gap for gap in found if gap.reason not in OF_SAMPLES]

    def _last_gap(self) -> int:
        """The newest gap of this boot."""
        bounds = self._move.era.boot_id, self._move.era.id
        for (clock,) in self._connection.execute(NEXT_BOOT, bounds).fetchall():
            before = before_of(self._connection, clock)
            if before is not None:
                return before.gap
        return EVERY

    def _moved(self, gap: _Gap) -> Stretch:
        """The gap, with those of its ends moved that the era's clock told of."""
        if gap.id <= self._move.before.gap or gap.id > self._last_of_era:
            return Stretch(gap.start_ms, gap.end_ms)
        start_ms, end_ms = self._true(gap.start_ms), gap.end_ms
        if end_ms is None:
            return Stretch(start_ms, None)
        end_ms = self._true(end_ms)
        return Stretch(min(start_ms, end_ms), max(start_ms, end_ms))

    def _true(self, ts_ms: int) -> int:
        return ts_ms + self._move.moved_ms if self._move.has(ts_ms) else ts_ms

    def _clock(self, gap: _Gap) -> list[Stretch]:
        """What of it is still a gap: the samples of the era lie in it now."""
        left = [*without(self._moved(gap), [Stretch(*self._move.true_ms)])]
        if left == [Stretch(gap.start_ms, gap.end_ms)]:
            return left
        # Of a device that is not polled any more: as far as one can know, none is left.
        interval_ms = self._intervals_ms.get(gap.device, math.inf)
        return [each for each in left if each.lasts_ms > GAP_INTERVALS * interval_ms]

    def _down(self, gap: _Gap) -> list[Stretch]:
        """What of it is true: not the time in which the agent ran."""
        moved = self._moved(gap)
        start_ms, end_ms = moved.start_ms, moved.end_ms
        if gap.start_ms == self._move.before.since_ms:  # by the clock of another boot
            start_ms = gap.start_ms
        elif gap.id > self._move.before.gap:
            start_ms = self._ends.get(gap.start_ms, start_ms)
        if gap.end_ms is not None:
            end_ms = self._starts.get(gap.end_ms, end_ms)
        if end_ms is not None and end_ms <= start_ms:
            return []
        whole = Stretch(start_ms, end_ms)
        if start_ms >= self._move.true_ms[1]:
            return [whole]
        ran = [Stretch(life.start_ms, life.end_ms) for life in self._lives]
        return self._long(gap.device, without(whole, ran))

    def _long(self, device: int, stretches: Iterable[Stretch]) -> list[Stretch]:
        least_ms = GAP_INTERVALS * self._intervals_ms.get(device, 0)
        return [each for each in stretches if each.lasts_ms > least_ms]

    def _write(self, gap: _Gap, left: Sequence[Stretch]) -> None:
        if not left:
            self._connection.execute("DELETE FROM gap WHERE id = ?", (gap.id,))
            return
        self._connection.execute(
            "UPDATE gap SET start_ms = ?, end_ms = ? WHERE id = ?",
            (left[0].start_ms, left[0].end_ms, gap.id),
        )
        for each in left[1:]:
            self._insert(gap.device, each, gap.reason, gap.detail)

    def _add_missing(self, device: int, down: Sequence[Stretch]) -> None:
        """The gap before the first run, which a clock that was behind its start made none."""
        since_ms = self._move.before.since_ms
        if since_ms is None or not self._starts:
            return
        start_ms = min(self._starts.values())
        is_there = any(
            each.start_ms < start_ms and (each.end_ms is None or each.end_ms >= start_ms)
            for each in down
        )
        missing = Stretch(since_ms, start_ms)
        if not is_there and since_ms < start_ms:
            for each in self._long(device, [missing]):
                self._insert(device, each, Reason.AGENT_DOWN, "")

    def _insert(self, device: int, stretch: Stretch, reason: str, detail: str) -> None:
        self._connection.execute(
            "INSERT INTO gap(device, start_ms, end_ms, reason, detail) VALUES(?, ?, ?, ?, ?)",
            (device, stretch.start_ms, stretch.end_ms, reason, detail),
        )

    def _mend_runs(self) -> None:
        for life in self._lives:
            sql = "UPDATE run SET start_ms = ? WHERE id = ?"
            self._connection.execute(sql, (life.start_ms, life.run))
        sql = "UPDATE run SET end_ms = end_ms + ? WHERE boot_id = ? AND end_ms BETWEEN ? AND ? "
        move = self._move
        bounds = move.moved_ms, move.era.boot_id, move.first_ms, move.last_ms
        self._connection.execute(sql, bounds)
