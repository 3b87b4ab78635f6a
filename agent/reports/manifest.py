"""What is written beside a roll-up, and what it tells of the roll-up."""

import json
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from agent.files import whole_file
from agent.reports.periods import Period


def manifest_path(path: Path) -> Path:
    """Where the manifest of a CSV file lies."""
    return path.with_suffix(".manifest.json")


def write_manifest(path: Path, facts: dict[str, Any]) -> None:
    """Write the manifest of the CSV file at ``path``.

    Raises:
        OSError: It can't be written.
    """
    with whole_file(manifest_path(path)) as stream:
        stream.write(json.dumps(facts, ensure_ascii=False, indent=1).encode() + b"\n")


def about(period: Period, zone: tzinfo, *, units: bool) -> dict[str, Any]:
    """What a roll-up was asked to be: with the same data, the same facts are the same bytes."""
    return {
        "start": iso(period.start_ms, zone),
        "end": iso(period.end_ms, zone),
        "timezone": str(zone),
        "units": units,
    }


def is_scheduled(path: Path) -> bool:
    """Whether a roll-up was made that is the schedule's, whatever the settings were then.

    The file itself may have been taken away since.
    """
    facts = _facts(path)
    # In manifests of older agents it does not stand: those are not to be lost.
    return facts is not None and facts.get("scheduled") is not False


def is_made(path: Path, period: Period, zone: tzinfo, *, units: bool) -> bool:
    """Whether the schedule's roll-up of a period is there, with its manifest.

    One that was made on demand may have its name, and is about another period.
    """
    facts = _facts(path)
    wanted = about(period, zone, units=units) | {"scheduled": True}
    return facts is not None and path.exists() and facts | wanted == wanted | facts


def _facts(path: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(manifest_path(path).read_bytes())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and {"start", "end"} <= facts.keys() else None


def iso(ts_ms: int, zone: tzinfo) -> str:
    """ISO 8601 with milliseconds and offset.

    >>> from zoneinfo import ZoneInfo
    >>> iso(0, ZoneInfo("Europe/Berlin"))
    '1970-01-01T01:00:00.000+01:00'
    """
    # From whole numbers: ts_ms / 1000 as a float can print one millisecond less.
    moment = datetime.fromtimestamp(ts_ms // 1000, zone)
    return moment.replace(microsecond=ts_ms % 1000 * 1000).isoformat(timespec="milliseconds")
