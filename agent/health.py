"""Who is well and who is not; logs changes only."""

import logging
import threading
from collections import deque
from collections.abc import Collection
from typing import Any

import attrs

from agent.clock import Clock
from agent.errors import DeviceError
from agent.model import Reason

log = logging.getLogger(__name__)

HANGS = "its polls do not go on, the device or its driver hangs"
TOOK_REMEMBERED = 64  # polls over which the time that a poll takes is shown


@attrs.define
class DeviceHealth:
    """What is known of one device since the agent started."""

    name: str
    kind: str
    interval_s: float
    is_well: bool | None = None  # None: not polled yet
    polls: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    overruns: int = 0  # polls left out because the one before was still running
    late: int = 0  # polls left out because the machine was busy
    last_ok_ms: int | None = None
    since_ms: int | None = None  # since when it is well, or is not
    since_s: float = 0.0  # the same on the monotonic clock
    reason: Reason | None = None
    error: str | None = None
    found: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    values: int = 0
    took_ms: deque[float] = attrs.field(factory=lambda: deque(maxlen=TOOK_REMEMBERED))

    def state(self) -> dict[str, Any]:
        """For ``agent status``; a poll takes as long as the middle one of the last ones."""
        state = attrs.asdict(self)
        took = sorted(state.pop("took_ms"))
        state["took_ms"] = round(took[len(took) // 2], 2) if took else None
        return state


class Health:
    """Keeps one record for each device; safe to use from all pollers' threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._devices: dict[str, DeviceHealth] = {}

    def add_device(self, name: str, kind: str, interval_s: float) -> None:
        """Make a device known."""
        self._devices[name] = DeviceHealth(name, kind, interval_s)

    def well(self, name: str, ts_ms: int, values: int, took_s: float) -> None:
        """A poll succeeded."""
        with self._lock:
            device = self._devices[name]
            was, failed, since_s = device.is_well, device.failures_in_a_row, device.since_s
            device.is_well = True
            device.polls += 1
            device.failures_in_a_row = 0
            device.last_ok_ms = ts_ms
            device.values = values
            device.reason = device.error = None
            device.took_ms.append(took_s * 1000)
            if not was:
                device.since_ms, device.since_s = ts_ms, self._clock.monotonic()
        if was is False:
            lasted_s = self._clock.monotonic() - since_s
            text = "%s: well again after %.0f s, %d polls failed"
            log.info(text, name, lasted_s, failed, extra={"device": name})

    def ill(self, name: str, ts_ms: int, error: DeviceError) -> None:
        """A poll failed."""
        with self._lock:
            device = self._devices[name]
            was = device.is_well
            device.is_well = False
            device.polls += 1
            device.failures += 1
            device.failures_in_a_row += 1
            device.reason = error.reason
            device.error = str(error)
            if was is not False:
                device.since_ms, device.since_s = ts_ms, self._clock.monotonic()
        if was is not False:
            text = "%s: %s; it is tried again until it answers"
            log.warning(text, name, error, extra={"device": name})
        else:
            log.debug("%s: %s", name, error, extra={"device": name})

    def left_out(self, name: str, count: int, *, is_running: bool) -> None:
        """Polls that never began."""
        with self._lock:
            device = self._devices[name]
            if is_running:
                device.overruns += count
            else:
                device.late += count

    def found(self, name: str, facts: tuple[str, ...]) -> None:
        """What the driver says it found at the device when it connected."""
        with self._lock:
            self._devices[name].found = facts
        for fact in facts:
            log.debug("%s: %s", name, fact, extra={"device": name})

    def warned(self, name: str, warnings: tuple[str, ...]) -> None:
        """What is wrong with a device though it was read; each is told when it comes and goes."""
        with self._lock:
            device = self._devices[name]
            before, device.warnings = device.warnings, warnings
        if warnings == before:
            return
        for text in warnings:
            if text not in before:
                log.warning("%s: %s", name, text, extra={"device": name})
        for text in before:
            if text not in warnings:
                log.info("%s: no more: %s", name, text, extra={"device": name})

    def devices(self, hanging: Collection[str] = ()) -> list[DeviceHealth]:
        """A copy of every record, in the order of the configuration.

        Args:
            hanging: Devices whose polls do not even begin or end: none of them is well, whatever
                its last poll said.
        """
        with self._lock:
            copies = [
                attrs.evolve(device, took_ms=deque(device.took_ms))
                for device in self._devices.values()
            ]
        for device in copies:
            if device.name in hanging and device.is_well is not False:
                device.is_well, device.reason, device.error = False, Reason.TIMEOUT, HANGS
        return copies
