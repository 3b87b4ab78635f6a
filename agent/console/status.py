"""What ``status`` prints: from the running agent, and from the store."""

import json
import sys
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from agent import state
from agent.clock import SystemClock
from agent.config import Config
from agent.console.gaps import gap_facts, gap_lines, shown_gaps
from agent.console.moved import moved_lines, moved_of
from agent.console.store_aside import aside_facts, aside_lines
from agent.console.store_next import next_step
from agent.console.table import duration_text, printable, size_text, table
from agent.errors import AgentError, StoreError
from agent.store import Reader, bound_text
from agent.words import counted
from agent.zones import zone_of

RECENT_MS = 86_400_000
LAST_ROWS = 20_000


def status_report(config: Config, *, as_json: bool) -> str:
    """Who is well, what is stored, and the gaps of the last 24 hours.

    Raises:
        SystemExit: The store is there and can't be read; what there is to say was printed.
    """
    now_ms = SystemClock().now_ms()
    running = _completed(state.read(config.data_dir), config, now_ms)
    is_running = running is not None or bool(state.is_locked(config.data_dir))
    stored, error = _stored(config, now_ms, is_running=is_running)
    gaps = [gap for known in stored.values() for gap in known["gaps"]]
    gaps.sort(key=lambda shown: shown.gap.start_ms)
    zone = zone_of(config.agent.timezone)
    devices = _device_facts(config, running, stored, zone)
    if as_json:
        facts = {
            "running": is_running,
            "agent": {k: v for k, v in (running or {}).items() if k not in ("devices", "store")},
            "store": (running or {}).get("store", {"path": str(config.store_path)})
            | {"error_reading": error},
            "set_aside": aside_facts(config.store_path),
            "devices": devices,
            "gaps": gap_facts(gaps, zone) if gaps else [],
        }
        text = json.dumps(facts, indent=1, ensure_ascii=False)
    else:
        lines = [_agent_line(config, running, now_ms, is_running=is_running)]
        lines += [
            *_clock_lines(running),
            *moved_lines(stored, zone),
            *_hang_lines(running),
            *_store_lines(config, running, now_ms),
            *(f"         {line}" for line in aside_lines(config.store_path, zone)),
        ]
        if error is not None and not _is_absent(config.store_path):
            lines.append(f"store    {error}")
            lines += [f"         next: {text}" for text in [next_step(error)] if text]
        lines += ["", _device_table(devices, now_ms), *_error_lines(running)]
        lines += gap_lines(gaps, zone, now_ms) if gaps else []
        text = "\n".join(printable(line) for line in "\n".join(lines).split("\n"))
    if error is not None and not _is_absent(config.store_path):
        _print(text)
        raise SystemExit(StoreError.exit_code)
    return text


def _print(text: str) -> None:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except OSError as exc:
        raise AgentError(f"cannot write what was asked for: {exc.strerror}") from exc


