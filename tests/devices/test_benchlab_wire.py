"""Greeting, identity and name of a BENCHLAB board from bytes, and what may be asked at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.benchlab import wire


def test_only_requests_that_read_exist() -> None:
    requests = {value for value in vars(wire).values() if isinstance(value, bytes)} - {wire.MAGIC}

    assert requests == {b"\x00", b"\x01", b"\x03", b"\x0d", b"\x0e"}


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (b"BENCHLAB\0", True),
        (b"BENCHLAB".ljust(32, b"\0"), True),
        (b"BENCHLAB 2 rev. C".ljust(32, b"\0"), True),
        (b"BENCHLAB" + b"x" * 24, True),
        (b"", False),
        (b"BENCHLAB", False),
        (b"BENCHLABS", False),
        (b"BENCHLAC\0", False),
        (b"BENCHLAB".ljust(31, b"\0"), False),
        (b"BENCHLAB".ljust(33, b"\0"), False),
        (b"BENCHLAB\0more".ljust(32, b"\0"), False),
        (b"BENCHLAB\x01".ljust(32, b"\0"), False),
        (b"BENCHLAB\r\n> ".ljust(32, b"\0"), False),
    ],
)
def test_what_a_greeting_is(data: bytes, is_one: bool) -> None:
    assert wire.is_welcome(data) is is_one


@pytest.mark.parametrize(
    ("text", "product", "firmware"), [("EE 10 02", 0x10, 2), ("EE 11 07", 0x11, 7)]
)
def test_vendor_data_tell_product_and_firmware(text: str, product: int, firmware: int) -> None:
    assert wire.parse_vendor_data(bytes.fromhex(text)) == (product, firmware)


def test_another_vendor_is_no_board() -> None:
    with pytest.raises(wire.NoBoardError, match="wanted vendor id 0xEE, got 0x00"):
        wire.parse_vendor_data(bytes.fromhex("00 10 02"))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"bench 1".ljust(32, b"\0"), "bench 1"),
        (bytes(32), ""),
        (b"\xff" * 32, "\ufffd" * 32),
        ("Prüfstand".encode() + b"\0left from before", "Prüfstand"),
        (b"  two\nlines\x1b[0m ", "two?lines?[0m"),
    ],
)
def test_a_name_ends_at_the_first_nul_and_can_be_printed(data: bytes, name: str) -> None:
    assert wire.parse_name(data) == name


@given(st.binary(max_size=80))
def test_any_bytes_are_a_value_or_a_value_error(data: bytes) -> None:
    wire.is_welcome(data)
    wire.welcomes_in(data)
    texts = [wire.parse_name(data)]
    for parse in (wire.parse_uid, wire.parse_vendor_data, wire.check_welcome):
        try:
            parse(data)
        except ValueError as error:
            texts.append(str(error))
    assert all(text.isprintable() for text in texts)
