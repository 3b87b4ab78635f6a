"""What the simulated energy meter offers: its register map, with types and values at the start.

All addresses count from 0, as in the protocol. Numbers have their most significant word first.
Between them lie addresses that do not exist, as in most real meters.
"""

import struct
from collections.abc import Sequence
from typing import Final

import attrs

Scalar = float | int | bool | str

CODES: Final = {
    "UINT16": "H", "INT16": "h", "UINT32": "I", "INT32": "i", "UINT64": "Q", "INT64": "q",
    "FLOAT32": "f", "FLOAT64": "d",
}  # fmt: skip
BIT_AREAS: Final = ("CO", "DI")
NOT_CONNECTED: Final = 0x7FFF
FIRST_SERIAL: Final = 20_260_001


@attrs.frozen
class Point:
    """One value of the meter.

    Args:
        address: Table and first address: ``IR0`` input, ``HR0`` holding register, ``CO0``, ``DI0``.
        type: ``BOOL``, ``UINT16`` and so on, texts with their length: ``STRING(16)``.
        raw: What the registers hold at the start; ``raw * scale`` is in ``unit``.
        is_missing: ``raw`` means that there is nothing to measure.
    """

    name: str
    address: str
    type: str
    raw: Scalar
    unit: str = ""
    scale: float = 1.0
    is_missing: bool = False

    @property
    def area(self) -> str:
        return self.address[:2]

    @property
    def start(self) -> int:
        return int(self.address[2:])

    @property
    def size(self) -> int:
        """Registers or bits that it takes."""
        return len(encode(self.type, self.raw))


def encode(kind: str, raw: Scalar) -> list[int]:
    """The registers of a value, or its bit.

    >>> [f"{word:04x}" for word in encode("FLOAT32", 1.25)]
    ['3fa0', '0000']
    """
    if kind == "BOOL":
        return [int(raw)]
    if kind.startswith("STRING"):
        room = int(kind[7:-1])
        data = str(raw).encode("ascii").ljust(room + room % 2, b"\0")
    else:
        data = struct.pack(">" + CODES[kind], raw)
    return [word for (word,) in struct.iter_unpack(">H", data)]


POINTS: Final = (
    Point("voltage_l1", "IR0", "FLOAT32", 230.5, "V"),
    Point("voltage_l2", "IR2", "FLOAT32", 229.25, "V"),
    Point("voltage_l3", "IR4", "FLOAT32", 231.1, "V"),
    Point("current_l1", "IR6", "FLOAT32", 4.2, "A"),
    Point("current_l2", "IR8", "FLOAT32", 2.9, "A"),
    Point("current_l3", "IR10", "FLOAT32", 0.75, "A"),
    Point("power_l1", "IR12", "FLOAT32", 948.7, "W"),
    Point("power_l2", "IR14", "FLOAT32", 651.5, "W"),
    Point("power_l3", "IR16", "FLOAT32", 169.8, "W"),
    Point("power_total", "IR18", "FLOAT32", 1770.0, "W"),
    Point("frequency", "IR20", "FLOAT32", 50.01, "Hz"),
    Point("power_factor", "IR22", "FLOAT32", 0.98),
    # 24 to 29 do not exist
    Point("temperature", "IR30", "INT16", 314, "°C", 0.1),
    Point("temperature_outside", "IR31", "INT16", NOT_CONNECTED, "°C", 0.1, is_missing=True),
    Point("status", "IR32", "UINT16", 0b0000_0000_0000_0001),
    # 33 to 39 do not exist
    Point("dc_voltage", "IR40", "INT16", 6123, "V", 0.1),
    Point("dc_current", "IR41", "INT16", 83, "A", 0.1),
    Point("ac_power", "IR42", "INT16", 48, "kW", 0.1),
    Point("reactive_power", "IR43", "INT16", -7, "kvar", 0.1),
    Point("energy_import", "HR0", "UINT64", 123_456_789_012, "Wh"),
    Point("energy_export", "HR4", "UINT64", 987_654, "Wh"),
    Point("operating_time", "HR8", "UINT32", 31_536_000, "s"),
    Point("model", "HR10", "STRING(16)", "EM340-SIM"),
    Point("serial_number", "HR18", "UINT32", FIRST_SERIAL),
    Point("power_limit", "HR20", "UINT16", 100, "%"),
    # 21 to 27 do not exist
    Point("energy_today", "HR28", "FLOAT64", 12.345678901, "kWh"),
    Point("energy_balance", "HR32", "INT64", 123_455_801_358, "Wh"),
    Point("reactive_energy", "HR36", "INT32", -54_321, "varh"),
    Point("relay_1", "CO0", "BOOL", True),
    Point("relay_2", "CO1", "BOOL", False),
    Point("relay_3", "CO2", "BOOL", True),
    Point("door_open", "DI0", "BOOL", False),
    Point("grid_ok", "DI1", "BOOL", True),
    Point("alarm", "DI9", "BOOL", False),
)
WRITABLE: Final = frozenset({("HR", 20), ("CO", 0), ("CO", 1), ("CO", 2)})
BY_NAME: Final = {point.name: point for point in POINTS}


def at_start(point: Point, unit_id: int) -> Scalar:
    """The raw value that a point of a unit begins with: units differ in their serial number."""
    return FIRST_SERIAL + unit_id - 1 if point.name == "serial_number" else point.raw


def limits_of(point: Point) -> Sequence[list[int]]:
    """The registers of the values at the ends of a type, and of those that are none."""
    if point.type == "BOOL":
        return [[0], [1]]
    size = point.size
    patterns = [[0] * size, [0xFFFF] * size, [0x7FFF] + [0xFFFF] * (size - 1)]
    patterns.append([0x8000] + [0] * (size - 1))
    if point.type in ("FLOAT32", "FLOAT64"):
        numbers = (float("nan"), float("inf"), float("-inf"), -0.0, 5e-324)
        patterns += [encode(point.type, number) for number in numbers]
        largest = "7f7fffff" if point.type == "FLOAT32" else "7fefffffffffffff"
        patterns.append([int(largest[i : i + 4], 16) for i in range(0, len(largest), 4)])
    return patterns
