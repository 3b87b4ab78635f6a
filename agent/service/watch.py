"""Whether a service that was just started is well: asked until it is, or until time is up."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from agent.clock import Clock
from agent.service.systemd import Service, Systemd

BUDGET_S = 60.0
STEADY_S = 5.0  # it has to stay well for so long: two states, and time to fall over
LOOK_EVERY_S = 0.25
SILENT_S = 3.5  # it says how it is every 2 s; one that stands still goes on looking well

State = Mapping[str, Any]


@attrs.frozen
class Wanted:
    """What a healthy service has: this version, and these devices well."""

    version: str
    devices: Collection[str] = ()


@attrs.frozen
class Verdict:
    """What was seen at the end; ``fault`` is empty when all is well."""

    fault: str
    state: State


class Watch:
    """Looks at a service until it is healthy.

    Args:
        read_state: What the agent that runs says of itself, ``None`` while none does.
        pause: Waits so many seconds.
    """

    def __init__(
        self,
        systemd: Systemd,
        read_state: Callable[[], State | None],
        clock: Clock,
        pause: Callable[[float], object],
        *,
        budget_s: float,
        steady_s: float,
    ) -> None:
        self._systemd = systemd
        self._read_state = read_state
        self._clock = clock
        self._pause = pause
        self.budget_s = budget_s
        self._steady_s = steady_s

    def well_devices(self) -> frozenset[str]:
        """The devices that are well now; none where no agent runs."""
        return frozenset(
            device["name"] for device in _devices(self._read_state() or {}) if device["is_well"]
        )

    def until_healthy(self, wanted: Wanted) -> Verdict:
        """Wait until the service is healthy and stays so; or until time is up, or it has failed."""
        end_s = self._clock.monotonic() + self.budget_s
        well_since_s: float | None = None
        well_pid = 0
        said_ms, said_s = None, 0.0
        while True:
            service, state = self._systemd.service(), self._read_state() or {}
            now_s = self._clock.monotonic()
            if why := _ended(service):
                return Verdict(why, state)
            if said_ms is None or state.get("now_ms") != said_ms:
                said_ms, said_s = state.get("now_ms"), now_s
            fault = _fault(service, state, wanted)
            if not fault and now_s - said_s > SILENT_S:
                fault = f"it hangs: it has not said how it is for {now_s - said_s:.0f} s"
            if fault:
                well_since_s = None
            elif well_since_s is None or service.pid != well_pid:
                well_since_s, well_pid = now_s, service.pid
            if well_since_s is not None and now_s - well_since_s >= self._steady_s:
                return Verdict("", state)
            if now_s >= end_s:
                late = fault or "it was well for too short a time"
                return Verdict(f"{late}, after {self.budget_s:g} s", state)
            self._pause(LOOK_EVERY_S)


def _ended(service: Service) -> str:
    """Why there is no use in waiting."""
    if service.active == "failed":
        return f"it ended at once ({service.result})"
    if service.restarts:
        return f"it ended and had to be started again ({service.restarts} times)"
    if service.sub == "auto-restart":
        return f"it ended ({service.result})"
    return ""


def _fault(service: Service, state: State, wanted: Wanted) -> str:
    """What is still missing."""
    if service.active != "active":
        return f"it is not started, but {service.active or 'unknown to systemd'}"
    if not state or state.get("pid") != service.pid:
        return "it does not say how it is"
    if state.get("version") != wanted.version:
        return f"version {state.get('version')} runs, not {wanted.version}"
    store = state.get("store") or {}
    if store.get("error"):
        return f"samples cannot be stored: {store['error']}"
    devices = _devices(state)
    stored = _read(devices) - int(store.get("waiting") or 0)
    if store.get("last_commit_ms") is None or (_read(devices) and stored <= 0):
        return "no sample is stored"
    by_name = {device["name"]: device for device in devices}
    for name in sorted(set(wanted.devices) & set(by_name)):
        if not by_name[name]["is_well"]:
            why = by_name[name].get("error") or "no answer yet"
            return f"{name} was well before, and is not: {why}"
    unasked = [device["name"] for device in devices if device["is_well"] is None]
    return f"{unasked[0]} was not polled" if unasked and not _read(devices) else ""


def _devices(state: State) -> list[Mapping[str, Any]]:
    found = state.get("devices")
    return [each for each in found if "is_well" in each] if isinstance(found, list) else []


def _read(devices: Collection[Mapping[str, Any]]) -> int:
    """How many samples there were."""
    return sum(int(each["polls"]) - int(each["failures"]) for each in devices)
