"""The S7 driver and other implementations agree on every type, as client and as server."""

import contextlib
import struct
from collections.abc import Iterator

import pytest
from snap7.server import Server
from snap7.type import SrvArea

from agent.devices.s7 import Options, Tag
from agent.devices.s7.driver import S7
from agent.model import Value
from hw_sim.s7 import DB1_SIZE, DB1_TAGS, DB2_SIZE, DB2_TAGS, DB3_TAGS, S7Simulator
from tests.peers import free_port, missing_snap7_c, snap7_c_client_read, snap7_c_server

TIMEOUT_S = 5.0
TAGS = (*DB1_TAGS, *DB2_TAGS, *DB3_TAGS)
LONG_TEXTS: dict[str, Value] = {
    "tod": "12:00:00.000",
    "ldt": "2025-01-02T13:14:15.000000000",
}  # digits of the type
EXPECTED: dict[str, Value] = {**{tag.name: tag.value for tag in TAGS}, **LONG_TEXTS}
INTEGERS = {
    "BYTE": ">B", "USINT": ">B", "SINT": ">b", "WORD": ">H", "UINT": ">H", "INT": ">h",
    "DWORD": ">I", "UDINT": ">I", "DINT": ">i", "LWORD": ">Q", "ULINT": ">Q", "LINT": ">q",
    "REAL": ">f", "LREAL": ">d",
}  # fmt: skip

pytestmark = pytest.mark.peer
needs_c = pytest.mark.skipif(bool(missing_snap7_c()), reason=missing_snap7_c() or "is there")


def read(port: int, pdu: int = 480) -> dict[str, Value]:
    """All tags, by the driver."""
    tags = tuple(Tag(tag.name, tag.address, tag.type) for tag in TAGS)
    driver = S7(Options("127.0.0.1", port, pdu=pdu, tag=tags), TIMEOUT_S)
    try:
        return dict(driver.read())
    finally:
        driver.close()


def blocks() -> dict[int, bytes]:
    """The simulator's data blocks at their start."""
    with S7Simulator(frozen=True) as plc:
        return {
            1: plc.get_bytes(1, 0, DB1_SIZE),
            2: plc.get_bytes(2, 0, DB2_SIZE),
            3: plc.get_bytes(3, 0, 34),
        }


@contextlib.contextmanager
def python_server(areas: dict[int, bytes]) -> Iterator[int]:
    """python-snap7's own server, on a port that was free a moment ago."""
    port = free_port()
    server = Server(log=False)
    for number, data in areas.items():
        server.register_area(SrvArea.DB, number, bytearray(data))
    server.start_to("127.0.0.1", port)
    try:
        yield port
    finally:
        server.stop()


@needs_c
def test_the_driver_and_the_c_client_read_the_same_from_the_simulator() -> None:
    with S7Simulator(frozen=True) as plc:
        requests = [(tag.area[1], tag.offset, max(len(tag.data), 1)) for tag in TAGS]
        raw = dict(zip(EXPECTED, snap7_c_client_read(plc.port, requests), strict=True))

        values = read(plc.port)

    for tag in TAGS:
        if tag.type in INTEGERS and tag.value is not None:
            assert values[tag.name] == struct.unpack(INTEGERS[tag.type], raw[tag.name])[0]
        elif tag.bit is not None:
            assert values[tag.name] is bool(raw[tag.name][0] >> tag.bit & 1)
        else:
            assert raw[tag.name] == tag.data
    assert values == EXPECTED


@needs_c
@pytest.mark.parametrize("pdu", [240, 480, 960])
def test_the_driver_reads_what_was_put_into_the_c_librarys_server(pdu: int) -> None:
    with snap7_c_server(blocks()) as port:
        assert read(port, pdu) == EXPECTED


@needs_c
def test_the_c_librarys_server_refuses_bad_tags_one_by_one() -> None:
    tags = (Tag("good", "DB1.DBD0:DINT"), Tag("far", "DB1.DBW40:INT"), Tag("no", "DB9.DBW0:INT"))
    with snap7_c_server(blocks()) as port:
        driver = S7(Options("127.0.0.1", port, tag=tags), TIMEOUT_S)

        values = driver.read()
        driver.close()

    assert values == {"good": 123456, "far": None, "no": None}
    assert "(05)" in driver.tag_errors["far"]
    assert "(0A)" in driver.tag_errors["no"]


def test_the_driver_reads_what_was_put_into_the_python_server() -> None:
    with python_server(blocks()) as port:
        assert read(port) == EXPECTED
