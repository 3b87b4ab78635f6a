"""Which of the devices that were found are configured already."""

from collections.abc import Mapping, Sequence
from os.path import realpath
from typing import Any

import attrs

from agent.config import DeviceConfig
from agent.discovery.targets import Resolve
from agent.discovery.wish import Finding

PLACES = ("host", "port", "serial", "url", "unit_id")  # tell two devices of a kind apart


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
