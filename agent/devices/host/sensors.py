"""Temperatures of this machine, and whether a Raspberry Pi is being slowed down."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from agent.devices.host.files import (
    is_there,
    names_in,
    printable,
    read_attribute,
    read_number,
    word,
)
from agent.model import Metric, MetricType, Value

ABSOLUTE_ZERO_C = -273.15
_INPUT = re.compile(r"temp([0-9]{1,4})_input")
_BITS = re.compile(rb"(?:0x)?([0-9a-fA-F]{1,8})")
# Source: Raspberry Pi documentation, "vcgencmd get_throttled".
THROTTLED = (
    (0, "throttled_under_voltage", "The supply voltage is too low now"),
    (1, "throttled_freq_capped", "The CPU frequency is capped now"),
    (2, "throttled_now", "The CPU is slowed down now"),
    (3, "throttled_soft_temp_limit", "The soft temperature limit is in force now"),
    (16, "throttled_under_voltage_since_boot", "The supply voltage was too low since boot"),
    (17, "throttled_freq_capped_since_boot", "The CPU frequency was capped since boot"),
    (18, "throttled_since_boot", "The CPU was slowed down since boot"),
    (19, "throttled_soft_temp_limit_since_boot", "The soft temperature limit was met since boot"),
)


@attrs.frozen
class Sensor:
    """Where a temperature in thousandths of a degree is read, and the metric it becomes."""

    path: str
    metric: Metric


class Temperatures:
    """Source: the kernel's ``sysfs-class-thermal`` and ``hwmon/sysfs-interface``."""

    def __init__(self, sys: str) -> None:
        self._folders = (f"{sys}/class/thermal", f"{sys}/class/hwmon")
        self._listing: object = None
        self._sensors: Sequence[Sensor] = ()
        self._found: dict[str, Metric] = {}

    @property
    def metrics(self) -> Sequence[Metric]:
        return list(self._found.values())

    def read(self) -> Mapping[str, Value]:
        """Temperatures in °C; ``None`` for a sensor that does not answer."""
        # The numbers of the nodes tell a chip from another that took its place and its name.
        listing = [_nodes(folder) for folder in self._folders]
        if listing != self._listing:
            self._listing = listing
            self._sensors = find_sensors(*self._folders)
            self._found |= {sensor.metric.name: sensor.metric for sensor in self._sensors}
        return {s.metric.name: _degrees(read_number(s.path)) for s in self._sensors}

    def describe(self) -> Sequence[str]:
        """The sensors that were found."""
        names = [sensor.metric.name for sensor in self._sensors]
        return [f"temperatures {', '.join(names) or 'none'}"]


def find_sensors(thermal: str, hwmon: str) -> Sequence[Sensor]:
    """All sensors in the order of the hardware, each with a name of its own.

    A second one of the same name gets ``_2``. The numbers of hwmon folders change from start to
    start, the places of their devices do not, so it is these that give the order.
    """
    sensors: dict[str, Sensor] = {}
    zones = [f"{thermal}/{name}" for name in names_in(thermal) if name.startswith("thermal_zone")]
    for zone in sorted(zones, key=lambda zone: (len(zone), zone)):  # zone 10 comes after zone 9
        if is_there(f"{zone}/temp"):
            _add(sensors, f"{zone}/temp", _text(f"{zone}/type") or "zone")
    chips = [(os.path.realpath(f"{hwmon}/{name}/device"), name) for name in names_in(hwmon)]
    for device, name in sorted(chips):
        # A zone shows up again as a chip of one sensor.
        if not device.rpartition("/")[2].startswith("thermal_zone"):
            _add_chip(sensors, f"{hwmon}/{name}")
    return list(sensors.values())


def _add_chip(sensors: dict[str, Sensor], folder: str) -> None:
    chip = _text(f"{folder}/name") or "chip"
    numbers = sorted(int(match[1]) for match in map(_INPUT.fullmatch, names_in(folder)) if match)
    for number in numbers:
        label = _text(f"{folder}/temp{number}_label") or str(number)
        _add(sensors, f"{folder}/temp{number}_input", f"{chip} {label}")


def _add(sensors: dict[str, Sensor], path: str, text: str) -> None:
    start = name = f"temp_{word(text) or 'sensor'}"
    number = 2
    while f"{name}_c" in sensors:
        name = f"{start}_{number}"
        number += 1
    metric = Metric(f"{name}_c", "°C", help=f"Temperature {text}")
    sensors[metric.name] = Sensor(path, metric)


class Throttling:
    """What the firmware of a Raspberry Pi says; other machines offer nothing.

    Its file lies at ``devices/platform/soc/soc:firmware``, on a Pi 5 with addresses behind the
    names. Kernels without it tell of low voltage through the chip ``rpi_volt``.
    """

    def __init__(self, sys: str) -> None:
        self._sys = sys
        self._bits: str | None = None
        self._alarm: str | None = None
        self._metrics: Sequence[Metric] | None = None

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._metrics or ()

    def _find(self) -> None:
        pattern = "devices/platform/soc*/soc*:firmware/get_throttled"
        self._bits = next(map(str, sorted(Path(self._sys).glob(pattern))), None)
        chips = f"{self._sys}/class/hwmon"
        volts = [n for n in names_in(chips) if read_attribute(f"{chips}/{n}/name") == b"rpi_volt"]
        self._alarm = f"{chips}/{volts[0]}/in0_lcrit_alarm" if volts else None
        flags = [Metric(name, "", MetricType.BOOL, text) for _, name, text in THROTTLED]
        bits = Metric("throttled", "", MetricType.INT, "All flags, as the firmware numbers them")
        self._metrics = ()
        if self._bits:
            self._metrics = (bits, *flags)
        elif self._alarm:
            self._metrics = (flags[0],)

    def read(self) -> Mapping[str, Value]:
        """The bits and what each means; all ``None`` where the firmware does not answer."""
        if self._metrics is None:
            self._find()
        if self._bits:
            return parse_throttled(read_attribute(self._bits) or b"")
        if self._alarm:
            alarm = read_number(self._alarm)
            return {THROTTLED[0][1]: None if alarm is None else bool(alarm)}
        return {}

    def describe(self) -> Sequence[str]:
        """Where throttling is read, if there is any."""
        path = self._bits or self._alarm
        return [f"throttling from {path}"] if path else []


def parse_throttled(content: bytes) -> Mapping[str, Value]:
    """The bits, hexadecimal with or without ``0x``, and what each means.

    >>> parse_throttled(b"50005")["throttled_since_boot"]
    True
    """
    match = _BITS.fullmatch(content)
    if not match:
        return {"throttled": None} | {name: None for _, name, _ in THROTTLED}
    bits = int(match[1], 16)
    return {"throttled": bits} | {name: bool(bits >> bit & 1) for bit, name, _ in THROTTLED}


def _degrees(thousandths: int | None) -> float | None:
    degrees = None if thousandths is None else round(thousandths / 1000, 1)
    return degrees if degrees is not None and degrees >= ABSOLUTE_ZERO_C else None


def _nodes(folder: str) -> Sequence[tuple[str, int]]:
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, entry.inode()) for entry in entries]
    except OSError:
        return []


def _text(path: str) -> str:
    return printable(read_attribute(path) or b"")
