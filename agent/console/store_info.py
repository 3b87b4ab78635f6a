"""What ``store info`` prints: how large the store is, why, and how large it will be."""

import json
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

import attrs

from agent import state
from agent.clock import SystemClock
from agent.config import Config
from agent.config.schema import StoreSection
from agent.console.store_aside import moment
from agent.console.table import duration_text, size_text, table, terminal_columns
from agent.errors import StoreError
from agent.store import bound_text
from agent.store.outlook import Limits, Outlook, outlook_of
from agent.store.room import Room, room_of
from agent.store.usage import DeviceUsage, Usage, usage_of
from agent.zones import zone_of

LOOK_S = 5.0  # then what is not counted yet is estimated
DAY_MS = 86_400_000
MIB = 1024 * 1024


@attrs.frozen
class Info:
    """All that is known, of a store that an agent may be writing."""

    config: Config
    usage: Usage
    room: Room
    outlook: Outlook
    now_ms: int
    running: Mapping[str, Any] | None


def info_report(config: Config, *, as_json: bool) -> str:
    """Facts about the store, and what is to be expected of it.

    Raises:
        StoreError: There is none, or it can't be read.
    """
    path = config.store_path
    usage = usage_of(path, LOOK_S)
    try:
        room = room_of(path.parent)
    except OSError as exc:
        raise StoreError(f"cannot read {path.parent}: {exc.strerror}") from exc
    running = state.read(config.data_dir)
    outlook = outlook_of(usage, room, limits_of(config.store))
    info = Info(config, usage, room, outlook, SystemClock().now_ms(), running)
    if as_json:
        return json.dumps(_facts(info), indent=1, ensure_ascii=False)
    return _text(info, zone_of(config.agent.timezone))


def limits_of(store: StoreSection) -> Limits:
    """The limits that the configuration names."""
    max_bytes = None if store.max_size_mb is None else store.max_size_mb * MIB
    return Limits(store.retention_days, max_bytes, store.max_disk_percent)


def _facts(info: Info) -> dict[str, Any]:
    usage, outlook, store = info.usage, info.outlook, info.config.store
    held = usage.held
    said = (info.running or {}).get("store", {})
    return {
        "path": str(info.config.store_path),
        "running": info.running is not None,
        "format": usage.version,
        "page_bytes": usage.page_bytes,
        "file_bytes": held.length,
        "file_on_disk_bytes": held.on_disk,
        "log_bytes": held.log,
        "free_inside_bytes": held.reusable,
        "is_exact": usage.is_exact,
        "samples": sum(device.samples for device in usage.devices),
        "values": sum(device.values for device in usage.devices),
        "bytes_a_value": _rounded(_bytes_a_value(usage)),
        "devices": [_device_facts(device) for device in usage.devices],
        "retention_days": store.retention_days,
        "max_size_mb": store.max_size_mb,
        "max_disk_percent": store.max_disk_percent,
        "growth_bytes_a_day": _rounded(outlook.a_day),
        "bytes_at_retention": _rounded(outlook.at_retention),
        "days_until_limit": _rounded(outlook.days_left),
        "limit_met_first": outlook.limit or None,
        "disk_bytes": info.room.usable,
        "disk_free_bytes": info.room.free,
        "disk_used_percent": round(info.room.used_percent, 2),
        "written": (info.running or {}).get("written"),
        "notes": (info.running or {}).get("space", []),
        "power_cut_s": said.get("power_cut_s"),
        "killed_s": said.get("killed_s"),
    }


