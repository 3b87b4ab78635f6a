"""The simulated PLC, byte by byte."""

from collections.abc import Iterator

import pytest

from hw_sim.s7 import DB1_TAGS, DB2_TAGS, DB3_TAGS, OTHER_TAGS, S7Simulator, Tag
from tests.hw_sim.raw_s7 import (
    CONFIRM,
    CONNECT,
    DB1_IS,
    READ_DB1,
    SETUP_480,
    SETUP_480_OK,
    RawClient,
    item,
    wanted,
)

NOT_SUPPORTED, WRONG_SIZE = "81 04", "85 00"
BIT, COUNTER, TIMER = 0x01, 0x1C, 0x1D
AREA_CODES = {"I": 0x81, "Q": 0x82, "M": 0x83, "DB": 0x84, "C": 0x1C, "T": 0x1D}


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with S7Simulator(frozen=True, writable=True) as simulator:
        yield simulator


@pytest.fixture
def client(plc: S7Simulator) -> Iterator[RawClient]:
    with RawClient(plc.port) as raw:
        yield raw.set_up()


@pytest.mark.parametrize(
    ("request_bytes", "answer"),
    [
        pytest.param(READ_DB1, DB1_IS, id="V3 whole block"),
        pytest.param(
            "03 00 00 1F 02 F0 80 32 01 00 00 00 02 00 0E 00 00 04 01"
            " 12 0A 10 02 00 04 00 01 84 00 00 30",
            "03 00 00 1D 02 F0 80 32 03 00 00 00 02 00 02 00 08 00 00 04 01"
            " FF 04 00 20 3F A0 00 00",
            id="V4 pressure",
        ),
        pytest.param(
            "03 00 00 37 02 F0 80 32 01 00 00 00 02 00 26 00 00 04 03"
            " 12 0A 10 02 00 04 00 01 84 00 00 00 12 0A 10 02 00 01 00 01 84 00 00 58"
            " 12 0A 10 02 00 04 00 01 84 00 00 30",
            "03 00 00 2B 02 F0 80 32 03 00 00 00 02 00 02 00 16 00 00 04 03"
            " FF 04 00 20 00 01 E2 40 FF 04 00 08 5A 00 FF 04 00 20 3F A0 00 00",
            id="V5 fill byte after the odd item in the middle",
        ),
        pytest.param(
            "03 00 00 1F 02 F0 80 32 01 00 00 00 02 00 0E 00 00 04 01"
            " 12 0A 10 02 00 08 00 01 84 00 00 E0",
            "03 00 00 19 02 F0 80 32 03 00 00 00 02 00 02 00 04 00 00 04 01 05 00 00 00",
            id="V6 beyond the end",
        ),
        pytest.param(
            "03 00 00 24 02 F0 80 32 01 00 00 00 02 00 0E 00 05 05 01"
            " 12 0A 10 02 00 01 00 01 84 00 00 58 00 04 00 08 07",
            "03 00 00 16 02 F0 80 32 03 00 00 00 02 00 02 00 01 00 00 05 01 FF",
            id="V7 write",
        ),
    ],
)
def test_requests_are_answered_byte_for_byte(
    client: RawClient, request_bytes: str, answer: str
) -> None:
    actual = client.ask(request_bytes)

    assert actual == wanted(answer)


def test_connect_and_setup_are_answered_byte_for_byte(plc: S7Simulator) -> None:
    with RawClient(plc.port) as client:
        answers = [client.ask(CONNECT), client.ask(SETUP_480)]

    assert answers == [wanted(CONFIRM), wanted(SETUP_480_OK)]


def test_a_missing_block_is_an_item_error(plc: S7Simulator, client: RawClient) -> None:
    plc.remove_db(2)

    assert client.items(item(2, 0, 4)) == "0a 00 00 00"  # V6


def test_an_odd_item_at_the_end_has_no_fill_byte(client: RawClient) -> None:
    actual = client.items(item(1, 11, 1), item(1, 11, 1))

    assert actual == "ff 04 00 08 5a 00 ff 04 00 08 5a"


def test_one_bad_item_leaves_the_others_good(client: RawClient) -> None:
    actual = client.items(item(9, 0, 1), item(1, 11, 1), item(1, 32, 1), item(1, 0, 1, area=7))

    assert actual == "0a 00 00 00 ff 04 00 08 5a 00 05 00 00 00 06 00 00 00"


@pytest.mark.parametrize(("bit", "value"), [(0, "01"), (1, "00")])
def test_a_bit_is_read_as_a_real_plc_answers(client: RawClient, bit: int, value: str) -> None:
    actual = client.items(item(1, 10, 1, word_length=BIT, bit=bit))

    assert actual == f"ff 03 00 01 {value}"


def test_several_bits_at_once_are_refused(client: RawClient) -> None:
    assert client.items(item(1, 10, 2, word_length=BIT)) == "06 00 00 00"


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (item(0, 4, 4, area=0x83), "ff 04 00 20 42 f7 00 00"),
        (item(0, 0, 2, area=0x81), "ff 04 00 10 01 03"),
        (item(0, 0, 1, area=0x82), "ff 04 00 08 02"),
        (item(0, 1, 1, area=0x1C, word_length=COUNTER), "ff 09 00 02 01 23"),
        (item(0, 1, 1, area=0x1D, word_length=TIMER), "ff 09 00 02 01 27"),
        (item(1, 4, 1, word_length=5), "ff 05 00 10 ff 29"),
        (item(1, 6, 1, word_length=8), "ff 07 00 04 3f a0 00 00"),
    ],
    ids=["M", "I", "Q", "C", "T", "as INT", "as REAL"],
)
def test_every_area_and_word_length_is_served(client: RawClient, read: str, answer: str) -> None:
    assert client.items(read) == answer


