"""One device's samples of one period as a CSV file: streamed, whole, the same bytes each time."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Any

import attrs

from agent import __version__
from agent.files import whole_file
from agent.model import Gap, Metric
from agent.reports.manifest import about, iso, write_manifest
from agent.reports.periods import Period
from agent.store import Reader
from agent.store.moved import Moved
from agent.store.sealed import DamagedBlock
from agent.store.table import Table, cell

__all__ = ["Progress", "RollUp", "iso", "write"]

CHUNK = 256 * 1024  # characters that are held at once
Progress = Callable[[int], None]  # told the rows written so far


@attrs.frozen
class RollUp:
    """A roll-up that was written."""

    device: str
    path: Path
    rows: int
    gaps: int
    size_bytes: int
    sha256: str


def write(
    reader: Reader,
    device: str,
    period: Period,
    path: Path,
    zone: tzinfo,
    *,
    units: bool = False,
    is_scheduled: bool = False,
    progress: Progress | None = None,
) -> RollUp:
    """Write ``path`` and its manifest beside it, ``<stem>.manifest.json``.

    ``is_scheduled`` is said in the manifest: this is what the schedule makes of the period.

    Raises:
        StoreError: The store can't be read.
        OSError: The file can't be written.
    """
    digest = hashlib.sha256()
    rows = size = 0
    table = reader.table(device, period.start_ms, period.end_ms)
    with whole_file(path) as stream:
        for count, chunk in _chunks(table, zone, units=units):
            stream.write(chunk)
            digest.update(chunk)
            rows += count
            size += len(chunk)
            if progress is not None:
                progress(rows)
    gaps = reader.gaps(device, period.start_ms, period.end_ms)
    manifest = {
        "file": path.name,
        "device": device,
        **about(period, zone, units=units),
        "scheduled": is_scheduled,
        "rows": rows,
        "size_bytes": size,
        "sha256": digest.hexdigest(),
        "gaps": [_gap_facts(gap, period, zone) for gap in gaps],
        "agent": __version__,
    }
    if table.damaged:
        manifest["damaged"] = [_damage_facts(each, period, zone) for each in table.damaged]
    moved = reader.moved(device, period.start_ms, period.end_ms)
    if moved:
        manifest["moved"] = [moved_facts(each, zone) for each in moved]
    write_manifest(path, manifest)
    return RollUp(device, path, rows, len(gaps), size, digest.hexdigest())


def _gap_facts(gap: Gap, period: Period, zone: tzinfo) -> dict[str, str]:
    end_ms = period.end_ms if gap.end_ms is None else min(gap.end_ms, period.end_ms)
    return {
        "start": iso(max(gap.start_ms, period.start_ms), zone),
        "end": iso(end_ms, zone),
        "reason": str(gap.reason),
        "detail": gap.detail,
    }


def _damage_facts(damaged: DamagedBlock, period: Period, zone: tzinfo) -> dict[str, Any]:
    """What the file lacks: at most so many samples, as some may lie outside of the period."""
    return {
        "start": iso(max(damaged.first_ms, period.start_ms), zone),
        "end": iso(min(damaged.last_ms, period.end_ms - 1), zone),
        "samples": damaged.count,
    }


def moved_facts(moved: Moved, zone: tzinfo) -> dict[str, Any]:
    """Which samples were stamped before the clock was set, and by how much too early."""
    return {
        "start": iso(moved.first_ms, zone),
        "end": iso(moved.last_ms, zone),
        "samples": moved.count,
        "moved_ms": moved.moved_ms,
    }


def _chunks(table: Table, zone: tzinfo, *, units: bool) -> Iterator[tuple[int, bytes]]:
    """Encoded lines and how many rows they are; the header first."""
    titles = [cell(_title(metric, units=units)) for metric in table.metrics]
    yield 0, (",".join(["time", *titles]) + "\r\n").encode()
    lines: list[str] = []
    size = 0
    times = _Times(zone)
    for ts_ms, cells in table.rows:
        time = times.text(ts_ms)
        line = f"{time},{cells}" if titles else time
        lines.append(line)
        size += len(line)
        if size >= CHUNK:
            yield len(lines), ("\r\n".join(lines) + "\r\n").encode()
            lines.clear()
            size = 0
    if lines:
        yield len(lines), ("\r\n".join(lines) + "\r\n").encode()


class _Times:
    """``iso`` for rising times: minute by minute, as asking the zone for each takes ten times
    as long."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._minute: int | None = None
        self._before = self._after = ""
        self._is_whole = False
        # Two digits and three: a format for each number takes twice as long as all the rest.
        self._seconds = tuple(f"{number:02}." for number in range(60))
        self._milliseconds = tuple(f"{number:03}" for number in range(1000))

    def text(self, ts_ms: int) -> str:
        """ISO 8601 with milliseconds and offset."""
        minute, rest_ms = divmod(ts_ms, 60_000)
        if minute != self._minute:
            start = iso(minute * 60_000, self._zone)
            self._minute, self._before, self._after = minute, start[:17], start[23:]
            self._is_whole = start[17:23] == "00.000"  # zones of old are some seconds off
        if not self._is_whole:
            return iso(ts_ms, self._zone)
        second, part = self._seconds[rest_ms // 1000], self._milliseconds[rest_ms % 1000]
        return f"{self._before}{second}{part}{self._after}"


def _title(metric: Metric, *, units: bool) -> str:
    return f"{metric.name} [{metric.unit}]" if units and metric.unit else metric.name
