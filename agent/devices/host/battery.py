"""The battery of this machine, from ``/sys/class/power_supply``."""

import os
from collections.abc import Mapping, Sequence

from agent.devices.host.files import names_in, printable, read_attribute, read_number
from agent.model import Metric, MetricType, Value

AUTO = "auto"
NONE = "none"
NOTHING: Mapping[str, Value] = {
    "voltage": None,
    "current": None,
    "power": None,
    "battery_pct": None,
}
METRICS = (
    Metric("voltage", "V", help="Battery voltage"),
    Metric("current", "A", help="Battery current, with the sign that its driver gives it"),
    Metric("power", "W", help="Battery power; voltage x current where the driver has none"),
    Metric("battery_pct", "%", MetricType.INT, help="Battery charge"),
)


class Battery:
    """Reads one power supply. Source: the kernel's ``Documentation/ABI/testing/sysfs-class-power``.

    ``wanted`` is ``auto`` (the first in name order whose type is ``Battery``), ``none``, or a name.
    """

    metrics = METRICS

    def __init__(self, sys: str, wanted: str) -> None:
        self._folder = f"{sys}/class/power_supply"
        self._wanted = wanted
        self._found: str | None = None
        self._warnings: Sequence[str] = ()

    def read(self) -> Mapping[str, Value]:
        """The four battery columns, each ``None`` where there is no battery or no such value."""
        self._found = self._find()
        if self._found is None:
            return NOTHING
        supply = f"{self._folder}/{self._found}"
        voltage = _from_millionths(read_number(f"{supply}/voltage_now"))
        current = _from_millionths(read_number(f"{supply}/current_now"))
        power = _from_millionths(read_number(f"{supply}/power_now"))
        return {
            "voltage": voltage,
            "current": current,
            "power": power_of(voltage, current, power),
            "battery_pct": read_number(f"{supply}/capacity"),
        }

    def describe(self) -> Sequence[str]:
        """Which supply is the battery, and which others there are."""
        others = [_shown(name) for name in names_in(self._folder) if name != self._found]
        also = f"; other power supplies: {', '.join(others)}" if others else ""
        if self._found is not None:
            return [f"battery {_shown(self._found)}{also}"]
        if self._wanted == NONE:
            return [f"battery turned off{also}"]
        if self._wanted != AUTO:
            return [f"no power supply {self._wanted!r}{also}"]
        return [f"no battery{also}"]

    def warnings(self) -> Sequence[str]:
        """That the supply that was asked for by name was not there at the last read."""
        return self._warnings

    def _find(self) -> str | None:
        # Looked for at each read: a battery that comes, goes or changes its place is seen at once.
        if self._wanted == NONE:
            return None
        names = names_in(self._folder)
        if self._wanted != AUTO:
            self._warnings = [] if self._wanted in names else [self._missing(names)]
            return None if self._warnings else self._wanted
        for name in names:
            if read_attribute(f"{self._folder}/{name}/type") == b"Battery":
                return name
        return None

    def _missing(self, names: Sequence[str]) -> str:
        there = ", ".join(map(_shown, names)) or "none at all"
        return f"power_supply: wanted {self._wanted!r} in {self._folder}, found {there}"


def power_of(voltage: float | None, current: float | None, power: float | None) -> float | None:
    """The power in W: what the driver says, or V x A where it says nothing or 0.

    Laptops that measure power have no ``current_now``: their 0 W is what is known.

    >>> power_of(5.0, -0.5, None), power_of(5.0, -0.5, 2.6), power_of(5.0, None, 0.0)
    (-2.5, 2.6, 0.0)
    """
    if power or voltage is None or current is None:
        return power
    return round(voltage * current, 6)


def _shown(name: str) -> str:
    return printable(os.fsencode(name))


def _from_millionths(value: int | None) -> float | None:
    return None if value is None else value / 1_000_000
