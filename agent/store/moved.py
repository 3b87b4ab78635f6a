"""Samples that were stamped before the clock was set, and have their true time now."""

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo

import attrs

from agent.store.asked import OpenFile
from agent.store.eras import STEP_MS
from agent.store.segments import Segment

# An era lasts from the start of its boot at most, and until the next one of another offset.
LINES = f"""
    SELECT id, boot_id, moved_ms, ts_ms + moved_ms - monotonic_ms, (
        SELECT min(monotonic_ms) FROM clock AS next
        WHERE next.boot_id = clock.boot_id AND next.monotonic_ms > clock.monotonic_ms
        AND abs((next.ts_ms - next.monotonic_ms) - (clock.ts_ms - clock.monotonic_ms)) > {STEP_MS}
    ) FROM clock WHERE moved_ms IS NOT NULL ORDER BY id
"""


@attrs.frozen(order=True)
class Moved:
    """Samples of one device that were moved by as much: what their clock said is so much less."""

    first_ms: int
    last_ms: int
    moved_ms: int
    count: int

    def text(self, device: str, zone: tzinfo) -> str:
        """What people are told."""
        first, last = (
            datetime.fromtimestamp(ms // 1000, zone).replace(tzinfo=None)
            for ms in (self.first_ms, self.last_ms)
        )
        until = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%dT%H:%M}"
        was = "sample of" if self.count == 1 else "samples of"
        were = "was stamped before the clock was set and has its" if self.count == 1 else (
            "were stamped before the clock was set and have their"
        )  # fmt: skip
        return (
            f"{self.count} {was} {device}, {first:%Y-%m-%dT%H:%M} to {until}, {were} true time now"
        )


def moved(
    file: OpenFile,
    segments: Callable[[int, int], Iterable[Segment]],
    start_ms: int,
    end_ms: int,
) -> list[Moved]:
    """What of a stretch of time was moved; ``segments`` reads the samples of a device."""
    found: dict[tuple[str, int], Moved] = {}
    for clock, boot_id, moved_ms, offset_ms, next_ms in file.rows(LINES):
        until_ms = end_ms if next_ms is None else min(end_ms, offset_ms + next_ms)
        for segment in segments(max(start_ms, offset_ms), until_ms):
            pairs = zip(segment.times(), segment.clocks(), strict=True)
            times = [ts_ms for ts_ms, each in pairs if each == clock]
            if times:
                new = Moved(min(times), max(times), moved_ms, len(times))
                known = found.get((boot_id, moved_ms))
                found[boot_id, moved_ms] = new if known is None else _joined(known, new)
    return sorted(found.values())


def _joined(one: Moved, other: Moved) -> Moved:
    first_ms, last_ms = min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms)
    return Moved(first_ms, last_ms, one.moved_ms, one.count + other.count)
