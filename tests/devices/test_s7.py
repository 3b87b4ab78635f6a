"""The S7 driver against the simulated PLC."""

from collections.abc import Iterator

import pytest

from agent.devices.s7 import KIND, Options, Tag
from agent.devices.s7.driver import RETRY_EVERY, S7
from agent.errors import ConfigError, DeviceError
from agent.model import Reason
from hw_sim.s7 import DB1_TAGS, DB2_TAGS, DB3_TAGS, OTHER_TAGS, S7Simulator

TIMEOUT_S = 2.0
COURSE = tuple(Tag(tag.name, tag.address, tag.type) for tag in DB1_TAGS)
BEYOND = Tag("beyond", "DB1.DBD40:REAL")  # DB1 ends at byte 32
LONG_TEXTS = {"tod": "12:00:00.000", "ldt": "2025-01-02T13:14:15.000000000"}  # digits of the type


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with S7Simulator(frozen=True) as simulator:
        yield simulator


def make(plc: S7Simulator, *tags: Tag, timeout_s: float = TIMEOUT_S, **options: object) -> S7:
    made = Options(plc.host, plc.port, tag=tags or COURSE, **options)  # type: ignore[arg-type]
    return S7(made, timeout_s)


@pytest.fixture
def driver(plc: S7Simulator) -> Iterator[S7]:
    made = make(plc)
    yield made
    made.close()


def test_the_values_of_the_course_are_read_in_the_order_of_the_tags(driver: S7) -> None:
    values = driver.read()

    assert list(values.items()) == [
        ("counter", 123456),
        ("temperature", -215),
        ("pressure", 1.25),
        ("alarm", True),
        ("mode_ro", 90),
    ]


def test_every_type_and_area_is_read_in_one_request(plc: S7Simulator) -> None:
    known = (*DB1_TAGS, *DB2_TAGS, *DB3_TAGS, *OTHER_TAGS)
    driver = make(plc, *(Tag(tag.name, tag.address, tag.type) for tag in known))

    values = driver.read()

    assert values == {tag.name: tag.value for tag in known} | LONG_TEXTS
    assert plc.requests == 1
    driver.close()


def test_scale_and_offset_are_applied(plc: S7Simulator) -> None:
    driver = make(plc, Tag("t", "DB1.DBW4:INT", scale=0.1, offset=273.15))

    assert driver.read() == {"t": 251.65}

    driver.close()


def test_one_connection_serves_all_reads(plc: S7Simulator, driver: S7) -> None:
    for _ in range(3):
        driver.read()

    assert plc.tsaps_seen == [(0x0100, 0x0201)]
    assert plc.pdus_agreed == [480]
    assert plc.requests == 3


def test_given_tsaps_and_pdu_are_used(plc: S7Simulator) -> None:
    driver = make(plc, local_tsap="10.00", remote_tsap="0x2000", pdu=240)

    driver.read()
    driver.close()

    assert plc.tsaps_seen == [(0x1000, 0x2000)]
    assert plc.pdus_agreed == [240]


def test_bad_tags_make_no_driver() -> None:
    with pytest.raises(ConfigError, match="tag 'a'"):
        S7(Options("192.0.2.1", tag=(Tag("a", "DB1.DBD6"),)), TIMEOUT_S)


def test_the_kind_makes_the_driver(plc: S7Simulator) -> None:
    driver = KIND.driver(KIND.options(plc.host, plc.port, tag=COURSE), KIND.timeout_s)

    assert driver.read()["counter"] == 123456

    driver.close()


def test_a_tag_beyond_the_end_is_none_and_its_neighbours_are_read(plc: S7Simulator) -> None:
    driver = make(plc, *COURSE, BEYOND)

    values = driver.read()

    assert values["beyond"] is None
    assert values["mode_ro"] == 90
    assert (
        "address out of range (05): check number and length of DB1" in (driver.tag_errors["beyond"])
    )
    driver.close()


def test_a_bad_tag_costs_extra_requests_only_once(plc: S7Simulator) -> None:
    driver = make(plc, *COURSE, BEYOND)
    driver.read()
    before = plc.requests

    for _ in range(3):
        driver.read()

    assert plc.requests - before == 3
    driver.close()


def test_a_bad_tag_is_tried_again_after_a_number_of_reads(plc: S7Simulator) -> None:
    driver = make(plc, *COURSE, BEYOND)
    driver.read()
    plc.set_bytes(1, 40, bytes.fromhex("3FA00000"))

    before = [driver.read()["beyond"] for _ in range(RETRY_EVERY - 2)]
    after = [driver.read()["beyond"] for _ in range(2)]

    assert set(before) == {None}
    assert after == [1.25, 1.25]
    assert driver.tag_errors == {}
    driver.close()


