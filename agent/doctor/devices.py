"""The devices: each is read once, side by side, unless the running agent has just done it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from agent.config import DeviceConfig
from agent.doctor.bounded import Call, NotYetError
from agent.doctor.case import STALE_MS, Case
from agent.doctor.finding import Finding, note, ok, problem, warning
from agent.doctor.network import host_of
from agent.errors import DeviceError
from agent.model import Reason
from agent.poller import checked
from agent.words import counted

GRACE_S: Final = 2.0  # beyond its time-out; then the device or its driver hangs
AT_ONCE: Final = 32  # devices that are read side by side
LOOK_EVERY_S: Final = 0.25
DETAILS: Final = 20  # facts of one device that the report has

Progress = Callable[[int, int, float], None]  # devices read, of how many, seconds since the start


@attrs.frozen
class Reading:
    """What one device said."""

    values: int
    missing: int
    took_s: float
    found: tuple[str, ...]
    warnings: tuple[str, ...]


def check_devices(case: Case, progress: Progress) -> Iterator[Finding]:
    """Whether every enabled device answers."""
    said = {each.get("name", "").lower(): each for each in _said(case)}
    if case.running is not None and _age_ms(case) > STALE_MS:
        yield warning(
            f"the running agent has said nothing for {_age_ms(case) / 1000:.0f} s, it may hang",
            f"see its log, then: {case.restart}",
        )
    live, spared = [], []
    for device in case.devices:
        known = said.get(device.name.lower())
        is_exclusive = bool(getattr(device.options, "claims", ()))
        if known is not None and (known.get("is_well") or is_exclusive):
            spared.append((device, known))
        elif is_exclusive and case.is_running:
            yield note(
                f"{device.name}: not read, it takes one connection and an agent is running",
                "sudo agent doctor shows what the running agent says of it",
            )
        else:
            live.append(device)
    for device, known in spared:
        yield from _as_running(case, device, known)
    for device, answer in read_all(case, live, progress):
        yield from _finding(case, device, answer)
    if case.config is None:
        yield from _unconfigured(case)
    elif not case.config.devices:
        yield note("no device is configured", "agent discover finds those that are here")


def read_all(
    case: Case, devices: list[DeviceConfig], progress: Progress
) -> Iterator[tuple[DeviceConfig, Reading | Exception]]:
    """Each device with what it said, or why it could not be read, in the order given."""
    clock = case.machine.clock
    began_s = clock.monotonic()
    places = threading.BoundedSemaphore(AT_ONCE)

    def reader(device: DeviceConfig) -> Callable[[], Reading]:
        def read() -> Reading:
            with places:
                return read_device(case, device)

        return read

    calls = [(device, Call(reader(device), f"read {device.name}")) for device in devices]
    rounds = -(-len(devices) // AT_ONCE)
    longest_s = max((device.timeout_s for device in devices), default=0.0)
    for done, (device, call) in enumerate(calls):
        own_s = device.timeout_s if rounds == 1 else longest_s * rounds

        def left_s(done: int = done, own_s: float = own_s) -> float:
            passed_s = clock.monotonic() - began_s
            progress(done, len(calls), passed_s)
            return own_s + GRACE_S - passed_s

        yield device, _awaited(call, left_s)


def _awaited(call: Call[Reading], left_s: Callable[[], float]) -> Reading | Exception:
    """What a call returned, or raised, or that it did not come to its end."""
    while True:
        wait_s = left_s()
        try:
            return call.answer(min(LOOK_EVERY_S, wait_s))
        except NotYetError as exc:
            if wait_s <= 0:
                return exc
        except Exception as exc:  # noqa: BLE001 - an error in a driver is a finding
            return exc


def read_device(case: Case, device: DeviceConfig) -> Reading:
    """One reading; the connection is closed again.

    Raises:
        DeviceError: It can't be read.
    """
    driver = case.kinds[device.kind]().driver(device.options, device.timeout_s)
    began_s = case.machine.clock.monotonic()
    try:
        values = checked(driver.read())
        took_s = case.machine.clock.monotonic() - began_s
        missing = sum(value is None for value in values.values())
        found, warnings = tuple(driver.describe()), tuple(driver.warnings())
        return Reading(len(values), missing, took_s, found[:DETAILS], warnings)
    finally:
        driver.close()


def _finding(case: Case, device: DeviceConfig, answer: Reading | Exception) -> Iterator[Finding]:
    command = f"agent read {device.name}{case.option}"
    if isinstance(answer, Reading):
        without = f", {answer.missing} of them without a valid value" if answer.missing else ""
        took = f"{answer.took_s * 1000:.0f} ms, the connection included"
        yield ok(
            f"{device.name}: {counted(answer.values, 'value')}{without} in {took}", *answer.found
        )
        for text in answer.warnings:
            yield warning(f"{device.name}: {text}", f"after a change: {command}")
    elif isinstance(answer, DeviceError):
        yield problem(f"{device.name}: {answer}", _next_step(device, answer.reason, command))
    elif isinstance(answer, NotYetError):
        limit = f"{device.timeout_s:g} s"
        text = f"{device.name}: no end of reading it after its time-out of {limit}, it hangs"
        yield problem(text, f"switch the device off and on, then: {command}")
    else:
        text = f"{device.name}: error in the driver: {type(answer).__name__}: {answer}"
        yield problem(text, "please report it, with the file of: agent doctor --report")


def _next_step(device: DeviceConfig, reason: Reason, command: str) -> str:
    where = host_of(device.options)
    match reason:
        case Reason.REFUSED if where:
            return f"the machine is there, but not the service: check port in agent.toml; {command}"
        case Reason.TIMEOUT | Reason.UNREACHABLE if where:
            return f"is it switched on and connected? try: ping {where}; then: {command}"
        case Reason.REFUSED:
            return f"see the lines on serial ports below; then: {command}"
        case Reason.TIMEOUT | Reason.UNREACHABLE:
            return f"is it switched on and plugged in? see: agent discover; then: {command}"
    return f"check that the options of {device.name} in agent.toml fit it; then: {command}"


def _as_running(case: Case, device: DeviceConfig, known: Mapping[str, Any]) -> Iterator[Finding]:
    """What the running agent knows of a device, which is not disturbed for it."""
    name, found = device.name, tuple(map(str, known.get("found", ())))
    if known.get("is_well"):
        took = known.get("took_ms")
        text = f", a poll takes {took:.0f} ms" if isinstance(took, int | float) else ""
        yield ok(f"{name}: {known.get('values')} values{text}, as the running agent says", *found)
        for each in known.get("warnings", ()):
            yield warning(
                f"{name}: {each}", "the warning goes when its cause is gone: agent status"
            )
    elif known.get("is_well") is None:
        yield note(f"{name}: the running agent has not read it yet", "agent status")
    else:
        reason = next((each for each in Reason if each == known.get("reason")), Reason.BAD_DATA)
        text = f"{name}: {known.get('error')}; as the running agent says, which tries it again"
        yield problem(text, _next_step(device, reason, f"agent status{case.option}"))


def _unconfigured(case: Case) -> Iterator[Finding]:
    """Without a configuration there is only what the running agent says, if one runs."""
    for known in _said(case):
        if known.get("is_well"):
            yield ok(f"{known['name']}: {known.get('values')} values, as the running agent says")
        elif known.get("error"):
            text = f"{known['name']}: {known['error']}; as the running agent says"
            yield problem(text, "with a sound configuration, or as root, more can be said")
    if not _said(case):
        yield note("none is read without a sound configuration")


def _said(case: Case) -> list[Mapping[str, Any]]:
    devices = case.running.get("devices") if case.running is not None else None
    if not isinstance(devices, list):
        return []
    return [
        each for each in devices if isinstance(each, dict) and isinstance(each.get("name"), str)
    ]


def _age_ms(case: Case) -> float:
    now_ms = case.running.get("now_ms") if case.running is not None else None
    return case.machine.clock.now_ms() - now_ms if isinstance(now_ms, int) else 0.0
