"""The gaps that ``status`` shows: as lines and as JSON, ended where nobody polls any more."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any

import attrs

from agent.console.table import duration_text, table, terminal_columns
from agent.model import Gap
from agent.reports.rollup import iso

SHOWN = 10


@attrs.frozen
class ShownGap:
    """A gap; ``is_cut`` says that it was open when the agent stopped, and so ends there."""

    gap: Gap
    is_cut: bool


def shown_gaps(gaps: Iterable[Gap], since_ms: int, stopped_ms: int | None) -> list[ShownGap]:
    """The gaps that touch the time after ``since_ms``, oldest first.

    Args:
        stopped_ms: When the agent was last heard of, or ``None`` while it runs.
    """
    found = []
    for gap in gaps:
        if gap.end_ms is None and stopped_ms is not None:
            ended = attrs.evolve(gap, end_ms=max(gap.start_ms, stopped_ms))
            shown = ShownGap(ended, is_cut=True)
        else:
            shown = ShownGap(gap, is_cut=False)
        if shown.gap.end_ms is None or shown.gap.end_ms > since_ms:
            found.append(shown)
    return sorted(found, key=lambda shown: shown.gap.start_ms)


def gap_facts(gaps: Sequence[ShownGap], zone: tzinfo) -> list[dict[str, Any]]:
    """Gaps for programs; the end of one that lasts is nothing."""
    return [
        {
            "device": gap.device,
            "start": iso(gap.start_ms, zone),
            "end": None if gap.end_ms is None else iso(gap.end_ms, zone),
            "reason": str(gap.reason),
            "detail": gap.detail,
        }
        for gap in (shown.gap for shown in gaps)
    ]


def gap_lines(gaps: Sequence[ShownGap], zone: tzinfo, now_ms: int) -> list[str]:
    """The newest gaps as a table under a line that counts them."""
    count = f"{SHOWN} of {len(gaps)} shown" if len(gaps) > SHOWN else str(len(gaps))
    rows = []
    for shown in gaps[-SHOWN:]:
        gap = shown.gap
        end_ms = now_ms if gap.end_ms is None else gap.end_ms
        until = duration_text(max(0.0, (end_ms - gap.start_ms) / 1000))
        until += ", lasting" if gap.end_ms is None else ""
        until += ", until the agent stopped" if shown.is_cut else ""
        start = iso(gap.start_ms, zone)[:19]
        rows.append([gap.device, start, until, str(gap.reason), gap.detail])
    header = ["device", "from", "for", "reason", ""]
    text = table(header, rows, columns=terminal_columns())
    return ["", f"gaps of the last 24 hours: {count}", text]