@pytest.mark.parametrize("tag", [*DB1_TAGS, *DB2_TAGS, *DB3_TAGS, *OTHER_TAGS], ids=str)
def test_every_tag_is_where_its_address_says(client: RawClient, tag: Tag) -> None:
    area, db = tag.area
    size, word_length, bit = len(tag.data), 2, 0
    if tag.bit is not None:
        size, word_length, bit = 1, BIT, tag.bit
    elif area in "CT":
        size, word_length = 1, AREA_CODES[area]

    answer = client.items(
        item(db, tag.offset, size, area=AREA_CODES[area], word_length=word_length, bit=bit)
    )

    assert bytes.fromhex(answer)[4:] == tag.data


def test_twenty_items_are_read_at_once_and_no_more(client: RawClient) -> None:
    twenty = client.items(*[item(1, 10, 2)] * 20)
    more = client.items(*[item(1, 10, 2)] * 21)

    assert twenty == " ".join(["ff 04 00 10 01 5a"] * 20)
    assert more == WRONG_SIZE


@pytest.mark.parametrize(
    ("wish", "own", "agreed"), [(480, 240, 240), (240, 480, 240), (960, 960, 960), (0, 480, 0)]
)
def test_the_smaller_pdu_wish_is_agreed_on(wish: int, own: int, agreed: int) -> None:
    with S7Simulator(pdu=own) as plc, RawClient(plc.port) as client:
        client.set_up(wish)

        assert plc.pdus_agreed == [agreed]


def test_a_reply_has_to_fit_the_pdu(plc: S7Simulator) -> None:
    plc.set_bytes(4, 0, bytes(300))

    with RawClient(plc.port) as client:
        client.set_up(240)
        fits, exceeds = client.items(item(4, 0, 222)), client.items(item(4, 0, 223))

    assert len(bytes.fromhex(fits)) == 4 + 222
    assert exceeds == WRONG_SIZE


def test_a_request_has_to_fit_the_pdu(plc: S7Simulator) -> None:
    with RawClient(plc.port) as client:
        client.set_up(240)

        assert client.items(*[item(1, 0, 1)] * 20) == WRONG_SIZE


@pytest.mark.parametrize(
    "parameters", ["04 00", "04", "04 02 12 0A 10 02 00 0C 00 01 84 00 00 00", "04 01 12 0A 10"]
)
def test_parameters_that_do_not_add_up_are_a_header_error(
    client: RawClient, parameters: str
) -> None:
    size = len(bytes.fromhex(parameters))

    answer = client.ask(
        f"03 00 00 {17 + size:02x} 02 F0 80 32 01 00 00 00 02 00 {size:02x} 00 00 {parameters}"
    )

    assert answer.endswith(WRONG_SIZE)


@pytest.mark.parametrize(
    "packet",
    [
        "03 00 00 12 02 F0 80 32 01 00 00 00 02 00 01 00 00 29",  # PLC stop
        "03 00 00 12 02 F0 80 32 01 00 00 00 02 00 01 00 00 1E",  # upload
        "03 00 00 15 02 F0 80 32 07 00 00 00 02 00 00 00 04 0A 00 00 00",  # user data
    ],
)
def test_other_functions_are_not_supported(client: RawClient, packet: str) -> None:
    actual = client.ask(packet)

    assert actual == "03 00 00 13 02 f0 80 32 02 00 00 00 02 00 00 00 00 81 04"


def test_nothing_is_read_before_setup(plc: S7Simulator) -> None:
    with RawClient(plc.port) as client:
        client.ask(CONNECT)

        assert client.ask(READ_DB1).endswith(NOT_SUPPORTED)


@pytest.mark.parametrize(
    "noise",
    [
        "47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a",  # GET / HTTP
        "03 00 00 06 00 00",
        "03 00 00 07 FF F0 80",
        "03 00 00 0A 02 F0 80 00 00 00",
        "03 00 00 12 02 F0 80 32 01 00 00 00 02 FF FF 00 00 29",
        "03 00 00 08 03 E0 00 00",
    ],
)
def test_malformed_packets_close_the_connection(plc: S7Simulator, noise: str) -> None:
    with RawClient(plc.port) as client:
        client.send(noise)

        assert client.rest() == b""


def test_a_request_in_two_data_packets_is_put_together(client: RawClient) -> None:
    pdu = READ_DB1[7 * 3 :]

    client.send(f"03 00 00 11 02 F0 00 {pdu[: 10 * 3]}")
    client.send(f"03 00 00 15 02 F0 80 {pdu[10 * 3 :]}")

    assert client.packet() == wanted(DB1_IS)


def test_tsaps_are_kept_and_unknown_ones_refused() -> None:
    with S7Simulator(tsaps={0x0102}) as plc:
        with RawClient(plc.port) as client:
            refused = client.ask(CONNECT)
        with RawClient(plc.port) as client:
            accepted = client.ask(CONNECT.replace("C2 02 01 01", "C2 02 01 02"))

        assert refused == "03 00 00 0b 06 80 00 01 00 00 00"
        assert accepted[5 * 3 :].startswith("d0")
        assert plc.tsaps_seen == [(0x0100, 0x0101), (0x0100, 0x0102)]
