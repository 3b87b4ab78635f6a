"""How large the store will be, and when that is too large."""

import attrs

from agent.store.room import Room
from agent.store.usage import DAY_MS, DeviceUsage, Usage

ROOM, SIZE = "max_disk_percent", "max_size_mb"  # as the configuration calls the limits
SILENT_MS = 2 * DAY_MS  # a device without samples for so long does not grow any more


@attrs.frozen
class Limits:
    """What the store may come to; without ``max_bytes`` as much as there is room for."""

    retention_days: int  # 0: for ever
    max_bytes: int | None
    max_disk_percent: float


@attrs.frozen
class Outlook:
    """At today's growth. ``None`` is what can't be told yet, or never comes."""

    a_day: float | None  # bytes
    at_retention: float | None  # bytes, when the oldest sample is as old as it gets
    days_left: float | None  # until samples go for lack of room
    limit: str  # which of the limits is met then


def outlook_of(usage: Usage, room: Room, limits: Limits) -> Outlook:
    """When which limit is met."""
    growing = [device for device in _live(usage) if device.growth is not None]
    if not growing:
        return Outlook(None, None, None, "")
    a_day = sum(device.growth[0] for device in growing if device.growth is not None)
    at_retention = None
    if limits.retention_days:
        beside = usage.held.in_use - sum(device.bytes for device in usage.devices)
        kept = sum(_kept(device, limits.retention_days) for device in growing)
        at_retention = max(0, beside) + kept
    left = {ROOM: usage.held.reusable - room.over(limits.max_disk_percent)}
    if limits.max_bytes is not None:
        left[SIZE] = limits.max_bytes - usage.held.in_use
    limit = min(left, key=lambda name: left[name])
    if a_day <= 0 or (at_retention is not None and at_retention - usage.held.in_use <= left[limit]):
        return Outlook(a_day, at_retention, None, "")
    return Outlook(a_day, at_retention, max(0.0, left[limit] / a_day), limit)


def _live(usage: Usage) -> list[DeviceUsage]:
    ends = [device.last_ms for device in usage.devices if device.last_ms is not None]
    newest_ms = max(ends, default=0)
    return [
        device
        for device in usage.devices
        if device.last_ms is not None and device.last_ms >= newest_ms - SILENT_MS
    ]


def _kept(device: DeviceUsage, days: int) -> float:
    """What a device comes to; rows that wait for becoming blocks are as many then as now."""
    growth = device.growth
    assert growth is not None
    rows = device.rows.bytes + device.batches.bytes if growth[2] == "blocks" else 0.0
    return growth[0] * days + rows