def test_a_bad_tag_is_tried_again_after_reconnecting(plc: S7Simulator) -> None:
    driver = make(plc, *COURSE, BEYOND)
    driver.read()
    plc.set_bytes(1, 40, bytes.fromhex("3FA00000"))

    driver.close()

    assert driver.read()["beyond"] == 1.25
    driver.close()


def test_a_block_that_is_deleted_while_running_costs_only_its_tags(plc: S7Simulator) -> None:
    driver = make(plc, *COURSE, Tag("a", "DB2.DBW10:INT"), Tag("b", "DB2.DBD24:REAL"))
    driver.read()

    plc.remove_db(2)
    values = driver.read()

    assert (values["a"], values["b"], values["counter"]) == (None, None, 123456)
    assert "object does not exist (0A): check number and length of DB2" in driver.tag_errors["a"]
    driver.close()


def test_bytes_that_are_no_value_are_none_and_named(plc: S7Simulator) -> None:
    driver = make(plc, Tag("nan", "DB3.DBD0:REAL"), COURSE[0])

    values = driver.read()

    assert values == {"nan": None, "counter": 123456}
    assert driver.tag_errors == {"nan": "DB3.DBD0:REAL: wanted a valid REAL, got 7f c0 00 00"}
    driver.close()


def test_invalid_bytes_that_change_at_each_read_are_one_warning(plc: S7Simulator) -> None:
    driver = make(plc, Tag("built", "DB4.DBB0:DATE_AND_TIME"), COURSE[0])
    warned = []

    for tick in range(30):
        plc.set_bytes(4, 0, bytes.fromhex("25000213141512") + bytes([tick]))
        driver.read()
        warned.append(list(driver.warnings()))

    assert warned == [["built: DB4.DBB0:DT: wanted a valid DT"]] * 30
    assert driver.tag_errors["built"].endswith("got 25 00 02 13 14 15 12 1d")
    assert driver.describe()[2].endswith("got 25 00 02 13 14 15 12 1d")
    driver.close()


def test_a_device_of_which_no_tag_can_be_read_fails_with_advice(plc: S7Simulator) -> None:
    driver = make(plc, Tag("a", "DB9.DBW0:INT"), Tag("b", "DB9.DBW2:INT"))

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value) == (
        f"reading {plc.address}: no tag could be read: DB9.DBW0:INT: object does not exist (0A): "
        "check number and length of DB9; in TIA Portal 'Optimized block access' must be off for "
        "it, then compile and download"
    )
    assert caught.value.reason is Reason.REFUSED


def test_a_text_longer_than_an_answer_is_read_in_pieces(plc: S7Simulator) -> None:
    text = "".join(chr(33 + i % 90) for i in range(254))
    plc.set_bytes(5, 0, b"\x00\x07\xfe\xfe" + text.encode() + b"\x00\x09")
    tags = (Tag("a", "DB5.DBW0:INT"), Tag("s", "DB5.DBB2:STRING"), Tag("b", "DB5.DBW258:INT"))
    driver = make(plc, *tags, pdu=240)

    values = driver.read()

    assert values == {"a": 7, "s": text, "b": 9}
    warnings = driver.warnings()
    driver.close()
    assert "DB5 needs more than one request, so its values are not of one moment" in warnings
    assert "s is longer than one answer: its pieces may be of two moments" in warnings


def test_a_long_text_beyond_the_end_is_none(plc: S7Simulator) -> None:
    driver = make(plc, *COURSE, Tag("s", "DB2.DBB0:STRING"), pdu=240)

    values = driver.read()

    assert values["s"] is None
    assert values["counter"] == 123456
    assert "DB2.DBB0:STRING[254]: address out of range" in driver.tag_errors["s"]
    driver.close()


def test_describe_shows_the_connection_and_addresses_that_no_help_shows(plc: S7Simulator) -> None:
    alarm = Tag("alarm", "%db1.dbx10.0", help="Oil is hot")
    driver = make(plc, Tag("pressure", "DB1,REAL6"), alarm)
    driver.read()

    assert driver.describe() == [
        f"S7 at {plc.address}, TSAP 0100 to 0201, PDU 480 bytes",
        "2 tags, 5 bytes in 1 request a poll",
        "alarm: DB1.DBX10.0:BOOL",
    ]
    driver.close()
