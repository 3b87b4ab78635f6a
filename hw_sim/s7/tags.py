"""What the simulated PLC holds, as tables: names, addresses, types and values at the start."""

import struct
from collections.abc import Iterable

import attrs

Scalar = float | int | bool | str | None


@attrs.frozen
class Tag:
    """One value in the PLC.

    Args:
        address: Absolute, as in a watch table: ``DB1.DBD6``; ``DB2.DBX0.7`` is bit 7 of byte 0.
        type: Name of the type in TIA Portal; texts with their maximum: ``STRING[10]``.
        offset: Byte where it starts in its area.
        data: Its bytes at the start, big-endian; of a BOOL one byte, 0 or 1.
        value: The same decoded. Durations (S5TIME, TIME, LTIME) are in seconds, times of day and
            dates in ISO 8601; ``None`` where the bytes are no valid value.
    """

    name: str
    address: str
    type: str
    offset: int
    data: bytes
    value: Scalar
    unit: str = ""

    @property
    def area(self) -> tuple[str, int]:
        """Area letter and block number: ``("DB", 2)``, ``("M", 0)``."""
        if self.address.startswith("DB"):
            return "DB", int(self.address[2:].partition(".")[0])
        return self.address[0], 0

    @property
    def bit(self) -> int | None:
        """Number of the bit in its byte; ``None`` for all but BOOL."""
        return int(self.address[-1]) if self.type == "BOOL" else None


def _tag(name: str, address: str, kind: str, data: str, value: Scalar, unit: str = "") -> Tag:
    digits = address.split(".", 1)[1] if address.startswith("DB") else address
    offset = int("".join(c for c in digits.split(".")[0] if c.isdigit()))
    return Tag(name, address, kind, offset, bytes.fromhex(data), value, unit)


DB1_SIZE = 32  # 12 are used
DB1_TAGS = (
    _tag("counter", "DB1.DBD0", "DINT", "0001E240", 123456),
    _tag("temperature", "DB1.DBW4", "INT", "FF29", -215, "0.1 °C"),
    _tag("pressure", "DB1.DBD6", "REAL", "3FA00000", 1.25, "bar"),
    _tag("alarm", "DB1.DBX10.0", "BOOL", "01", True),
    _tag("mode_ro", "DB1.DBB11", "BYTE", "5A", 90),
)

DB2_SIZE = 136
DB2_TAGS = (
    _tag("flag_on", "DB2.DBX0.0", "BOOL", "01", True),
    _tag("flag_off", "DB2.DBX0.1", "BOOL", "00", False),
    _tag("flag_last", "DB2.DBX0.7", "BOOL", "01", True),
    _tag("byte", "DB2.DBB1", "BYTE", "5A", 90),
    _tag("usint", "DB2.DBB2", "USINT", "C8", 200),
    _tag("sint", "DB2.DBB3", "SINT", "9C", -100),
    _tag("char", "DB2.DBB4", "CHAR", "5A", "Z"),
    _tag("word", "DB2.DBW6", "WORD", "BEEF", 0xBEEF),
    _tag("uint", "DB2.DBW8", "UINT", "FDE8", 65000),
    _tag("int", "DB2.DBW10", "INT", "FF29", -215),
    _tag("dword", "DB2.DBD12", "DWORD", "DEADBEEF", 0xDEADBEEF),
    _tag("udint", "DB2.DBD16", "UDINT", "FFFFFFFE", 4294967294),
    _tag("dint", "DB2.DBD20", "DINT", "FFFE1DC0", -123456),
    _tag("real", "DB2.DBD24", "REAL", "3FA00000", 1.25),
    _tag("lreal", "DB2.DBB28", "LREAL", "3FB999999999999A", 0.1),
    _tag("lword", "DB2.DBB36", "LWORD", "0123456789ABCDEF", 0x0123456789ABCDEF),
    _tag("ulint", "DB2.DBB44", "ULINT", "FFFFFFFFFFFFFFFE", 2**64 - 2),
    _tag("lint", "DB2.DBB52", "LINT", "FFDFFFFFFFFFFFFF", -(2**53) - 1),
    _tag("string", "DB2.DBB60", "STRING[10]", "0A0548656C6C6F0000000000", "Hello"),
    _tag("wstring", "DB2.DBB72", "WSTRING[4]", "00040002004100E400000000", "Aä"),
    _tag("wchar", "DB2.DBW84", "WCHAR", "00E4", "ä"),
    _tag("s5time", "DB2.DBW86", "S5TIME", "2345", 345.0, "s"),
    _tag("time", "DB2.DBD88", "TIME", "0001E240", 123.456, "s"),
    _tag("ltime", "DB2.DBB92", "LTIME", "0000000059682F00", 1.5, "s"),
    _tag("date", "DB2.DBW100", "DATE", "31F1", "2025-01-02"),
    _tag("tod", "DB2.DBD102", "TIME_OF_DAY", "02932E00", "12:00:00"),
    _tag("dt", "DB2.DBB106", "DATE_AND_TIME", "2501021314151235", "2025-01-02T13:14:15.123"),
    _tag("dtl", "DB2.DBB114", "DTL", "07E90102050D0E0F075BCD15", "2025-01-02T13:14:15.123456789"),
    _tag("ldt", "DB2.DBB126", "LDT", "1816E26ADCFEC600", "2025-01-02T13:14:15"),
)

