"""The one line about the agent that ``systemctl status`` shows."""

from collections.abc import Sequence

from agent.health import DeviceHealth
from agent.store import StoreState

NAMED = 3  # devices that are not well; the line is short
ERROR_LIMIT = 80  # characters of what is wrong with one


def summary(devices: Sequence[DeviceHealth], store: StoreState, hung: Sequence[str] = ()) -> str:
    """How the devices are, what is stored, and, before all, which parts hang."""
    parts = [*hung, _devices(devices)]
    if store.error is not None:
        parts.append(f"NOT STORED: {store.error}")
    elif store.last_commit_ms is None:
        parts.append("the store is not open yet")
    return "; ".join([*parts, _rows(devices, store)])


def _devices(devices: Sequence[DeviceHealth]) -> str:
    if not devices:
        return "no device is configured and enabled"
    starting = sum(device.is_well is None for device in devices)
    ill = [device for device in devices if device.is_well is False]
    well = len(devices) - len(ill) - starting
    text = f"{well} of {len(devices)} device{'' if len(devices) == 1 else 's'} well"
    notes = [f"{device.name}: {_cut(device.error or '')}" for device in ill[:NAMED]]
    notes += [f"{len(ill) - NAMED} more"] if len(ill) > NAMED else []
    notes += [f"{starting} starting"] if starting else []
    return f"{text} ({', '.join(notes)})" if notes else text


def _rows(devices: Sequence[DeviceHealth], store: StoreState) -> str:
    read = sum(device.polls - device.failures for device in devices)
    # What waits are a few starts and ends of gaps, too; they are no rows.
    waiting = min(store.waiting, read)
    text = f"{max(0, read - waiting - store.dropped)} rows stored, {waiting} waiting"
    return f"{text}, {store.dropped} dropped" if store.dropped else text


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= ERROR_LIMIT else f"{line[: ERROR_LIMIT - 1]}…"
