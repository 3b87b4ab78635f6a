"""Frames as the specifications show them, and everything that is none.

The examples are those of Modbus Application Protocol V1.1b3, sections 6.1 to 6.4 and 7, and of
Modbus over serial line V1.02, section 6.2.2.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.modbus.plan import Request
from agent.devices.modbus.refusals import RefusedError, exception_text
from agent.devices.modbus.wire import (
    check_unit,
    find_frame,
    has_crc,
    parse_answer,
    parse_mbap,
    rtu_request,
    tcp_request,
    why_no_frame,
)

REGISTERS = Request(17, "HR", 0x6B, 3)
ANSWER = bytes.fromhex("03 06 022B 0000 0064")
FRAME = bytes.fromhex("11 03 06 022B 0000 0064 C8BA")
EXAMPLES = [
    (
        Request(1, "CO", 0x13, 19),
        "01 0013 0013",
        "01 03 CD 6B 05",
        [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1],
    ),
    (
        Request(1, "DI", 0xC4, 22),
        "02 00C4 0016",
        "02 03 AC DB 35",
        [0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1],
    ),
    (REGISTERS, "03 006B 0003", "03 06 022B 0000 0064", [0x22B, 0, 0x64]),
    (Request(1, "IR", 8, 1), "04 0008 0001", "04 02 000A", [10]),
]
requests = st.builds(
    Request,
    st.integers(1, 247),
    st.sampled_from(["CO", "DI", "HR", "IR"]),
    st.integers(0, 65000),
    st.integers(1, 125),
)


@pytest.mark.parametrize(("request_", "asked", "answered", "cells"), EXAMPLES)
def test_the_examples_of_the_specification(
    request_: Request, asked: str, answered: str, cells: list[int]
) -> None:
    message = bytes.fromhex(asked)

    assert tcp_request(request_, 0x1501) == (
        bytes.fromhex("1501 0000 0006") + bytes([request_.unit_id]) + message
    )
    assert rtu_request(request_)[:-2] == bytes([request_.unit_id]) + message
    assert list(parse_answer(request_, bytes.fromhex(answered))) == cells


@pytest.mark.parametrize(
    ("request_", "frame"),
    [
        (Request(1, "HR", 0, 10), "01 03 00 00 00 0A C5 CD"),
        (Request(17, "HR", 0x6B, 3), "11 03 00 6B 00 03 76 87"),
        (Request(17, "CO", 0x13, 37), "11 01 00 13 00 25 0E 84"),
        (Request(17, "DI", 0xC4, 22), "11 02 00 C4 00 16 BA A9"),
        (Request(17, "IR", 8, 1), "11 04 00 08 00 01 B2 98"),
    ],
)
def test_serial_requests_have_the_check_sums_of_published_examples(
    request_: Request, frame: str
) -> None:
    assert rtu_request(request_) == bytes.fromhex(frame)


def test_the_check_sum_of_the_specification() -> None:
    assert has_crc(bytes.fromhex("02 07 41 12"))
    assert not has_crc(bytes.fromhex("02 07 12 41"))


@pytest.mark.parametrize("code", range(256))
def test_an_exception_is_named_by_its_code(code: int) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_answer(Request(1, "CO", 0x4A1, 1), bytes([0x81, code]))

    assert caught.value.code == code
    text = exception_text(code, Request(1, "CO", 0x4A1, 1))
    assert f"{code:02X}" in text
    assert text.isprintable()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "does not offer holding registers (function 3); are they input registers (IR)?"),
        (2, "illegal data address (02): check address and length; many data sheets count from 1, "),
        (2, "then it is HR106"),
        (6, "device busy (06): raise interval_s, or set pause_ms"),
        (10, "the gateway has no way to unit 17, check unit_id and the gateway"),
        (11, "unit 17 behind the gateway is silent, check unit_id, its power and its wiring"),
    ],
)
def test_an_exception_says_what_to_do(code: int, text: str) -> None:
    assert text in exception_text(code, REGISTERS)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("04 06 022B 0000 0064", "wanted an answer to function 3, got one to 4"),
        ("84 02", "wanted an answer to function 3, got one to 4"),
        ("03 04 022B 0000", "wanted 6 bytes of HR107 to HR109, got 4 in 4"),
        ("03 06 022B 0000", "wanted 6 bytes of HR107 to HR109, got 6 in 4"),
        ("03 06 022B 0000 0064 00", "wanted 6 bytes of HR107 to HR109, got 6 in 7"),
        ("03 00", "wanted 6 bytes of HR107 to HR109, got 0 in 0"),
        ("83 02 00", "wanted an exception of 2 bytes"),
    ],
)
def test_what_is_not_the_answer_is_refused(answer: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_answer(REGISTERS, bytes.fromhex(answer))


@pytest.mark.parametrize("length", [0, 1, 2, 255, 256, 65535])
def test_a_length_that_no_answer_has_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"wanted a length of 3 to 254 bytes, got {length}"):
        parse_mbap(bytes.fromhex("0001 0000") + length.to_bytes(2) + b"\1")


def test_another_protocol_is_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match=r"wanted protocol 0, got 20527: .* is this a Modbus TCP"):
        parse_mbap(b"HTP/1.1")


def test_a_good_head_is_read() -> None:
    assert parse_mbap(bytes.fromhex("1501 0000 00FE FF")) == (0x1501, 253, 255)


def test_the_answer_of_another_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted an answer of unit 17, got one of unit 1"):
        check_unit(REGISTERS, 1)


@pytest.mark.parametrize("noise", [b"", b"\0", b"\xff\x00\x11", b"\x11\x03", bytes(100)])
def test_a_frame_is_found_behind_noise(noise: bytes) -> None:
    assert find_frame(REGISTERS, noise + FRAME, 256) == FRAME


def test_a_frame_is_found_behind_a_late_one_of_another_unit() -> None:
    late = bytes.fromhex("02 03 02 0007 BD86")

    assert find_frame(REGISTERS, late + FRAME, 256) == FRAME


@pytest.mark.parametrize("size", range(len(FRAME)))
def test_a_frame_that_is_cut_short_is_none(size: int) -> None:
    assert find_frame(REGISTERS, FRAME[:size], 256) is None


@pytest.mark.parametrize("place", range(len(FRAME)))
def test_a_frame_with_a_wrong_bit_is_none(place: int) -> None:
    broken = bytearray(FRAME)
    broken[place] ^= 0x10

    assert find_frame(REGISTERS, bytes(broken), 256) is None
    assert why_no_frame(REGISTERS, bytes(broken)).isprintable()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("11 03 06 022B 0000 0064 C8BB", "wanted check sum c8 ba, got c8 bb; check baud, parity"),
        ("02 03 02 0007 BD86", "wanted an answer of unit 17, got one of unit 2"),
        ("11 04 02 000A F8F4", "wanted an answer to function 3, got 11 04"),
        ("11 03 02 000A F980", "wanted 6 bytes of HR107 to HR109, got 2"),
        ("00 00 00 00 00 00 00", "wanted an answer of unit 17, got 00 00 00"),
    ],
)
def test_what_is_no_frame_is_explained(data: str, text: str) -> None:
    assert text in why_no_frame(REGISTERS, bytes.fromhex(data))


@given(requests, st.binary(min_size=2, max_size=260))
def test_any_answer_ends_in_cells_or_an_error(asked: Request, pdu: bytes) -> None:
    try:
        cells = parse_answer(asked, pdu)
    except (RefusedError, ValueError):
        return

    assert len(cells) == asked.count


@given(requests, st.binary(max_size=600))
def test_any_noise_is_no_frame_or_one_with_its_check_sum(asked: Request, data: bytes) -> None:
    found = find_frame(asked, data, 256)

    assert found is None or has_crc(found)
    assert why_no_frame(asked, data).isprintable()


@given(st.binary(min_size=7, max_size=7))
def test_any_head_is_one_or_an_error(head: bytes) -> None:
    try:
        _, size, _ = parse_mbap(head)
    except ValueError:
        return

    assert 2 <= size <= 253