def _is_absent(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def _completed(
    running: dict[str, Any] | None, config: Config, now_ms: int
) -> dict[str, Any] | None:
    """What the running agent says, and where one of another version says less, nothing."""
    if running is None:
        return None
    agent = {"version": "unknown", "started_ms": now_ms, "cpu_s": 0.0, "clock_synchronised": None}
    said = running.get("store", {})
    store = {
        "path": str(config.store_path),
        "flush_interval_s": config.store.flush_interval_s,
        "error": None,
        "error_since_ms": now_ms,
        "waiting": 0,
        "waiting_bytes": 0,
        "dropped": 0,
        "journal": None,
        "journal_error": None,
        "power_cut_s": None if said.get("error") else config.store.flush_interval_s,
    } | said
    none: dict[str, Any] = {"error": None, "warnings": [], "reason": None}
    devices = [none | device for device in running.get("devices", [])]
    return agent | running | {"store": store, "devices": devices}


def _stored(
    config: Config, now_ms: int, *, is_running: bool
) -> tuple[dict[str, dict[str, Any]], str | None]:
    """What the store knows of each device, by lower-case name; or why it can't be read."""
    since_ms = now_ms - RECENT_MS
    try:
        with Reader(config.store_path) as reader:
            stored: dict[str, dict[str, Any]] = {}
            for device in reader.devices():
                stored[device.name.lower()] = {
                    "name": device.name,
                    "kind": device.kind,
                    "last_stored_ms": reader.last_ms(device.name, LAST_ROWS),
                    "metrics": len(device.metrics),
                    "gaps": reader.gaps(device.name, since_ms, now_ms),
                    "moved": reader.moved(device.name, since_ms, now_ms),
                }
            stopped_ms = None if is_running else _stopped_ms(reader, stored)
    except StoreError as exc:
        return {}, str(exc)
    for known in stored.values():
        known["gaps"] = shown_gaps(known["gaps"], since_ms, stopped_ms)
    return stored, None


def _stopped_ms(reader: Reader, stored: dict[str, dict[str, Any]]) -> int:
    """When the agent was last heard of: the end of its last run, or what that stored last."""
    known_ms = [known["last_stored_ms"] or 0 for known in stored.values()]
    for run in reader.runs(1):
        if run.end_ms is not None:
            return run.end_ms
        known_ms.append(run.start_ms)
    return max(known_ms, default=0)


def _device_facts(
    config: Config,
    running: dict[str, Any] | None,
    stored: dict[str, dict[str, Any]],
    zone: tzinfo,
) -> list[dict[str, Any]]:
    live = {device["name"].lower(): device for device in (running or {}).get("devices", [])}
    names = [device.name for device in config.devices]
    names += [known["name"] for key, known in stored.items() if config.device(key) is None]
    facts = []
    for name in names:
        known = dict(stored.get(name.lower(), {}))
        known["gaps_24h"] = len(known.pop("gaps", []))
        known |= moved_of(known.pop("moved", []), zone)
        device = config.device(name)
        about = {"name": name, "kind": device.kind if device else known.get("kind")}
        enabled = device is not None and device.enabled
        facts.append(known | about | live.get(name.lower(), {}) | {"is_configured": enabled})
    return facts


def _agent_line(
    config: Config, running: dict[str, Any] | None, now_ms: int, *, is_running: bool
) -> str:
    if running is None and is_running:
        return "agent    running, but says nothing of itself"
    if running is None:
        return f"agent    not running; start it with: agent run --config {config.source}"
    up_s = max(0.0, (now_ms - running["started_ms"]) / 1000)
    cpu = f", {100 * running['cpu_s'] / up_s:.1f} % of one core" if up_s > 5 else ""
    return (
        f"agent    running as process {running['pid']} for {duration_text(up_s)}{cpu}, "
        f"version {running['version']}"
    )


def _hang_lines(running: dict[str, Any] | None) -> list[str]:
    """What the running agent says of parts of it that do not go on."""
    return [f"HANGS    {printable(hang['text'])}" for hang in (running or {}).get("hangs", [])]


def _clock_lines(running: dict[str, Any] | None) -> list[str]:
    if running is None or running["clock_synchronised"] is not False:
        return []
    return ["clock    the system says that its clock is not synchronised"]


def _store_lines(config: Config, running: dict[str, Any] | None, now_ms: int) -> list[str]:
    path = config.store_path
    size = sum(_size(path.with_name(path.name + end)) for end in ("", "-wal", "-shm"))
    found = "not there yet" if _is_absent(path) else size_text(size)
    lines = [f"store    {path}, {found}"]
    if running is None:
        return lines
    store = running["store"]
    if store["error"]:
        since = duration_text(max(0.0, (now_ms - store["error_since_ms"]) / 1000))
        many = store["waiting"] != 1
        samples = f"{counted(store['waiting'], 'sample')} {'wait' if many else 'waits'}"
        lost = f"{store['dropped']:,} {'was' if store['dropped'] == 1 else 'were'}"
        lines.append(f"         NOT WRITTEN for {since}: {store['error']}")
        lines.append(
            f"         {samples} in memory ({size_text(store['waiting_bytes'])}), {lost} dropped"
        )
    if store["journal_error"]:
        lines.append(f"         no journal in memory: {store['journal_error']}")
    bound = bound_text(store["power_cut_s"], has_journal=store["journal"] is not None)
    said = running.get("space", [])
    return [*lines, f"         {bound}", *(f"         {printable(text)}" for text in said)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # the log comes and goes
        return 0


def _device_table(devices: Sequence[dict[str, Any]], now_ms: int) -> str:
    rows = []
    for device in devices:
        last_ms = device.get("last_ok_ms") or device.get("last_stored_ms")
        ago = duration_text(max(0.0, (now_ms - last_ms) / 1000)) + " ago" if last_ms else "–"
        took = device.get("took_ms")
        rows.append(
            [
                device["name"],
                device.get("kind") or "",
                _condition(device),
                ago,
                str(device.get("values") or device.get("metrics") or "–"),
                str(device.get("polls", "–")),
                str(device.get("failures", "–")),
                str(device["overruns"] + device["late"]) if "overruns" in device else "–",
                f"{took:.1f} ms" if took is not None else "–",
            ]
        )
    header = ["device", "kind", "", "newest", "values", "polls", "failed", "left out", "takes"]
    return table(header, rows, right=[4, 5, 6, 7, 8]) if rows else "no devices"


def _condition(device: dict[str, Any]) -> str:
    if "is_well" not in device:
        return "–" if device["is_configured"] else "not configured"
    if device["is_well"] is None:
        return "starting"
    return "well" if device["is_well"] else f"FAILS: {device['reason']}"


def _error_lines(running: dict[str, Any] | None) -> list[str]:
    lines = []
    for device in (running or {}).get("devices", []):
        texts = (
            [device["error"]] if device["error"] else [f"warning: {w}" for w in device["warnings"]]
        )
        lines += [printable(f"{device['name']}: {text}") for text in texts]
    return ["", *lines] if lines else []
