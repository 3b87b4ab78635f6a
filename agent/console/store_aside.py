"""What is said of files that were set aside: how large they are, and what became of them."""

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

import attrs

from agent.console.table import size_text
from agent.errors import StoreError
from agent.reports.manifest import iso
from agent.store.repair.account import Report
from agent.store.repair.aside import CUT, DAMAGED, SetAside
from agent.store.repair.losses import Loss
from agent.store.repair.salvage import reports
from agent.store.repair.waiting import all_beside
from agent.store.schema import stand_in

SHOWN = 10  # losses of one file


def aside_lines(path: Path, zone: tzinfo) -> list[str]:
    """For ``status``: files beside the store, and what was lost with them."""
    found = all_beside(path)
    known = _known(path) if found else {}
    lines = []
    for each in found:
        report = known.get(each.path.name)
        lines.append(f"{each.path.name}, {size_text(each.size_bytes)}: {_outcome(each, report)}")
        lines += loss_lines(report.losses, report.lost, zone) if report is not None else []
    if stand_in(path).exists():
        lines.append(f"{stand_in(path).name} is written while a newer agent's file is in its place")
    if found:
        lines.append("they are never deleted: remove what you do not need")
    return lines


def moment(ts_ms: int, zone: tzinfo) -> str:
    """A local time; one that is damaged may be beyond all calendars."""
    try:
        return iso(ts_ms, zone)[:19]
    except (OverflowError, ValueError, OSError):
        return f"{ts_ms} ms"


def aside_facts(path: Path) -> list[dict[str, Any]]:
    """The same for programs."""
    found = all_beside(path)
    known = _known(path) if found else {}
    facts = []
    for each in found:
        report = known.get(each.path.name)
        facts.append(
            {
                "path": str(each.path),
                "why": each.why,
                "size_bytes": each.size_bytes,
                "saved": report.saved if report is not None else None,
                "lost": report.lost if report is not None else None,
                "losses": [attrs.asdict(loss) for loss in report.losses] if report else [],
            }
        )
    return facts


def _known(path: Path) -> dict[str, Report]:
    try:
        return reports(path)
    except StoreError:  # whoever shows more of the store says why
        return {}


def _outcome(each: SetAside, report: Report | None) -> str:
    if each.why not in (DAMAGED, CUT):
        return each.why
    if report is None:
        return f"{each.why}, what can be saved is still to be moved into the store"
    if not report.saved and not report.lost and not report.losses:
        return f"{each.why}, nothing in it can be read, or all of it was in the store before"
    lost = f"{report.lost:,} lost" if report.lost else "nothing lost"
    return f"{each.why}, {report.saved:,} samples saved, {lost}"


def loss_lines(losses: Sequence[Loss], lost: int, zone: tzinfo) -> list[str]:
    """What is lost: device, range and count."""
    lines = [
        f"  lost: {loss.device}, {loss.text} from {moment(loss.first_ms, zone)} "
        f"to {moment(loss.last_ms, zone)}"
        for loss in losses[:SHOWN]
    ]
    more = lost - sum(loss.count for loss in losses[:SHOWN])
    return [*lines, f"  and {more:,} more"] if more > 0 and losses[SHOWN:] else lines
