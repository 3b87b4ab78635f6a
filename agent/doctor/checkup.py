"""Runs every check, each for itself: one that fails or hangs is a finding like any other."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs

from agent.access import how_to_read
from agent.doctor.bounded import Call, NotYetError
from agent.doctor.case import Case
from agent.doctor.clock import check_clock
from agent.doctor.configuration import check_configuration
from agent.doctor.devices import Progress, check_devices
from agent.doctor.disk import check_disk
from agent.doctor.finding import Finding, warning
from agent.doctor.memory import check_memory
from agent.doctor.network import check_network
from agent.doctor.permissions import check_permissions
from agent.doctor.power import check_power
from agent.doctor.serial_ports import check_serial_ports
from agent.doctor.service import check_service
from agent.doctor.store import check_store
from agent.doctor.temporary import check_temporary
from agent.doctor.versions import check_versions

Check = Callable[[Case], Iterator[Finding]]

CHECK_S: Final = 30.0  # most take milliseconds; a dead network drive would take for ever
CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("permissions", check_permissions),
    ("serial ports", check_serial_ports),
    ("disk", check_disk),
    ("store", check_store),
    ("memory", check_memory),
    ("clock", check_clock),
    ("service", check_service),
    ("power", check_power),
    ("network", check_network),
    ("versions", check_versions),
    ("start", check_temporary),
)


def check_up(
    case: Case,
    progress: Progress,
    checks: tuple[tuple[str, Check], ...] = CHECKS,
    within_s: float = CHECK_S,
) -> list[Finding]:
    """All findings, the configuration and its devices first."""
    found = _bounded("configuration", check_configuration, case, within_s)
    found += _devices(case, progress)
    for area, check in checks:
        found += _bounded(area, check, case, within_s)
    return found


def _bounded(area: str, check: Check, case: Case, within_s: float) -> list[Finding]:
    """What a check found, as far as it came in time."""
    found: list[Finding] = []

    def run() -> None:
        for each in check(case):
            found.append(each)  # noqa: PERF402 - what it found before it failed counts, too

    call = Call(run, f"check of {area}")
    try:
        call.answer(within_s)
    except Exception as exc:  # noqa: BLE001 - a check may never stop the others
        return [attrs.evolve(each, area=area) for each in [*list(found), _failed(exc)]]
    return [attrs.evolve(each, area=area) for each in found]


def _devices(case: Case, progress: Progress) -> list[Finding]:
    """In this thread: the devices have bounds of their own, and Ctrl+C ends it."""
    found: list[Finding] = []
    try:
        for each in check_devices(case, progress):
            found.append(each)  # noqa: PERF402 - as above
    except Exception as exc:  # noqa: BLE001 - a check may never stop the others
        found.append(_failed(exc))
    return [attrs.evolve(each, area="devices") for each in found]


def _failed(exc: Exception) -> Finding:
    if isinstance(exc, NotYetError):
        return warning(f"could not be checked: {exc}", "is a network drive or a disk gone? see: df")
    if isinstance(exc, PermissionError):
        named = f"{exc.filename} " if exc.filename else ""
        how = how_to_read(Path(exc.filename)) if isinstance(exc.filename, str) else ""
        text = f"could not be checked: {named}may not be read by this user"
        return warning(text, how or "sudo agent doctor")
    why = f"{type(exc).__name__}: {exc}"
    return warning(f"could not be checked: {why}", "please report it: agent doctor --report")
