"""The registry: which kinds of device there are.

Each entry is a small function that imports its kind, so that one costs nothing until it is used,
and the frozen program still finds the import. Kinds import their drivers in the same way.
"""

from collections.abc import Callable, Mapping

from agent.devices.contract import Kind


def _host() -> Kind:
    from agent.devices.host import KIND

    return KIND


def _s7() -> Kind:
    from agent.devices.s7 import KIND

    return KIND


def _benchlab() -> Kind:
    from agent.devices.benchlab import KIND

    return KIND


def _thermostat() -> Kind:
    from agent.devices.thermostat import KIND

    return KIND


def _luxtronik() -> Kind:
    from agent.devices.luxtronik import KIND

    return KIND


def _modbus() -> Kind:
    from agent.devices.modbus import KIND

    return KIND


def _json() -> Kind:
    from agent.devices.json import KIND

    return KIND


KINDS: Mapping[str, Callable[[], Kind]] = {
    "host": _host,
    "s7": _s7,
    "benchlab": _benchlab,
    "thermostat": _thermostat,
    "luxtronik": _luxtronik,
    "modbus": _modbus,
    "json": _json,
}
