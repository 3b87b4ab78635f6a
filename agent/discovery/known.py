"""Which devices are configured already: of those that were found, and before anybody is asked."""

from collections.abc import Callable, Mapping, Sequence
from os.path import realpath
from typing import Any

import attrs

from agent.config import DeviceConfig
from agent.devices.contract import Found, Kind, TcpProbe, address_of
from agent.discovery.addresses import parse_address
from agent.discovery.targets import Resolve, Target
from agent.discovery.wish import Finding

PLACES = ("host", "port", "serial", "url", "unit_id")  # tell two devices of a kind apart
LONG_PAUSE_S = 1.0  # who needs it bears one connection, and the running agent may have that
NOT_ASKED = "configured, not asked: it takes one connection"


@attrs.frozen
class Spared:
    """A configured device that bears no connection beside that of the running agent.

    Args:
        hosts: Its host as configured, and all addresses that this has.
    """

    kind: str
    port: int
    hosts: frozenset[str]
    found: Found

    def is_at(self, target: Target) -> bool:
        """Whether a search would come to it there."""
        return bool({target.address, target.name.lower()} & self.hosts)


def spared(
    devices: Sequence[DeviceConfig], kinds: Mapping[str, Callable[[], Kind]], resolve: Resolve
) -> Sequence[Spared]:
    """The devices that a search must not connect to; ``resolve`` looks up their names."""
    return [
        _spared(each, resolve)
        for each in devices
        if hasattr(each.options, "host")
        and any(
            isinstance(probe, TcpProbe) and probe.pause_s >= LONG_PAUSE_S
            for probe in kinds[each.kind]().probes
        )
    ]


def _spared(device: DeviceConfig, resolve: Resolve) -> Spared:
    host, port = str(device.options.host), int(device.options.port)
    address = parse_address(host)
    addresses = [str(address)] if address is not None else _addresses(host, resolve)
    found = Found(address_of(host, port), {"host": host, "port": port}, note=NOT_ASKED)
    return Spared(device.kind, port, frozenset({host.lower(), *addresses}), found)


def marked(
    findings: Sequence[Finding],
    devices: Sequence[DeviceConfig],
    singles: frozenset[str],
    resolve: Resolve | None,
) -> Sequence[Finding]:
    """The findings, those that are configured with the name of their device.

    Args:
        singles: Kinds of which there is one device at most.
        resolve: Looks up the names of configured hosts; ``None`` sends nothing for that.
    """
    return [
        attrs.evolve(each, device=_device_of(each, devices, singles, resolve)) for each in findings
    ]


def _device_of(
    finding: Finding,
    devices: Sequence[DeviceConfig],
    singles: frozenset[str],
    resolve: Resolve | None,
) -> str | None:
    for device in devices:
        if device.kind == finding.kind and (
            device.kind in singles or _is_same(finding, device.options, resolve)
        ):
            return device.name
    return None


def _is_same(finding: Finding, configured: Any, resolve: Resolve | None) -> bool:
    found = {**_defaults(configured), **finding.found.options}
    uid, known_uid = finding.found.facts.get("uid"), getattr(configured, "uid", None)
    if uid and known_uid:
        return str(uid) == str(known_uid)  # the board, wherever it is plugged in
    places = [key for key in PLACES if hasattr(configured, key)]
    if known_uid == "" and not any(getattr(configured, key) for key in places):
        return True  # whichever board there is
    return bool(places) and all(
        _fits(key, found.get(key), getattr(configured, key), resolve) for key in places
    )


def _defaults(configured: Any) -> Mapping[str, Any]:
    return {field.name: field.default for field in attrs.fields(type(configured))}


def _fits(key: str, value: Any, known: Any, resolve: Resolve | None) -> bool:
    if not isinstance(value, str) or not isinstance(known, str) or not known:
        return bool(value == known)
    if value.lower() == known.lower():
        return True
    if key in ("port", "serial"):
        return realpath(value) == realpath(known)
    return key == "host" and resolve is not None and value in _addresses(known, resolve)


def _addresses(host: str, resolve: Resolve) -> Sequence[str]:
    try:
        return resolve(host)
    except (OSError, ValueError):
        return []
