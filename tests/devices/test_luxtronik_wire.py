"""The heat pump's bytes: every vector, whole, in pieces, cut short, too long, and garbage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.luxtronik.wire import (
    CALCULATIONS,
    PARAMETERS,
    VISIBILITIES,
    Table,
    parse_head,
    parse_values,
)
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.luxtronik.profiles import CAPTURED
from tests.devices.kinds import try_read
from tests.devices.luxtronik_replay import answers, replayed

SHORT_REPLY = (
    bytes.fromhex("00000BBC 00000000 0000000C") + bytes(40) + bytes.fromhex("000001560000012A")
)


@pytest.mark.parametrize(
    ("table", "request_bytes"),
    [
        (PARAMETERS, "00 00 0b bb 00 00 00 00"),
        (CALCULATIONS, "00 00 0b bc 00 00 00 00"),
        (VISIBILITIES, "00 00 0b bd 00 00 00 00"),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else "",
)
def test_a_request_is_its_command_and_a_zero(table: Table, request_bytes: str) -> None:
    assert table.request.hex(" ") == request_bytes


def test_a_short_reply_of_calculations_gives_what_it_has() -> None:
    driver = replayed({3004: SHORT_REPLY}, parameters=False, visibilities=False, min_values=12)

    values = driver.read()

    assert len(values) == 12
    assert values["calculations.ID_WEB_Temperatur_TVL"] == 34.2
    assert values["calculations.ID_WEB_Temperatur_TRL"] == 29.8


@pytest.mark.parametrize(
    ("index", "data", "name", "value"),
    [
        (19, "FF FF FE 0C", "calculations.ID_WEB_Temperatur_TWE", -50.0),
        (15, "FF FF FF D0", "calculations.ID_WEB_Temperatur_TA", -4.8),
        (91, "C0 A8 2A 04", "calculations.ID_WEB_AdresseIP_akt", "192.168.42.4"),
    ],
)
def test_signed_numbers_are_decoded(index: int, data: str, name: str, value: object) -> None:
    (raw,) = struct.unpack(">i", bytes.fromhex(data))

    values = replayed(answers({index: raw})).read()

    assert values[name] == value


def test_visibilities_are_one_byte_each() -> None:
    reply = bytes.fromhex("00 00 0B BD 00 00 00 05 01 01 00 00 01")

    values = parse_values(VISIBILITIES, reply[8:])

    assert parse_head(VISIBILITIES, reply[4:8]) == (0, 5)
    assert values == (1, 1, 0, 0, 1)


def test_an_empty_reply_of_three_parameters_lacks_its_values() -> None:
    script = {**answers({}), 3003: bytes.fromhex("00000BBB 00000003")}

    with pytest.raises(DeviceError, match=r"\(parameters\): .* after 0 of 12 bytes"):
        replayed(script).read()


@pytest.mark.parametrize(
    ("table", "head", "count"),
    [
        (PARAMETERS, "00 00 04 3E", 1086),
        (CALCULATIONS, "00 00 00 00 00 00 00 C8", 200),
        (VISIBILITIES, "00 00 01 50", 336),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else "",
)
def test_the_heads_of_the_captured_unit_are_read(table: Table, head: str, count: int) -> None:
    assert parse_head(table, bytes.fromhex(head)) == (0, count)


def test_the_replies_of_the_captured_unit_have_their_sizes() -> None:
    script = answers([CAPTURED.get(index, 0) for index in range(200)])

    assert [len(script[command]) for command in (3003, 3004, 3005)] == [4352, 812, 344]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1001, 4096])
def test_an_answer_may_come_in_any_pieces(size: int) -> None:
    script = answers(range(-100, 175), range(-500, 687), [index % 3 - 1 for index in range(398)])

    whole = replayed(script, values="raw").read()
    pieces = replayed(script, size, values="raw").read()

    assert pieces == whole
    assert list(whole.values())[275:278] == [-500, -499, -498]
    assert list(whole.values())[-1] == 397 % 3 - 1


@pytest.mark.parametrize("size", [1, 3, 4, 7, 8, 11, 12, 15, 811])
def test_an_answer_that_is_cut_short_is_an_error(size: int) -> None:
    script = answers(range(200))
    script[3004] = script[3004][:size]

    with pytest.raises(DeviceError) as caught:
        replayed(script).read()

    wanted = 4 if size < 4 else 8 if size < 12 else 800
    before = 0 if size < 4 else 4 if size < 12 else 12
    assert str(caught.value) == (
        "reading pump:8889 (calculations): the device closed the connection after "
        f"{size - before} of {wanted} bytes"
    )


def test_an_answer_that_is_too_long_is_an_error() -> None:
    script = answers(range(200))
    script[3004] += b"\0\1"

    with pytest.raises(DeviceError, match=r"wanted 200 calculations, got more bytes .*: 00 01$"):
        replayed(script).read()


@pytest.mark.parametrize("count", [0, -1, 10001, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("table", [CALCULATIONS, PARAMETERS, VISIBILITIES], ids=lambda t: t.name)
def test_a_count_that_cant_be_is_refused(table: Table, count: int) -> None:
    script = answers({})
    at = table.head_size - 4
    script[table.command] = script[table.command][:at] + struct.pack(">i", count)

    with pytest.raises(DeviceError) as caught:
        replayed(script).read()

    hint = "; the controller may be starting" if count <= 0 else ""
    assert str(caught.value) == (
        f"reading pump:8889 ({table.name}): wanted 1 to 10000 {table.name}, got {count}{hint}"
    )
    assert caught.value.reason is Reason.BAD_DATA


def test_the_answer_to_another_request_is_refused() -> None:
    script = answers({})
    script[3003] = script[3004]

    with pytest.raises(DeviceError) as caught:
        replayed(script).read()

    assert str(caught.value) == (
        "reading pump:8889 (parameters): wanted the answer to 3003 (00 00 0b bb), "
        "got the answer to 3004"
    )


def test_something_else_at_the_port_is_told_with_the_ports() -> None:
    with pytest.raises(DeviceError) as caught:
        replayed({3004: b"HTTP/1.1 400 Bad Request\r\n"}).read()

    assert str(caught.value) == (
        "reading pump:8889 (calculations): wanted the answer to 3004 (00 00 0b bc), "
        "got 48 54 54 50; is this a Luxtronik? newer ones listen at port 8889, older ones at 8888"
    )


@given(st.binary(max_size=300), st.sampled_from([3004, 3003, 3005]), st.integers(1, 50))
def test_any_bytes_end_in_values_or_a_device_error(data: bytes, command: int, size: int) -> None:
    script = answers(range(200), range(20), range(20))
    head = script[command][: 12 if command == 3004 else 8]
    for answer in (data, head + data, head[:-4] + data):
        result = try_read(replayed({**script, command: answer}, size))
        assert str(result).isprintable()
        assert isinstance(result, DeviceError) or len(result) >= 100


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=100, max_size=300))
def test_any_numbers_are_values_of_their_types(numbers: list[int]) -> None:
    driver = replayed(answers(numbers))

    values = driver.read()

    types = {metric.name: metric.type.value for metric in driver.metrics}
    names = {float: "float", int: "int", bool: "bool", str: "text"}
    assert [names[type(value)] for value in values.values()] == list(types.values())
