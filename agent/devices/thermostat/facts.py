"""What a thermostat says of itself: hardware, address, fan; for people, not for the store."""

from collections.abc import Callable, Mapping

from agent.devices.thermostat.wire import Json, RefusedError, shown


def facts(ask: Callable[[str], Json]) -> Mapping[str, str]:
    """Each fact that it tells, in words; what it refuses is left out.

    Raises:
        OSError, ValueError: No answer, or none that can be read.
    """
    found = {}
    for name, (query, words) in QUERIES.items():
        try:
            text = words(ask(query))
        except RefusedError:
            continue
        if text:
            found[name] = text
    return found


def _hardware(answer: Json) -> str:
    """The revision of the board.

    >>> _hardware({"rev": {"major": 2, "minor": 2}})
    '2.2'
    """
    revision = answer.get("rev") if isinstance(answer, Mapping) else None
    if not isinstance(revision, Mapping):
        return ""
    major, minor = revision.get("major"), revision.get("minor")
    return f"{major}.{minor}" if isinstance(major, int) and isinstance(minor, int) else ""


def _address(answer: Json) -> str:
    """Address, network and gateway that are set in it."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("addr"), str):
        return ""
    gateway = answer.get("gateway")
    via = f" via {shown(gateway)[1:-1]}" if isinstance(gateway, str) else ""
    return f"{shown(str(answer['addr']))[1:-1]}{via}"


def _fan(answer: Json) -> str:
    """Power of the fan in percent.

    >>> _fan({"fan_pwm": 45.0, "auto_mode": True}), _fan(None)
    ('45 %, automatic', 'none')
    """
    if answer is None:
        return "none"
    power = answer.get("fan_pwm") if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(power, int | float):
        return ""
    return f"{power:.3g} %{', automatic' if answer.get('auto_mode') is True else ''}"


QUERIES: Mapping[str, tuple[str, Callable[[Json], str]]] = {
    "hardware revision": ("hwrev", _hardware),
    "address": ("ipv4", _address),
    "fan": ("fan", _fan),
}
