"""What a controller says of itself in its calculations: firmware, type, probes that are missing."""

from collections.abc import Sequence
from typing import Final

from agent.devices.luxtronik.tables import entry
from agent.devices.luxtronik.values import VERSION_END, VERSION_FIRST, firmware
from agent.devices.luxtronik.wire import CALCULATIONS

TYPE_AT: Final = 78
PROBES: Final = range(10, 29)  # the temperatures of a controller's own probes
NO_PROBE: Final = -500  # tenths: seen at a real controller where no probe is


def firmware_of(values: Sequence[int]) -> str:
    """Name of the firmware; "" where it is not sent."""
    return firmware(values[VERSION_FIRST:VERSION_END])


def heat_pump_type(values: Sequence[int]) -> str:
    """Type of the heat pump, as a number where nobody knows its name; "" where it is not sent."""
    decode = entry(CALCULATIONS, TYPE_AT).form.decode
    return str(decode(values[TYPE_AT])) if decode and len(values) > TYPE_AT else ""


def absent_probes(values: Sequence[int]) -> list[int]:
    """The temperatures that show what a controller shows without a probe."""
    return [index for index in PROBES if index < len(values) and values[index] == NO_PROBE]
