"""Bytes of each S7 type and their values."""

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.devices.s7.options import scaled
from agent.devices.s7.types import TYPES, decoder
from agent.devices.tags import real
from agent.model import MetricType, Value

VALUES: list[tuple[str, int, str, Value]] = [
    ("BYTE", 0, "5A", 90),
    ("USINT", 0, "FF", 255),
    ("SINT", 0, "FF", -1),
    ("CHAR", 0, "5A", "Z"),
    ("CHAR", 0, "E4", "ä"),
    ("WORD", 0, "FF29", 65321),
    ("UINT", 0, "FF29", 65321),
    ("INT", 0, "FF29", -215),
    ("DWORD", 0, "DEADBEEF", 0xDEADBEEF),
    ("UDINT", 0, "FFFFFFFF", 4294967295),
    ("DINT", 0, "0001E240", 123456),
    ("LWORD", 0, "FFFFFFFFFFFFFFFF", 2**64 - 1),
    ("ULINT", 0, "FFFFFFFFFFFFFFFE", 2**64 - 2),
    ("LINT", 0, "FFDFFFFFFFFFFFFF", -(2**53) - 1),
    ("REAL", 0, "3FA00000", 1.25),
    ("REAL", 0, "3F8CCCCD", 1.1),
    ("REAL", 0, "7F7FFFFF", 3.4028235e38),
    ("REAL", 0, "00000001", 1e-45),
    ("REAL", 0, "80000000", -0.0),
    ("LREAL", 0, "3FF4000000000000", 1.25),
    ("LREAL", 0, "3FB999999999999A", 0.1),
    ("STRING", 10, "0A0548656C6C6F0000000000", "Hello"),
    ("STRING", 2, "0202E4F6", "äö"),
    ("STRING", 4, "000000000000", ""),
    ("STRING", 2, "FE0241420000", "AB"),
    ("WSTRING", 4, "00040002004100E400000000", "Aä"),
    ("WSTRING", 2, "00020002D83DDE00", "\U0001f600"),
    ("WCHAR", 0, "00E4", "ä"),
    ("S5TIME", 0, "2345", 345.0),
    ("S5TIME", 0, "0127", 1.27),
    ("S5TIME", 0, "3999", 9990.0),
    ("S5TIME", 0, "1001", 0.1),
    ("TIME", 0, "0001E240", 123.456),
    ("TIME", 0, "FFFFFC18", -1.0),
    ("LTIME", 0, "0000000059682F00", 1.5),
    ("LTIME", 0, "FFFFFFFFFFFFFFFF", -1e-9),
    ("DATE", 0, "31F1", "2025-01-02"),
    ("DATE", 0, "0000", "1990-01-01"),
    ("DATE", 0, "FFFF", "2169-06-06"),
    ("TOD", 0, "02932E00", "12:00:00.000"),
    ("TOD", 0, "05265BFF", "23:59:59.999"),
    ("LTOD", 0, "0000274A48A78001", "12:00:00.000000001"),
    ("DT", 0, "2501021314151235", "2025-01-02T13:14:15.123"),
    ("DT", 0, "9001010000000002", "1990-01-01T00:00:00.000"),
    ("DT", 0, "8912312359599997", "2089-12-31T23:59:59.999"),
    ("DTL", 0, "07E90102050D0E0F075BCD15", "2025-01-02T13:14:15.123456789"),
    ("LDT", 0, "1816E26ADCFEC600", "2025-01-02T13:14:15.000000000"),
    ("LDT", 0, "7FFFFFFFFFFFFFFF", "2262-04-11T23:47:16.854775807"),
    ("COUNTER", 0, "0999", 999),
    ("TIMER", 0, "2345", 345.0),
]

INVALID = [
    ("REAL", 0, "7FC00000"),
    ("REAL", 0, "FF800000"),
    ("LREAL", 0, "7FF0000000000000"),
    ("STRING", 10, "0A0B48656C6C6F0000000000"),
    ("STRING", 10, "FFFF48656C6C6F0000000000"),
    ("STRING", 2, "FE0341424344"),
    ("WSTRING", 4, "00040005004100E400000000"),
    ("WSTRING", 2, "00020001D83D0000"),
    ("WSTRING", 2, "FFFF000100410000"),
    ("WCHAR", 0, "D800"),
    ("S5TIME", 0, "2A00"),
    ("TOD", 0, "05265C00"),
    ("LTOD", 0, "FFFFFFFFFFFFFFFF"),
    ("DT", 0, "0000000000000000"),
    ("DT", 0, "2500021314151235"),
    ("DT", 0, "2502301314151235"),
    ("DT", 0, "2501022414151235"),
    ("DT", 0, "2501021360151235"),
    ("DT", 0, "250102131A151235"),
    ("DTL", 0, "07E90002050D0E0F075BCD15"),
    ("DTL", 0, "00000000000000000000 0000"),
    ("DTL", 0, "07E90102050D0E3C075BCD15"),
    ("DTL", 0, "07E90102050D0E0F3B9ACA00"),
    ("LDT", 0, "FFFFFFFFFFFFFFFF"),
    ("COUNTER", 0, "0A00"),
]