def _device_facts(device: DeviceUsage) -> dict[str, Any]:
    growth = device.growth
    return {
        "device": device.name,
        "kind": device.kind,
        "form": device.form,
        "samples": device.samples,
        "values": device.values,
        "first_ms": device.first_ms,
        "last_ms": device.last_ms,
        "bytes": device.bytes,
        "bytes_in_rows": round(device.rows.bytes),
        "bytes_in_batches": round(device.batches.bytes),
        "bytes_in_blocks": round(device.blocks.bytes),
        "bytes_in_sums": round(device.sums.bytes),
        "bytes_a_value": _rounded(device.bytes / device.values if device.values else None),
        "growth_bytes_a_day": None if growth is None else round(growth[0]),
        "growth_measured_days": None if growth is None else round(growth[1], 2),
        "growth_measured_in": None if growth is None else growth[2],
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


def _bytes_a_value(usage: Usage) -> float | None:
    """The log is left out: it has its size from the first day on."""
    values = sum(device.values for device in usage.devices)
    return (usage.held.in_use - usage.held.log) / values if values else None


def _text(info: Info, zone: tzinfo) -> str:
    usage = info.usage
    held = usage.held
    lines = [
        f"store     {info.config.store_path}, format {usage.version}, "
        f"pages of {usage.page_bytes:,} bytes",
        f"size      {size_text(held.taken)} on the disk, {size_text(held.log)} of it the log",
    ]
    if held.on_disk < held.length:
        lines.append(
            f"          the file is {size_text(held.length)} long, "
            f"{size_text(held.length - held.on_disk)} of that are holes, which take no room"
        )
    if held.reusable > held.in_use / 20:
        lines.append(f"          {size_text(held.reusable)} in it are free for new samples")
    a_value = _bytes_a_value(usage)
    if a_value is not None:
        values = sum(device.values for device in usage.devices)
        lines.append(f"values    {values:,}, {a_value:.2f} bytes each, all but the log counted in")
    if not usage.is_exact:
        lines.append(f"          estimated: {LOOK_S:g} s were too short to count all")
    lines += _kept_lines(info)
    lines += _written_lines(info, zone)
    lines += ["", _device_table(usage.devices, zone)]
    return "\n".join(lines)


def _kept_lines(info: Info) -> list[str]:
    store, outlook, room = info.config.store, info.outlook, info.room
    days = store.retention_days
    kept = f"{days} days" if days else "for ever"
    if outlook.at_retention is not None:
        kept += f", then the store has about {size_text(outlook.at_retention)}"
    lines = [f"kept      {kept}"]
    if store.max_size_mb is not None:
        lines.append(f"          max_size_mb is {store.max_size_mb:,}")
    lines.append(
        f"disk      {size_text(room.free)} free, {room.used_percent:.1f} % used, "
        f"max_disk_percent is {store.max_disk_percent:g}"
    )
    if outlook.a_day is None:
        lines.append("growth    can be told once there is data of an hour")
        return lines
    growth = f"growth    {size_text(outlook.a_day)} a day"
    if outlook.days_left is not None:
        until = f"{outlook.days_left:,.0f} days" if outlook.days_left >= 1 else "less than a day"
        growth += f": {outlook.limit} is reached in {until}, then the oldest samples are deleted"
    elif outlook.at_retention is not None:
        growth += ": there is room for all that is to be kept"
    lines.append(growth)
    return [*lines, *(f"          {text}" for text in (info.running or {}).get("space", []))]


def _written_lines(info: Info, zone: tzinfo) -> list[str]:
    running = info.running
    if running is None:
        return ["agent     not running: bytes written and the loss bound are shown while it runs"]
    said = running.get("store", {})
    lines = []
    written = running.get("written")
    if written:
        since = moment(written["today_since_ms"], zone)[11:16]
        up = duration_text(max(0, info.now_ms - running["started_ms"]) / 1000)
        lines.append(
            f"written   about {size_text(written['today_bytes'])} to the disk today since {since}, "
            f"{size_text(written['since_start_bytes'])} since the agent started {up} ago"
        )
    if "power_cut_s" in said:
        bound = bound_text(said["power_cut_s"], has_journal=said.get("journal") is not None)
        lines.append(f"loss      {bound}")
    return lines


def _device_table(devices: Sequence[DeviceUsage], zone: tzinfo) -> str:
    if not devices:
        return "no device has data yet"
    header = ["device", "form", "samples", "values", "first", "last", "size", "a value", "a day"]
    rows = [_row(device, zone) for device in devices]
    shown = table(header, rows, right=[2, 3, 6, 7, 8], columns=terminal_columns())
    spans_s = [device.growth[1] * DAY_MS / 1000 for device in devices if device.growth is not None]
    if not spans_s:
        return shown
    ends = dict.fromkeys([duration_text(min(spans_s)), duration_text(max(spans_s))])
    return f"{shown}\na day is measured over {' to '.join(ends)}"


def _row(device: DeviceUsage, zone: tzinfo) -> list[str]:
    ends = [device.first_ms, device.last_ms]
    growth = device.growth
    return [
        device.name,
        device.form,
        f"{device.samples:,}",
        f"{device.values:,}",
        *("–" if ms is None else moment(ms, zone).partition("T")[0] for ms in ends),
        size_text(device.bytes),
        f"{device.bytes / device.values:.3f} B" if device.values else "–",
        "–" if growth is None else size_text(growth[0]),
    ]
