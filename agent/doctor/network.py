"""The network, as far as configured devices need it: a way out, and their names known."""

import ipaddress
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from agent.doctor.bounded import Call, NotYetError
from agent.doctor.case import Case
from agent.doctor.finding import Finding, listed, note, ok, problem
from agent.doctor.machine import Machine

LOOK_UP_S: Final = 6.0
UP: Final = 0x1  # source: linux/route.h, RTF_UP


def check_network(case: Case) -> Iterator[Finding]:
    """Whether addresses can be reached is seen when the devices are read."""
    hosts = {host for device in case.devices if (host := host_of(device.options))}
    yield from _interfaces(case.machine, needed=any(not _is_here(host) for host in hosts))
    yield from _names(case, {host for host in hosts if _address(host) is None})


def host_of(options: Any) -> str:
    """The host that the options of a device name, by itself or in an URL; or nothing."""
    host = getattr(options, "host", None)
    if isinstance(host, str) and host:
        return host
    url = getattr(options, "url", None)
    if not isinstance(url, str) or not url:
        return ""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_here(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _interfaces(machine: Machine, *, needed: bool) -> Iterator[Finding]:
    folder = machine.at("/sys/class/net")
    names = sorted(each.name for each in folder.glob("*") if each.name != "lo")
    up = [name for name in names if machine.text(f"/sys/class/net/{name}/operstate") == "up"]
    ways = _default_routes(machine)
    if ways:
        yield ok(f"the default route leads through {', '.join(ways)}")
    elif up:
        text = f"{listed(up)} is up, without a default route: other networks can't be reached"
        yield note(text, "a device in the own network is reached all the same; see: ip route")
    elif needed:
        found = f"of {listed(names)} none is up" if names else "there is no network interface"
        yield problem(found, "is the cable plugged in, is the radio on? see: ip link")
    else:
        yield note("no network is up; no configured device needs one")


def _default_routes(machine: Machine) -> list[str]:
    """Names of interfaces. Source: linux/Documentation, ``/proc/net/route``, ``ipv6_route``."""
    found = []
    for line in machine.text("/proc/net/route").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == fields[7] == "0" * 8 and int(fields[3], 16) & UP:
            found.append(fields[0])
    for line in machine.text("/proc/net/ipv6_route").splitlines():
        fields = line.split()
        is_default = len(fields) > 9 and fields[0] == "0" * 32 and fields[1] == "00"
        if is_default and int(fields[8], 16) & UP and fields[9] != "lo":
            found.append(fields[9])
    return list(dict.fromkeys(found))


def _names(case: Case, names: set[str]) -> Iterator[Finding]:
    resolve, clock = case.machine.resolve, case.machine.clock
    end_s = clock.monotonic() + LOOK_UP_S
    calls = [
        (name, Call(lambda name=name: resolve(name), f"look-up of {name}"))  # type: ignore[misc]
        for name in sorted(names)
    ]
    # Notes: that the device can't be read is the problem, and told already.
    fix = "is it switched on? else write its address in agent.toml, or ask your router for its name"
    for name, call in calls:
        try:
            addresses = call.answer(end_s - clock.monotonic())
        except NotYetError:
            yield note(f"the name {name} could not be looked up in time", fix)
        except Exception as exc:  # noqa: BLE001 - the resolver has many ways to fail
            yield note(f"the name {name} is not known: {exc}", fix)
        else:
            yield ok(f"{name} is {', '.join(addresses)}")
