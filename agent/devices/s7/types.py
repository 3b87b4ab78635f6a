"""The types of a Siemens S7 and how their big-endian bytes become values.

Source: Siemens "S7-1200/S7-1500 programming guideline", data types; each row of the tables was
compared with what two other S7 implementations store and read. Nothing here raises for what a
PLC may hold: bytes that are no value of their type (a REAL that is not finite, a STRING longer
than its room, a BCD digit above 9, month 0) become ``None``.
"""

import struct
from collections.abc import Callable
from datetime import date
from math import isfinite
from typing import Final

import attrs

from agent.devices.tags import real
from agent.model import MetricType, Value

Decode = Callable[[bytes, int], Value]  # (bytes of a reply, where the value starts)

S5TIME_STEP_MS: Final = (10, 100, 1_000, 10_000)
DAY_MS: Final = 86_400_000
DAY_NS: Final = DAY_MS * 1_000_000
DAYS_TO_1970: Final = date(1970, 1, 1).toordinal()
DAYS_TO_1990: Final = date(1990, 1, 1).toordinal()
UNPACK_U16: Final = struct.Struct(">H").unpack_from
UNPACK_U32: Final = struct.Struct(">I").unpack_from
UNPACK_I64: Final = struct.Struct(">q").unpack_from
UNPACK_U64: Final = struct.Struct(">Q").unpack_from
UNPACK_DTL: Final = struct.Struct(">HBBBBBBI").unpack_from


@attrs.frozen
class S7Type:
    """One type: ``size`` in bytes, for texts that of the head and ``char_size`` for each character.

    ``letter`` is the width letter of its addresses: X a bit, B, W and D one, two and four bytes;
    longer types start at a B.
    """

    name: str
    size: int
    metric: MetricType
    decode: Decode
    unit: str = ""
    char_size: int = 0
    max_length: int = 0
    is_bit_string: bool = False

    @property
    def letter(self) -> str:
        if self.name == "BOOL":
            return "X"
        return "B" if self.char_size else {2: "W", 4: "D"}.get(self.size, "B")

    @property
    def is_number(self) -> bool:
        return self.metric in {MetricType.INT, MetricType.FLOAT}

    def size_of(self, length: int) -> int:
        """Bytes that a value takes; ``length`` is the n of STRING[n], else 0."""
        return self.size + length * self.char_size


def _number(code: str) -> Decode:
    unpack = struct.Struct(">" + code).unpack_from

    def decode(data: bytes, at: int) -> int:
        number: int = unpack(data, at)[0]
        return number

    return decode


def bit(number: int) -> Decode:
    """Decoder of one bit of a byte; bit 0 is the lowest."""
    mask = 1 << number

    def decode(data: bytes, at: int) -> bool:
        return data[at] & mask != 0

    return decode


def _lreal(data: bytes, at: int) -> float | None:
    value: float = struct.unpack_from(">d", data, at)[0]
    return value if isfinite(value) else None


def _char(data: bytes, at: int) -> str:
    return chr(data[at])  # Latin-1


def _wchar(data: bytes, at: int) -> str | None:
    code: int = UNPACK_U16(data, at)[0]
    return None if 0xD800 <= code <= 0xDFFF else chr(code)


def _string(data: bytes, at: int) -> str | None:
    room, used = data[at], data[at + 1]
    if used > room or room > 254:
        return None
    return data[at + 2 : at + 2 + used].decode("latin-1")


def _wstring(data: bytes, at: int) -> str | None:
    room, used = UNPACK_U16(data, at)[0], UNPACK_U16(data, at + 2)[0]
    if used > room or room > 16382:
        return None
    try:
        return data[at + 4 : at + 4 + 2 * used].decode("utf-16-be")
    except UnicodeDecodeError:
        return None


def _s5time(data: bytes, at: int) -> float | None:
    word: int = UNPACK_U16(data, at)[0]
    digits = f"{word & 0xFFF:03x}"
    return int(digits) * S5TIME_STEP_MS[word >> 12 & 3] / 1000 if digits.isdecimal() else None


def _time(data: bytes, at: int) -> float:
    milliseconds: int = struct.unpack_from(">i", data, at)[0]
    return milliseconds / 1000


def _ltime(data: bytes, at: int) -> float:
    """Seconds. Exact to the nanosecond up to 97 days (2**23 s), to a microsecond beyond.

    Whoever needs each nanosecond of a longer one reads the same bytes as LINT.
    """
    nanoseconds: int = UNPACK_I64(data, at)[0]
    return nanoseconds / 1_000_000_000


def _date(data: bytes, at: int) -> str:
    return date.fromordinal(DAYS_TO_1990 + UNPACK_U16(data, at)[0]).isoformat()


def _clock_text(count: int, digits: int) -> str:
    """Time of day from a count of ``10**-digits`` seconds.

    >>> _clock_text(43_200_000, 3)
    '12:00:00.000'
    """
    seconds, fraction = divmod(count, 10**digits)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{fraction:0{digits}}"


