"""One device's samples of one period as a CSV file: streamed, whole, the same bytes each time."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import attrs

from agent import __version__
from agent.files import whole_file
from agent.model import Value
from agent.reports.periods import Period
from agent.store import Reader
from agent.store.rows import Layout, RawRow

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
    progress: Progress | None = None,
) -> RollUp:
    """Write ``path`` and its manifest beside it, ``<stem>.manifest.json``.

    Raises:
        StoreError: The store can't be read.
        OSError: The file can't be written.
    """
    digest = hashlib.sha256()
    rows = size = 0
    with whole_file(path) as stream:
        for count, chunk in _chunks(reader, device, period, zone, units=units):
            stream.write(chunk)
            digest.update(chunk)
            rows += count
            size += len(chunk)
            if progress is not None:
                progress(rows)
    gaps = [
        {
            "start": iso(max(gap.start_ms, period.start_ms), zone),
            "end": iso(
                period.end_ms if gap.end_ms is None else min(gap.end_ms, period.end_ms), zone
            ),
            "reason": str(gap.reason),
            "detail": gap.detail,
        }
        for gap in reader.gaps(device, period.start_ms, period.end_ms)
    ]
    manifest = {
        "file": path.name,
        "device": device,
        "start": iso(period.start_ms, zone),
        "end": iso(period.end_ms, zone),
        "rows": rows,
        "size_bytes": size,
        "sha256": digest.hexdigest(),
        "gaps": gaps,
        "agent": __version__,
    }
    with whole_file(manifest_path(path)) as stream:
        stream.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n")
    return RollUp(device, path, rows, len(gaps), size, digest.hexdigest())


def manifest_path(path: Path) -> Path:
    """Where the manifest of a CSV file lies."""
    return path.with_suffix(".manifest.json")


def is_made(path: Path, period: Period, zone: tzinfo) -> bool:
    """Whether a report and its manifest are there, and of this period.

    One that was made on demand has the name of the day's scheduled one, and another period.
    """
    try:
        manifest = json.loads(manifest_path(path).read_bytes())
        found = manifest["start"], manifest["end"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return path.exists() and found == (iso(period.start_ms, zone), iso(period.end_ms, zone))


def iso(ts_ms: int, zone: tzinfo) -> str:
    """ISO 8601 with milliseconds and offset.

    >>> from zoneinfo import ZoneInfo
    >>> iso(0, ZoneInfo("Europe/Berlin"))
    '1970-01-01T01:00:00.000+01:00'
    """
    # From whole numbers: ts_ms / 1000 as a float can print one millisecond less.
    moment = datetime.fromtimestamp(ts_ms // 1000, zone)
    return moment.replace(microsecond=ts_ms % 1000 * 1000).isoformat(timespec="milliseconds")


def cell(value: Value) -> str:
    """A value as a CSV cell; decimal point, true as 1, nothing as nothing.

    >>> [cell(v) for v in (1.5, True, None, 'a"b,c')]
    ['1.5', '1', '', '"a""b,c"']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        if any(c in value for c in ',"\r\n') or value != value.strip():
            return '"' + value.replace('"', '""') + '"'
        return value
    return repr(value)


def _chunks(
    reader: Reader, device: str, period: Period, zone: tzinfo, *, units: bool
) -> Iterator[tuple[int, bytes]]:
    """Encoded lines and how many rows they are; the header first."""
    layouts = reader.layouts(device, period.start_ms, period.end_ms)
    header: Layout = tuple(sorted({position for layout in layouts for position in layout}))
    places = reader.places(device)
    yield 0, (",".join(["time", *_titles(reader, device, header, units=units)]) + "\r\n").encode()
    lines: list[str] = []
    size = 0
    is_flat = all(places[position][1] == (place,) for place, position in enumerate(header))
    for row in reader.raw_rows(device, period.start_ms, period.end_ms):
        cells = _cells(row, header, places, is_flat=is_flat)
        lines.append(f"{iso(row.ts_ms, zone)},{cells}" if header else iso(row.ts_ms, zone))
        size += len(lines[-1])
        if size >= CHUNK:
            yield len(lines), ("\r\n".join(lines) + "\r\n").encode()
            lines.clear()
            size = 0
    if lines:
        yield len(lines), ("\r\n".join(lines) + "\r\n").encode()


def _titles(reader: Reader, device: str, header: Layout, *, units: bool) -> list[str]:
    metrics = next(d.metrics for d in reader.devices() if d.name.lower() == device.lower())
    titles = []
    for position in header:
        metric = metrics[position]
        titles.append(
            cell(f"{metric.name} [{metric.unit}]" if units and metric.unit else metric.name)
        )
    return titles


def _cells(row: RawRow, header: Layout, places: dict[int, Any], *, is_flat: bool) -> str:
    # A row of numbers is nearly a line of CSV already: that is most rows of most devices, and
    # eight times as fast as taking it apart.
    if is_flat and row.layout == header and '"' not in row.text:
        return row.text[1:-1].replace("null", "").replace("true", "1").replace("false", "0")
    values = row.values(places)
    return ",".join(cell(values.get(places[position][0])) for position in header)