def decode(name: str, data: bytes, length: int = 0, bit: int = 0) -> Value:
    """One value that lies between other bytes."""
    return decoder(name, length, bit)(b"\xff\x5a" + data + b"\x5a", 2)


@pytest.mark.parametrize(("name", "length", "data", "value"), VALUES)
def test_each_type_decodes_to_its_value(name: str, length: int, data: str, value: Value) -> None:
    decoded = decode(name, bytes.fromhex(data), length)

    assert repr(decoded) == repr(value)


@pytest.mark.parametrize(("name", "length", "data"), INVALID)
def test_bytes_that_are_no_value_are_none(name: str, length: int, data: str) -> None:
    assert decode(name, bytes.fromhex(data), length) is None


@pytest.mark.parametrize("bit", range(8))
def test_a_bool_is_its_bit_counted_from_the_lowest(bit: int) -> None:
    assert decode("BOOL", bytes([1 << bit]), bit=bit) is True
    assert decode("BOOL", bytes([0xFF ^ 1 << bit]), bit=bit) is False


@given(st.sampled_from(sorted(TYPES)), st.integers(1, 300), st.binary(min_size=700, max_size=700))
def test_any_bytes_are_a_value_of_the_type_or_none(name: str, length: int, data: bytes) -> None:
    expected = {
        MetricType.BOOL: bool,
        MetricType.INT: int,
        MetricType.FLOAT: float,
        MetricType.TEXT: str,
    }

    value = decoder(name, length if TYPES[name].char_size else 0)(data, 0)

    assert value is None or type(value) is expected[TYPES[name].metric]
    assert not isinstance(value, float) or math.isfinite(value)
    if isinstance(value, str):
        value.encode("utf-8")  # no half of a surrogate pair: stores and JSON can't hold it


@given(st.sampled_from(sorted(TYPES)), st.binary(max_size=20))
def test_too_few_bytes_are_an_error_and_never_a_loop(name: str, data: bytes) -> None:
    length = 4 if TYPES[name].char_size else 0

    try:
        decoder(name, length)(data, 0)
    except (IndexError, ValueError, struct.error):  # device_errors turns all three
        assert len(data) < TYPES[name].size


def names(text: str, raw: bytes) -> bool:
    try:
        return struct.pack(">f", float(text)) == raw
    except OverflowError:  # rounded up beyond the largest
        return False


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@example(3.4025001647762064e38)
def test_a_real_is_the_shortest_decimal_of_the_same_float(number: float) -> None:
    raw = struct.pack(">f", number)
    texts = [f"%.{digits}g" % number for digits in range(1, 10)]

    value = real(raw, 0)

    assert repr(value) == repr(next(float(text) for text in texts if names(text, raw)))


@given(st.integers(-(2**23) * 10**9, 2**23 * 10**9))
def test_an_ltime_up_to_97_days_is_exact_to_the_nanosecond(nanoseconds: int) -> None:
    seconds = decode("LTIME", nanoseconds.to_bytes(8, signed=True))

    assert isinstance(seconds, float)
    assert round(Fraction(seconds) * 10**9) == nanoseconds


@pytest.mark.parametrize(
    ("name", "data", "scale", "offset", "value"),
    [
        ("INT", "00D7", 0.1, 0.0, 21.5),
        ("INT", "0003", 0.1, 0.0, 0.3),
        ("INT", "FF29", 0.1, 0.05, -21.45),
        ("INT", "0003", 1.0, 10.0, 13.0),
        ("DINT", "075BCD15", 1e-7, 0.0, 12.3456789),
        ("INT", "6C00", 0.003616898148148148, 0.0, 100.0),
        ("REAL", "3F8CCCCD", 1.8, 32.0, 33.98),
        ("REAL", "3F8CCCCD", 10.0, 0.0, 11.0),
        ("LREAL", "3FB999999999999A", 3.0, 0.0, 0.3),
        ("TIME", "0001E240", 1000.0, 0.0, 123456.0),
        ("REAL", "7FC00000", 2.0, 0.0, None),
        ("LREAL", "7FEFFFFFFFFFFFFF", 10.0, 0.0, None),
    ],
)
def test_scaled_values_have_no_dust_of_binary_fractions(
    name: str, data: str, scale: float, offset: float, value: Value
) -> None:
    decode_scaled = scaled(decoder(name), name, scale, offset)

    assert repr(decode_scaled(bytes.fromhex(data), 0)) == repr(value)


def test_without_scale_and_offset_whole_numbers_stay_whole() -> None:
    decode_int = decoder("INT")

    assert scaled(decode_int, "INT", 1.0, 0.0) is decode_int
