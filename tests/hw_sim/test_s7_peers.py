"""Clients that others wrote read the simulated PLC, and get the values of its tables."""

import re
from collections.abc import Iterator

import pytest
from snap7.client import Client
from snap7.type import Area

from hw_sim.s7 import DB1_TAGS, DB2_SIZE, DB2_TAGS, DB3_TAGS, S7Simulator, Tag
from tests.peers import missing_nodes7, missing_snap7_c, nodes7_read, snap7_c_client_read

pytestmark = pytest.mark.peer
needs_snap7_c = pytest.mark.skipif(bool(missing_snap7_c()), reason=missing_snap7_c())
needs_nodes7 = pytest.mark.skipif(bool(missing_nodes7()), reason=missing_nodes7())

DB1 = bytes.fromhex("0001E240 FF29 3FA00000 01 5A")
NODES7_TYPES = {  # what nodes7 calls the types that it knows
    "BOOL": "X",
    "BYTE": "BYTE",
    "CHAR": "CHAR",
    "WORD": "WORD",
    "INT": "INT",
    "DWORD": "DWORD",
    "DINT": "DINT",
    "REAL": "REAL",
    "LREAL": "LREAL",
    "STRING[10]": "S",
}


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with S7Simulator(frozen=True) as simulator:
        yield simulator


def whole_bytes(tags: tuple[Tag, ...]) -> list[Tag]:
    return [tag for tag in tags if tag.bit is None]


def in_nodes7(tag: Tag) -> str:
    """``DB2.DBB60``, STRING[10] → ``DB2,S60.10``."""
    name = f"DB{tag.area[1]},{NODES7_TYPES[tag.type]}{tag.offset}"
    if tag.bit is not None:
        return f"{name}.{tag.bit}"
    length = re.search(r"\[(\d+)\]", tag.type)
    return f"{name}.{length[1]}" if length else name


@needs_snap7_c
def test_the_c_library_reads_every_value(plc: S7Simulator) -> None:
    tags = whole_bytes((*DB2_TAGS, *DB3_TAGS))
    requests = [(tag.area[1], tag.offset, len(tag.data)) for tag in tags]

    first, whole, *values = snap7_c_client_read(plc.port, [(1, 0, 12), (2, 0, DB2_SIZE), *requests])

    assert first == DB1
    assert whole == plc.get_bytes(2, 0, DB2_SIZE)
    assert values == [tag.data for tag in tags]
    assert plc.write_requests == 0


@needs_snap7_c
@pytest.mark.parametrize("pdu", [112, 240, 480, 960])
def test_the_c_library_reads_a_long_block_in_pieces(pdu: int) -> None:
    content = bytes(range(256)) * 8
    with S7Simulator(pdu=pdu) as plc:
        plc.set_bytes(4, 0, content)

        read = snap7_c_client_read(plc.port, [(4, 0, len(content))])

    assert read == [content]


@needs_snap7_c
@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("missing-db", "CPU : Item not available"),
        ("put-get-off", "CLI : function refused by CPU (Unknown error)"),
    ],
)
def test_the_c_library_reports_refusals_as_of_a_real_plc(
    plc: S7Simulator, fault: str, text: str
) -> None:
    plc.set_fault(fault)

    with pytest.raises(RuntimeError, match=re.escape(text)):
        snap7_c_client_read(plc.port, [(1, 0, 12)])


@needs_nodes7
def test_nodes7_reads_and_decodes_the_tags(plc: S7Simulator) -> None:
    tags = {in_nodes7(tag): tag.value for tag in (*DB1_TAGS, *DB2_TAGS) if tag.type in NODES7_TYPES}

    values = nodes7_read(plc.port, list(tags))

    assert values == tags


@needs_nodes7
def test_nodes7_reads_with_a_small_pdu() -> None:
    with S7Simulator(frozen=True, pdu=240) as plc:
        values = nodes7_read(plc.port, ["DB1,REAL6", "DB2,INT10", "MR4", "IB1"])

    assert values == {"DB1,REAL6": 1.25, "DB2,INT10": -215, "MR4": 123.5, "IB1": 3}


def test_python_snap7_reads_every_area(plc: S7Simulator) -> None:
    client = Client()
    client.connect("127.0.0.1", 0, 1, plc.port)
    try:
        blocks = [bytes(client.db_read(1, 0, 12)), bytes(client.db_read(2, 0, DB2_SIZE))]
        marker = bytes(client.read_area(Area.MK, 0, 4, 4))
        inputs_outputs = bytes(client.eb_read(0, 2)) + bytes(client.ab_read(0, 1))
        counted = bytes(client.ct_read(1, 1)) + bytes(client.tm_read(1, 1))
        size = client.get_pdu_length()
    finally:
        client.disconnect()

    assert blocks == [DB1, plc.get_bytes(2, 0, DB2_SIZE)]
    assert marker.hex() == "42f70000"
    assert inputs_outputs.hex() == "010302"
    assert counted.hex() == "01230127"
    assert size == 480
    assert plc.tsaps_seen == [(0x0100, 0x0101)]
