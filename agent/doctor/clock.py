"""The clock: set, kept right by somebody, and in the time zone that reports are made in."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from agent.clock import CLOCK_SET_MS
from agent.doctor.case import Case
from agent.doctor.disk import is_container
from agent.doctor.finding import Finding, note, ok, problem, warning
from agent.errors import ConfigError
from agent.zones import zone_of

# By the names of their processes, of which the kernel keeps 15 characters.
DAEMONS: Final = {
    "systemd-timesyncd": "systemd-timesyncd", "systemd-timesyn": "systemd-timesyncd",
    "chronyd": "chrony", "ntpd": "ntpd", "ntpsec": "ntpsec", "openntpd": "openntpd",
}  # fmt: skip
INSTALLED: Final = (
    "/lib/systemd/systemd-timesyncd", "/usr/lib/systemd/systemd-timesyncd", "/usr/sbin/chronyd",
    "/usr/sbin/ntpd",
)  # fmt: skip
SET: Final = "sudo timedatectl set-ntp true"
INSTALL: Final = "sudo apt install systemd-timesyncd"


def check_clock(case: Case) -> Iterator[Finding]:
    """Every sample is stamped by it."""
    clock = case.machine.clock
    now_ms = clock.now_ms()
    if now_ms < CLOCK_SET_MS:
        day = datetime.fromtimestamp(now_ms / 1000, UTC).date()
        yield problem(f"the clock says {day}: it was never set", SET)
    yield from _synchronised(case)
    yield from _zone(case, now_ms)
    yield from _chip(case)


def _synchronised(case: Case) -> Iterator[Finding]:
    state = case.machine.clock.is_synchronised()
    running = _running(case)
    by = f" by {', '.join(running)}" if running else ""
    if state:
        yield ok(f"the clock is synchronised{by}")
    elif state is None:
        yield note("whether the clock is synchronised can't be seen", "timedatectl")
    elif is_container(case.machine):
        text = "the clock is not synchronised, which a container has from its host"
        yield warning(text, "on the host: timedatectl")
    elif running:
        yield warning(
            f"the clock is not synchronised, though {', '.join(running)} runs",
            "is there a way to a time server? see: timedatectl timesync-status; chronyc sources",
        )
    else:
        there = any(case.machine.has(path) for path in INSTALLED)
        text = "the clock is not synchronised, and nothing runs here that would do it"
        yield warning(text, SET if there else INSTALL)


def _running(case: Case) -> list[str]:
    """Which programs keep the time; in a container none of them is seen."""
    names = set()
    for path in case.machine.at("/proc").glob("[0-9]*/comm"):
        try:
            names.add(path.read_text("utf-8", "replace").strip())
        except OSError:  # it ended
            continue
    return sorted({DAEMONS[name] for name in names & DAEMONS.keys()})


def _zone(case: Case, now_ms: int) -> Iterator[Finding]:
    name = case.config.agent.timezone if case.config is not None else "local"
    try:
        zone = zone_of(name)
    except ConfigError as exc:
        yield problem(str(exc), "or for the whole machine: sudo timedatectl set-timezone NAME")
        return
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    yield ok(f"{now:%Y-%m-%d %H:%M} in the time zone {zone}, which reports are made in")


def _chip(case: Case) -> Iterator[Finding]:
    """A Raspberry Pi starts with the time of its last stop, or with that of its image."""
    machine = case.machine
    if any(machine.at("/sys/class/rtc").glob("rtc*")) or not machine.has("/proc/device-tree/model"):
        return
    model = machine.text("/proc/device-tree/model")
    text = f"{model} has no clock chip: after a start the time is wrong until it is synchronised"
    fake = ("/etc/fake-hwclock.data", "/usr/sbin/fake-hwclock", "/sbin/fake-hwclock")
    if any(machine.has(path) for path in fake):
        text += "; fake-hwclock begins where it stopped"
    yield note(text, "samples are marked until then; a clock chip (DS3231) helps without network")
