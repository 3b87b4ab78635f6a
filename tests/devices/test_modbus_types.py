"""Registers become values, in every order of words and bytes."""

import math
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.modbus.address import parse
from agent.devices.modbus.options import Options, Tag
from agent.devices.modbus.types import TYPES, Order
from agent.model import Value

ORDERS = [Order(word, byte) for word in ("big", "little") for byte in ("big", "little")]
CODES = {name: of.code for name, of in TYPES.items() if of.is_number}
VALUES: list[tuple[str, Value]] = [
    ("UINT16", 0), ("UINT16", 0xFFFF), ("UINT16", 0x022B), ("INT16", -32768), ("INT16", 32767),
    ("UINT32", 0xFFFFFFFE), ("INT32", -(2**31)), ("INT32", -2), ("UINT64", 2**64 - 1),
    ("INT64", -(2**63)), ("INT64", 2**53 + 1), ("FLOAT32", 1.1), ("FLOAT32", -0.0),
    ("FLOAT32", 3.4028235e38), ("FLOAT64", 0.1), ("FLOAT64", 1.7976931348623157e308),
]  # fmt: skip


def registers(data: bytes, order: Order = ORDERS[0]) -> list[int]:
    """The registers that hold a big-endian number in another order."""
    words = [data[i : i + 2] for i in range(0, len(data), 2)]
    if order.word == "little":
        words.reverse()
    endian = "little" if order.byte == "little" else "big"
    return [int.from_bytes(word, endian) for word in words]  # type: ignore[arg-type]


def decode(address: str, cells: Sequence[int], order: Order = ORDERS[0]) -> Value:
    return parse(address).decoder(order)(cells, 0)


def decode_tag(tag: Tag, cells: Sequence[int]) -> Value:
    (planned,) = Options("meter", tag=(tag,)).planned_tags()
    return planned.decode(cells, 0)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("name", "value"), VALUES)
def test_a_number_is_read_in_every_order(name: str, value: Value, order: Order) -> None:
    cells = registers(struct.pack(">" + CODES[name], value), order)

    found = decode(f"HR0:{name}", cells, order)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("order", "cells"),
    [
        (Order("big", "big"), [0x4366, 0x8000]),  # ABCD
        (Order("little", "big"), [0x8000, 0x4366]),  # CDAB
        (Order("big", "little"), [0x6643, 0x0080]),  # BADC
        (Order("little", "little"), [0x0080, 0x6643]),  # DCBA
    ],
)
def test_the_four_orders_are_those_that_data_sheets_mean(order: Order, cells: list[int]) -> None:
    assert decode("IR0:FLOAT32", cells, order) == 230.5


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["FLOAT32", "FLOAT64"])
def test_a_float_that_is_not_finite_is_none(name: str, number: float, order: Order) -> None:
    cells = registers(struct.pack(">" + CODES[name], number), order)

    assert decode(f"HR0:{name}", cells, order) is None


def test_a_value_is_read_from_its_place_among_others() -> None:
    decoder = parse("HR7:UINT32").decoder(ORDERS[0])

    assert decoder([1, 2, 3, 4, 5], 2) == 0x00030004


def test_bits_of_a_register_count_from_the_lowest() -> None:
    cells = [0b1000_0000_0000_1000]

    assert [decode(f"HR0.{bit}", cells) for bit in (0, 3, 14, 15)] == [False, True, False, True]
    assert decode("HR0.11", cells, Order(byte="little")) is True


def test_coils_are_true_or_false() -> None:
    assert [decode("CO0", [cell]) for cell in (0, 1, True)] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("EM340-SIM", b"EM340-SIM\0\0\0\0\0\0\0"),
        ("blanks", b"blanks          "),
        ("cut at NUL", b"cut at NUL\0rest\0"),
        ("", bytes(16)),
        ("16 characters ok", b"16 characters ok"),
        ("20 °C", "20 °C".encode().ljust(16)),
        ("20 °C", "20 °C".encode("latin-1").ljust(16)),
        (None, b"\xff" * 16),
    ],
)
def test_a_text_ends_at_a_nul_or_before_its_blanks(text: str | None, data: bytes) -> None:
    assert decode("HR0:STRING(16)", registers(data)) == text
    assert decode("HR0:STRING(16)", registers(data, Order(byte="little")), ORDERS[1]) == text
    assert decode("HR0:STRING(16)", registers(data), Order(word="little")) == text


def test_a_text_of_odd_length_leaves_the_last_byte_alone() -> None:
    assert decode("HR0:STRING(3)", [0x4142, 0x4344]) == "ABC"


@pytest.mark.parametrize(
    ("raw", "scale", "offset", "value"),
    [
        (2301, 0.1, 0.0, 230.1),
        (3, 0.1, 0.0, 0.3),
        (-215, 0.1, 273.15, 251.65),
        (7, 0.001, 0.0, 0.007),
        (65535, 0.01, 0.0, 655.35),
        (5, 10.0, 0.0, 50.0),
    ],
)
def test_whole_numbers_are_scaled_without_the_dust_of_binary_fractions(
    raw: int, scale: float, offset: float, value: float
) -> None:
    tag = Tag("t", "HR0:INT32", scale=scale, offset=offset)

    assert decode_tag(tag, registers(struct.pack(">i", raw))) == value


def test_a_float_is_scaled_to_the_digits_that_it_has() -> None:
    tag = Tag("t", "HR0:FLOAT32", scale=0.001)

    assert decode_tag(tag, registers(struct.pack(">f", 230.1))) == 0.2301


@pytest.mark.parametrize(
    ("address", "missing", "cells"),
    [
        ("HR0:INT16", 0x7FFF, [0x7FFF]),
        ("HR0:INT16", 0x8000, [0x8000]),
        ("HR0:INT16", -32768, [0x8000]),
        ("HR0:UINT16", 0xFFFF, [0xFFFF]),
        ("HR0:UINT32", 0xFFFFFFFF, [0xFFFF, 0xFFFF]),
        ("HR0:UINT64", 2**64 - 1, [0xFFFF] * 4),
        ("HR0:INT64", -(2**63), [0x8000, 0, 0, 0]),
        ("HR0:FLOAT32", -9999, [0xC61C, 0x3C00]),
        ("HR0:FLOAT32", 0x7FC00000, [0x7FC0, 0]),
    ],
)
def test_a_raw_number_can_mean_not_available(address: str, missing: int, cells: list[int]) -> None:
    tag = Tag("t", address, missing=missing, scale=0.1)
    (planned,) = Options("meter", tag=(tag,)).planned_tags()

    assert planned.decode(cells, 0) is None
    assert planned.is_missing is not None
    assert planned.is_missing(cells, 0)
    assert planned.decode([1] * len(cells), 0) is not None


@given(
    st.sampled_from(["BOOL", *CODES, "STRING(7)"]),
    st.sampled_from(ORDERS),
    st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4),
)
def test_any_registers_are_a_finite_value_or_none(
    name: str, order: Order, cells: list[int]
) -> None:
    value = decode("HR0.5" if name == "BOOL" else f"HR0:{name}", cells, order)

    assert value is None or isinstance(value, str) or math.isfinite(value)
