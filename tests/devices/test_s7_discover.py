"""Finding PLCs: which slot lets in, what it says of itself, and what is no PLC."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.config import from_tables
from agent.devices import KINDS
from agent.devices.contract import Found
from agent.devices.s7 import KIND
from agent.devices.s7.discover import names_request, parse_names, probe
from agent.errors import DeviceError
from hw_sim.s7 import FAULTS, S7Simulator
from tests.peers import missing_snap7_c, snap7_c_server

GRACE_S = 2.0


def ask(plc: S7Simulator, timeout_s: float = 2.0) -> Found:
    found = probe(plc.host, plc.port, timeout_s)
    assert found is not None
    return found


@pytest.mark.parametrize(("tsaps", "slot"), [(None, 1), ([0x0202], 2), ([0x0203], 3)])
def test_the_slot_is_the_first_that_lets_in(tsaps: list[int] | None, slot: int) -> None:
    with S7Simulator(tsaps=tsaps) as plc:
        found = ask(plc)

        assert (found.where, found.options["slot"]) == (plc.address, slot)
        assert found.facts == {"slot": str(slot), "pdu": "480"}
        assert plc.write_requests == 0


def test_the_options_make_a_table_that_can_be_read() -> None:
    with S7Simulator() as plc:
        table = {"name": "plc", "kind": "s7", **ask(plc).options}
        config = from_tables({"device": [table]}, "test", Path(), KINDS, {})
        driver = KIND.driver(config.devices[0].options, 2.0)

        values = driver.read()
        driver.close()

    assert list(values) == ["example"]


def test_a_plc_that_lets_nobody_in_is_told() -> None:
    with (
        S7Simulator(tsaps=[0x0209]) as plc,
        pytest.raises(DeviceError, match=r"lets nobody in at slots 1, 2, 3"),
    ):
        ask(plc)


def test_a_plc_that_may_not_be_read_says_what_to_tick() -> None:
    with S7Simulator() as plc:
        plc.set_fault("put-get-off")

        note = ask(plc).note

    assert note.startswith("it can't be read yet: function refused by the CPU (8104)")
    assert "PUT/GET" in note


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_ends_in_time_and_writes_nothing(fault: str) -> None:
    clock = SystemClock()
    with S7Simulator() as plc:
        plc.set_fault(fault)
        began_s = clock.monotonic()

        with contextlib.suppress(DeviceError):
            probe(plc.host, plc.port, 0.5)

        assert clock.monotonic() - began_s < 0.5 + GRACE_S
        assert plc.write_requests == 0


@pytest.mark.peer
@pytest.mark.skipif(bool(missing_snap7_c()), reason=missing_snap7_c())
def test_a_cpu_says_its_name_and_type() -> None:
    with snap7_c_server({1: bytes(12)}) as port:
        found = probe("127.0.0.1", port, 5.0)

    assert found is not None
    assert found.facts["station"] == "SNAP7-SERVER"
    assert found.facts["cpu"] == "CPU 315-2 PN/DP"


def answer(*records: tuple[int, bytes]) -> bytes:
    """The S7 part of an answer with these names."""
    body = b"".join(struct.pack(">H32s", index, text) for index, text in records)
    data = struct.pack(">HHHH", 0x001C, 0, 34, len(records)) + body
    parameters = bytes.fromhex("000112 08 12 84 01 01 0000 0000")
    head = struct.pack(">BBHHHH", 0x32, 7, 0, 3, len(parameters), 4 + len(data))
    return head + parameters + struct.pack(">BBH", 0xFF, 9, len(data)) + data


NAMES = answer((1, b"PRESS 4"), (2, b"module"), (7, b"CPU 1214C DC/DC/DC"))


def test_names_are_read_from_the_answer() -> None:
    assert parse_names(NAMES) == {"station": "PRESS 4", "cpu": "CPU 1214C DC/DC/DC"}


def test_of_a_cut_answer_the_whole_names_count() -> None:
    assert parse_names(NAMES[:-1]) == {"station": "PRESS 4"}
    assert parse_names(NAMES[:40]) == {}


def test_names_that_are_none_are_left_out() -> None:
    assert parse_names(answer((1, b""), (7, b"\x1b[2J"))) == {}


@given(st.binary() | st.integers(0, len(NAMES)).map(lambda size: NAMES[:size]))
def test_any_bytes_are_names_or_none(data: bytes) -> None:
    assert set(parse_names(data)) <= {"station", "cpu"}


@given(st.integers(0, len(NAMES) - 1), st.integers(0, 255))
def test_any_wrong_byte_is_survived(at: int, byte: int) -> None:
    parse_names(NAMES[:at] + bytes([byte]) + NAMES[at + 1 :])


def test_the_request_for_names_is_whole() -> None:
    request = names_request()

    assert len(request) == int.from_bytes(request[2:4]) == 33
    assert request[7:9] == b"\x32\x07"