DB3_SIZE = 34
DB3_TAGS = (  # what a real PLC may hold and what is no value
    _tag("real_nan", "DB3.DBD0", "REAL", "7FC00000", None),
    _tag("real_infinite", "DB3.DBD4", "REAL", "7F800000", None),
    _tag("string_beyond_maximum", "DB3.DBB8", "STRING[2]", "02094142", None),
    _tag("s5time_no_digits", "DB3.DBW12", "S5TIME", "2ABC", None),
    _tag("dt_month_0", "DB3.DBB14", "DATE_AND_TIME", "2500021314151235", None),
    _tag("dtl_month_13", "DB3.DBB22", "DTL", "07E90D02050D0E0F00000000", None),
)

OTHER_TAGS = (
    _tag("level", "MD4", "REAL", "42F70000", 123.5, "cm"),
    _tag("cycle_ms", "MW20", "INT", "0019", 25, "ms"),
    _tag("is_automatic", "M30.3", "BOOL", "01", True),
    _tag("door_closed", "I0.0", "BOOL", "01", True),
    _tag("key_switch", "IB1", "BYTE", "03", 3),
    _tag("pump_on", "Q0.1", "BOOL", "01", True),
    _tag("parts", "C1", "COUNTER", "0123", 123),  # three BCD digits
    _tag("fill_time", "T1", "S5TIME", "0127", 1.27, "s"),
)

ALL_TAGS = (*DB1_TAGS, *DB2_TAGS, *DB3_TAGS, *OTHER_TAGS)
AREA_SIZES = {
    ("DB", 1): DB1_SIZE,
    ("DB", 2): DB2_SIZE,
    ("DB", 3): DB3_SIZE,
    ("M", 0): 256,
    ("I", 0): 16,
    ("Q", 0): 16,
    ("C", 0): 64,  # 32 counters and 32 timers of two bytes
    ("T", 0): 64,
}


def initial_areas() -> dict[tuple[str, int], bytearray]:
    """All areas with the values of the tables; the rest is 0."""
    areas = {area: bytearray(size) for area, size in AREA_SIZES.items()}
    for tag in ALL_TAGS:
        block = areas[tag.area]
        at = tag.offset * (2 if tag.area[0] in "CT" else 1)
        if tag.bit is not None:
            block[at] |= tag.data[0] << tag.bit
        else:
            block[at : at + len(tag.data)] = tag.data
    return areas


NUMBERS = {
    "BYTE": ">B",
    "USINT": ">B",
    "SINT": ">b",
    "WORD": ">H",
    "UINT": ">H",
    "INT": ">h",
    "DWORD": ">I",
    "UDINT": ">I",
    "DINT": ">i",
    "REAL": ">f",
    "LREAL": ">d",
    "LWORD": ">Q",
    "ULINT": ">Q",
    "LINT": ">q",
}


def show(tag: Tag, data: bytes) -> str:
    """A tag's bytes for the terminal: numbers and texts decoded, all others as hex.

    >>> show(DB1_TAGS[1], bytes.fromhex("FF29"))
    'temperature = -215'
    """
    if tag.bit is not None:
        text = "true" if data[0] >> tag.bit & 1 else "false"
    elif tag.type in NUMBERS:
        text = format(
            struct.unpack(NUMBERS[tag.type], data)[0], ".7g" if "REAL" in tag.type else ""
        )
    elif tag.type == "CHAR":
        text = repr(data.decode("latin-1"))
    elif tag.type.startswith("STRING"):
        text = repr(data[2 : 2 + data[1]].decode("latin-1"))
    else:
        text = data.hex(" ")
    return f"{tag.name} = {text}"


def touched(area: tuple[str, int], start: int, size: int) -> Iterable[Tag]:
    """The tags of an area that lie at least partly in bytes ``start`` to ``start + size``.

    Counters and timers are counted, not their bytes.
    """
    for tag in ALL_TAGS:
        width = 1 if area[0] in "CT" else len(tag.data)
        if tag.area == area and tag.offset < start + size and start < tag.offset + width:
            yield tag
