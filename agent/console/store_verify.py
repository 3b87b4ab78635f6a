"""What ``store verify`` prints: whether the store is sound, and what is not."""

import json
from collections.abc import Sequence
from datetime import tzinfo

import attrs

from agent.clock import monotonic_s
from agent.config import Config
from agent.console.progress import ProgressLine
from agent.console.store_aside import moment
from agent.console.table import size_text, table, terminal_columns
from agent.store.repair.start import in_use
from agent.store.repair.verify import Fault, Progress, Verify
from agent.zones import zone_of

SHOWN = 50  # faults in a table; --json has all


def verify_report(config: Config, *, quick: bool, as_json: bool) -> tuple[str, bool]:
    """What the check found, and whether that is nothing.

    Raises:
        StoreError: There is no store, or it can't be read at all.
    """
    path = in_use(config.store_path)
    path = path if path.exists() else config.store_path  # whoever opens it says what it is
    verify = Verify(path, quick=quick)
    faults = checked(verify)
    size = sum(
        each.stat().st_size for each in (path, path.with_name(f"{path.name}-wal")) if each.exists()
    )
    if as_json:
        facts = {
            "path": str(path),
            "is_sound": not faults,
            "size_bytes": size,
            "samples": verify.samples,
            "faults": [attrs.asdict(fault) for fault in faults],
        }
        return json.dumps(facts, indent=1, ensure_ascii=False), not faults
    what = f"{path}: {size_text(size)}, {verify.samples:,} samples can be read"
    if not faults:
        return f"{what}, sound", True
    lines = [
        what,
        f"{len(faults)} faults:" if len(faults) > 1 else "1 fault:",
        fault_table(faults[:SHOWN], zone_of(config.agent.timezone)),
    ]
    if faults[SHOWN:]:
        lines.append(f"and {len(faults) - SHOWN} more, --json shows all")
    lines += ["", "stop the agent and save what can be read with: agent store repair"]
    return "\n".join(lines), False


def checked(verify: Verify) -> list[Fault]:
    """All faults, with the progress on standard error."""
    line = ProgressLine()
    began_s = monotonic_s()
    faults = []
    for found in verify.run():
        if isinstance(found, Fault):
            faults.append(found)
        else:
            line.say(monotonic_s() - began_s, f"checking: {_how_far(found)}; {len(faults)} faults")
    line.clear()
    return faults


def _how_far(progress: Progress) -> str:
    if not progress.total:
        return progress.what
    return f"{progress.done:,} of {progress.total:,} {progress.what}"


def fault_table(faults: Sequence[Fault], zone: tzinfo) -> str:
    """Faults with what they cost, as far as that is known."""
    rows = [
        [
            fault.device or "–",
            _time(fault.first_ms, zone),
            _time(fault.last_ms, zone),
            "–" if fault.count is None else f"{fault.count:,}",
            fault.text,
        ]
        for fault in faults
    ]
    header = ["device", "from", "to", "samples", "what"]
    return table(header, rows, right=[3], columns=terminal_columns())


def _time(ts_ms: int | None, zone: tzinfo) -> str:
    return "–" if ts_ms is None else moment(ts_ms, zone)