def _tod(data: bytes, at: int) -> str | None:
    count: int = UNPACK_U32(data, at)[0]
    return _clock_text(count, 3) if count < DAY_MS else None


def _ltod(data: bytes, at: int) -> str | None:
    count: int = UNPACK_U64(data, at)[0]
    return _clock_text(count, 9) if count < DAY_NS else None


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> str | None:
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        day_text = date(year, month, day).isoformat()
    except ValueError:
        return None
    return f"{day_text}T{hour:02}:{minute:02}:{second:02}"


def _dt(data: bytes, at: int) -> str | None:
    # The weekday (last digit) follows from the date; PLC programs that build a DT leave it 0.
    digits = data[at : at + 8].hex()
    if not digits.isdecimal():
        return None
    year, month, day, hour, minute, second = (int(digits[i : i + 2]) for i in range(0, 12, 2))
    moment = _moment(year + (1900 if year >= 90 else 2000), month, day, hour, minute, second)
    return None if moment is None else f"{moment}.{digits[12:15]}"


def _dtl(data: bytes, at: int) -> str | None:
    year, month, day, _weekday, hour, minute, second, fraction = UNPACK_DTL(data, at)
    moment = _moment(year, month, day, hour, minute, second)
    return None if moment is None or fraction > 999_999_999 else f"{moment}.{fraction:09}"


def _ldt(data: bytes, at: int) -> str | None:
    count: int = UNPACK_I64(data, at)[0]
    if count < 0:
        return None
    days, rest = divmod(count, DAY_NS)
    return f"{date.fromordinal(DAYS_TO_1970 + days).isoformat()}T{_clock_text(rest, 9)}"


def _counter(data: bytes, at: int) -> int | None:
    digits = f"{UNPACK_U16(data, at)[0] & 0xFFF:03x}"
    return int(digits) if digits.isdecimal() else None


INT, FLOAT, TEXT = MetricType.INT, MetricType.FLOAT, MetricType.TEXT

TYPES: Final = {
    s7_type.name: s7_type
    for s7_type in (
        S7Type("BOOL", 1, MetricType.BOOL, bit(0)),
        S7Type("BYTE", 1, INT, _number("B"), is_bit_string=True),
        S7Type("USINT", 1, INT, _number("B")),
        S7Type("SINT", 1, INT, _number("b")),
        S7Type("CHAR", 1, TEXT, _char),
        S7Type("INT", 2, INT, _number("h")),
        S7Type("WORD", 2, INT, _number("H"), is_bit_string=True),
        S7Type("UINT", 2, INT, _number("H")),
        S7Type("WCHAR", 2, TEXT, _wchar),
        S7Type("S5TIME", 2, FLOAT, _s5time, "s"),
        S7Type("DATE", 2, TEXT, _date),
        S7Type("REAL", 4, FLOAT, real),
        S7Type("DINT", 4, INT, _number("i")),
        S7Type("DWORD", 4, INT, _number("I"), is_bit_string=True),
        S7Type("UDINT", 4, INT, _number("I")),
        S7Type("TIME", 4, FLOAT, _time, "s"),
        S7Type("TOD", 4, TEXT, _tod),
        S7Type("LREAL", 8, FLOAT, _lreal),
        S7Type("LINT", 8, INT, _number("q")),
        S7Type("LWORD", 8, INT, _number("Q"), is_bit_string=True),
        S7Type("ULINT", 8, INT, _number("Q")),
        S7Type("LTIME", 8, FLOAT, _ltime, "s"),
        S7Type("LTOD", 8, TEXT, _ltod),
        S7Type("DT", 8, TEXT, _dt),
        S7Type("LDT", 8, TEXT, _ldt),
        S7Type("DTL", 12, TEXT, _dtl),
        S7Type("STRING", 2, TEXT, _string, char_size=1, max_length=254),
        S7Type("WSTRING", 4, TEXT, _wstring, char_size=2, max_length=16382),
        S7Type("COUNTER", 2, INT, _counter),  # areas C and T of S7-300/400 only
        S7Type("TIMER", 2, FLOAT, _s5time, "s"),
    )
}


def decoder(name: str, length: int = 0, bit_number: int = 0) -> Decode:
    """Decoder of a type; ``length`` is the n of STRING[n], ``bit_number`` that of a BOOL."""
    s7_type = TYPES[name]
    if name == "BOOL":
        return bit(bit_number)
    if not s7_type.char_size:
        return s7_type.decode
    size = s7_type.size_of(length)

    def decode(data: bytes, at: int) -> Value:
        # A text that is longer than its tag says stops at the tag's end, where others begin.
        return s7_type.decode(data[at : at + size], 0) if _fits(data, at) else None

    def _fits(data: bytes, at: int) -> bool:
        used = data[at + 1] if name == "STRING" else UNPACK_U16(data, at + 2)[0]
        return bool(used <= length)

    return decode
