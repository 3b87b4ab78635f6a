"""S7 packets: whole, in pieces, cut short, too long, and garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.s7.wire import (
    Item,
    PlcRefusedError,
    check_connect_reply,
    check_reply,
    connect_request,
    header_error,
    item_error,
    packet_size,
    parse_read,
    parse_setup,
    read_request,
    setup_request,
)

CONNECT = bytes.fromhex("03000016 11E00000000100 C1020100 C2020101 C0010A")
CONNECTED = bytes.fromhex("03000016 11D00001000100 C0010A C1020100 C2020101")
SETUP = bytes.fromhex("03000019 02F080 32010000000100080000 F000000100 0101E0")
SET_UP = bytes.fromhex("0300001B 02F080 320300000001000800000000 F000000100 0101E0")
READ = bytes.fromhex("0300001F 02F080 320100000002000E0000 0401 120A1002000C000184000000")
BLOCK = bytes.fromhex("0001E240FF293FA00000015A")
ANSWER = bytes.fromhex("03000025 02F080 320300000002000200100000 0401 FF040060") + BLOCK
THREE_ITEMS = [Item(0x84, 1, 0, 4), Item(0x84, 1, 11, 1), Item(0x84, 1, 6, 4)]
THREE_READ = bytes.fromhex(
    "03000037 02F080 32010000000300260000 0403"
    "120A10020004000184000000 120A10020001000184000058 120A10020004000184000030"
)
THREE_ANSWERED = bytes.fromhex(
    "320300000003000200160000 0403 FF0400200001E240 FF0400085A00 FF0400203FA00000"
)


def numbered(packet: bytearray, sequence: int) -> bytes:
    packet[11:13] = sequence.to_bytes(2)
    return bytes(packet)


def answer(data: str, count: int = 1, sequence: int = 2) -> bytes:
    """An S7 answer to a read."""
    items = bytes.fromhex(data)
    head = bytes.fromhex("32030000") + sequence.to_bytes(2) + b"\0\2" + len(items).to_bytes(2)
    return head + bytes([0, 0, 4, count]) + items


# Requests are the bytes that other implementations send, answers are what they sent.


def test_v1_the_connect_request_carries_both_tsaps() -> None:
    assert connect_request(0x0100, 0x0101) == CONNECT


def test_v1_a_connect_confirm_is_accepted() -> None:
    check_connect_reply(CONNECTED)


def test_v2_the_setup_wishes_for_its_pdu() -> None:
    assert numbered(setup_request(480), 1) == SETUP


def test_v2_the_setup_answer_says_the_pdu() -> None:
    assert parse_setup(SET_UP[7:], 480) == 480


def test_v3_a_block_is_read_as_bytes() -> None:
    assert numbered(read_request([Item(0x84, 1, 0, 12)]), 2) == READ


def test_v3_the_answer_holds_the_bytes() -> None:
    pdu = ANSWER[7:]

    check_reply(pdu, 2)

    assert [pdu[at : at + 12] for at in parse_read(pdu, [12])] == [BLOCK]


def test_v4_the_address_of_an_item_counts_bits() -> None:
    request = read_request([Item(0x84, 1, 6, 4)])

    assert request[-12:] == bytes.fromhex("120A10020004000184000030")


def test_v5_three_items_travel_together() -> None:
    assert numbered(read_request(THREE_ITEMS), 3) == THREE_READ


def test_v5_an_odd_item_is_followed_by_a_fill_byte() -> None:
    starts = parse_read(THREE_ANSWERED, [4, 1, 4])

    assert [THREE_ANSWERED[at] for at in starts] == [0x00, 0x5A, 0x3F]


@pytest.mark.parametrize("code", [0x0A, 0x05, 0x03])
def test_v6_a_failed_item_is_its_code_and_its_neighbours_are_read(code: int) -> None:
    pdu = answer(f"{code:02X}000000 FF0400085A", count=2)

    assert parse_read(pdu, [12, 1]) == [-code, 22]


def test_v7_the_answer_to_a_write_is_no_answer_to_a_read() -> None:
    pdu = bytes.fromhex("320300000002000200010000 0501FF")

    check_reply(pdu, 2)

    with pytest.raises(ValueError, match="wanted an answer with 1 items"):
        parse_read(pdu, [1])


def test_counters_and_timers_are_read_by_number() -> None:
    request = read_request([Item(0x1C, 0, 5, 2), Item(0x1D, 0, 7, 2)])

    assert request[-24:] == bytes.fromhex("120A101C000100001C000005 120A101D000100001D000007")


@pytest.mark.parametrize(
    ("data", "size"),
    [("FF0900020123", 2), ("FF0400100123", 2), ("FF0300080100", 1), ("FF0700043FA00000", 4)],
)
def test_lengths_count_bits_or_bytes_as_the_item_says(data: str, size: int) -> None:
    assert parse_read(answer(data), [size]) == [18]


def test_a_code_of_zero_is_an_error_too() -> None:
    (code,) = parse_read(answer("00000000"), [2])

    assert item_error(-code, "DB1") == "the PLC answered with error 00"


@pytest.mark.parametrize(
    ("data", "count", "text"),
    [
        ("FF040060", 1, "wanted an item of 12 bytes, got ff 04 00 60"),
        ("FF040060" + BLOCK.hex()[:-2], 1, "wanted an item of 12 bytes"),
        ("FF040060" + BLOCK.hex() + "0000", 1, "wanted 30 bytes of items, got 32"),
        ("FF040058" + BLOCK.hex()[:-2], 1, "wanted an item of 12 bytes"),
        ("FF04FFFF" + BLOCK.hex(), 1, "wanted an item of 12 bytes"),
        ("", 1, "wanted item 1 of 1"),
        ("FF0400", 1, "wanted item 1 of 1"),
        ("FF040060" + BLOCK.hex(), 2, "wanted an answer with 1 items"),
    ],
)
def test_items_of_another_length_are_refused(data: str, count: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_read(answer(data, count), [12])


@pytest.mark.parametrize(
    ("pdu", "text"),
    [
        ("3203", "12 bytes or more, got 32 03"),
        ("320100000002000200000000 0401", "wanted an S7 answer"),
        ("720300000002000200000000 0401", "wanted an S7 answer"),
        ("320300000001000200000000 0401", "the answer to request 2, got that to 1"),
        ("320300000002000200100000 0401", "wanted 30 bytes of answer, got 14"),
    ],
)
def test_another_answer_is_refused(pdu: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        check_reply(bytes.fromhex(pdu), 2)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("8104", "tick 'Permit access with PUT/GET communication from remote partner'"),
        ("D241", "protection level"),
        ("D0A1", "protection level"),
        ("8500", "lower 'pdu' to 240"),
        ("8304", "error 8304"),
    ],
)
def test_an_error_answer_says_what_to_do(error: str, text: str) -> None:
    pdu = bytes.fromhex("320200000002 0000 0000" + error)

    with pytest.raises(PlcRefusedError, match=text):
        check_reply(pdu, 2)


@pytest.mark.parametrize(
    ("code", "block", "text"),
    [
        (0x0A, "DB7", "check number and length of DB7; in TIA Portal 'Optimized block access'"),
        (0x05, "DB7", "check number and length of DB7; in TIA Portal 'Optimized block access'"),
        (0x05, "area of memory", "check the size of the area of memory"),
        (0x0A, "area of counters", "has this CPU an area of counters?"),
        (0x03, "DB7", "PUT/GET"),
        (0x06, "DB7", "type"),
        (0x01, "DB7", "hardware fault"),
        (0x77, "DB7", "error 77"),
    ],
)
def test_an_item_error_says_what_to_do(code: int, block: str, text: str) -> None:
    assert text in item_error(code, block)


@pytest.mark.parametrize("text", [header_error(0x81, 0x04), item_error(0x0A, "DB1")])
def test_error_texts_are_one_line_without_a_full_stop(text: str) -> None:
    assert "\n" not in text
    assert not text.endswith(".")


@pytest.mark.parametrize("size", [0, 63, 481, 65535])
def test_a_pdu_outside_64_to_the_wish_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="wanted a PDU of 64 to 480 bytes"):
        parse_setup(SET_UP[7:-2] + size.to_bytes(2), 480)


def test_a_disconnect_is_no_connection() -> None:
    with pytest.raises(ConnectionAbortedError, match="reason 02"):
        check_connect_reply(bytes.fromhex("0300000B 06800001000002"))


@pytest.mark.parametrize(
    "packet",
    [
        "0300000B 06E00001000100",
        "03000007 02F080",
        "0300000F 0AD00001000100 C0010A C1",
        "0300000E 09D00001000100 C00107",
        "0300000D 08D00001000100 C001",
    ],
)
def test_a_reply_that_is_no_connect_confirm_is_refused(packet: str) -> None:
    with pytest.raises(ValueError, match="wanted"):
        check_connect_reply(bytes.fromhex(packet))


@pytest.mark.parametrize("head", ["48545450", "03000006", "0300FFFF"])
def test_a_packet_of_another_protocol_or_size_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="wanted a packet"):
        packet_size(bytes.fromhex(head), 487)


@given(st.binary(max_size=100), st.lists(st.integers(1, 40), max_size=20))
def test_any_bytes_are_an_answer_or_an_error(data: bytes, sizes: list[int]) -> None:
    pdu = answer(data.hex(), len(sizes) % 256)

    try:
        starts = parse_read(pdu, sizes)
    except ValueError:
        return

    assert all(
        start < 0 or start + size <= len(pdu) for start, size in zip(starts, sizes, strict=True)
    )


@given(st.binary(max_size=60))
def test_any_bytes_are_a_reply_or_an_error(data: bytes) -> None:
    for check in (
        check_connect_reply,
        lambda packet: check_reply(packet, 2),
        lambda packet: parse_setup(packet, 480),
    ):
        try:
            check(data)
        except (ValueError, ConnectionAbortedError, PlcRefusedError):
            continue
