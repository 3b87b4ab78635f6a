"""Every fault of the simulated meters does what its name says."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.modbus import ModbusRtuSimulator, ModbusTcpSimulator
from hw_sim.modbus.faults import KNOWN_RTU, KNOWN_TCP, Fault
from hw_sim.modbus.wire import crc, rtu_frame

TIMEOUT_S = 5.0
REQUEST = bytes.fromhex("0007 0000 0006 01 04 0000 0002")
ANSWER = bytes.fromhex("0007 0000 0007 01 04 04 4366 8000")
PDU = ANSWER[7:]


@pytest.fixture
def meter() -> Iterator[ModbusTcpSimulator]:
    with ModbusTcpSimulator(frozen=True) as simulator:
        yield simulator


def ask(meter: ModbusTcpSimulator, *requests: bytes) -> bytes:
    """All that comes back until the line is quiet or closed."""
    with socket.create_connection((meter.host, meter.port), TIMEOUT_S) as client:
        for request in requests:
            client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while piece := client.recv(4096):
            received += piece
        return received


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (None, "0007 0000 0007 01 04 04 4366 8000"),
        ("wrong-unit", "0007 0000 0007 4D 04 04 4366 8000"),
        ("wrong-unit:0", "0007 0000 0007 00 04 04 4366 8000"),
        ("wrong-function", "0007 0000 0007 01 06 04 4366 8000"),
        ("wrong-count", "0007 0000 0007 01 04 06 4366 8000"),
        ("wrong-count:-4", "0007 0000 0007 01 04 00 4366 8000"),
        ("short", "0007 0000 0005 01 04 02 4366"),
        ("long:2", "0007 0000 000B 01 04 08 4366 8000 0000 0000"),
        ("wrong-id", "0107 0000 0007 01 04 04 4366 8000"),
        ("mbap-length", "0007 0000 0000 01 04 04 4366 8000"),
        ("mbap-length:65535", "0007 0000 FFFF 01 04 04 4366 8000"),
        ("protocol-id:7", "0007 0007 0007 01 04 04 4366 8000"),
        ("exception:4", "0007 0000 0003 01 84 04"),
        ("busy", "0007 0000 0003 01 84 06"),
        ("absent:1", "0007 0000 0003 01 84 0B"),
        ("absent:2", "0007 0000 0007 01 04 04 4366 8000"),
        ("mute:1", ""),
        ("silent", ""),
        ("drop", ""),
        ("half-close", "0007 0000 0007"),
        ("late", ""),
        ("frozen", "0007 0000 0007 01 04 04 4366 8000"),
    ],
)
def test_a_fault_shows_in_the_answer(
    meter: ModbusTcpSimulator, fault: str | None, answer: str
) -> None:
    meter.set_fault(fault)

    assert ask(meter, REQUEST) == bytes.fromhex(answer)


def test_a_late_answer_comes_with_the_next_request(meter: ModbusTcpSimulator) -> None:
    meter.set_fault("late")
    ask(meter, REQUEST)

    assert ask(meter, b"\0\x08" + REQUEST[2:]) == ANSWER


def test_swapped_answers_hold_what_was_asked_before(meter: ModbusTcpSimulator) -> None:
    other = bytes.fromhex("0008 0000 0006 01 03 0014 0001")
    meter.set_fault("swapped")

    assert ask(meter, REQUEST, other) == ANSWER + b"\0\x08" + ANSWER[2:]


def test_limits_hold_other_values_of_the_same_size(meter: ModbusTcpSimulator) -> None:
    meter.set_fault("limits")
    everything = bytes.fromhex("0007 0000 0006 01 04 0000 0018")

    answer = ask(meter, everything)

    meter.set_fault(None)
    assert len(answer) == 9 + 48
    assert answer != ask(meter, everything)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("exeption", "did you mean 'exception'?"),
        ("exception:0", "takes a number 1 to 255"),
        ("busy:1", "has no argument"),
        ("crc", "no fault 'crc'"),
    ],
)
def test_a_fault_that_does_not_exist_is_refused(
    meter: ModbusTcpSimulator, fault: str, text: str
) -> None:
    with pytest.raises(ValueError, match=text.replace("?", r"\?")):
        meter.set_fault(fault)


@pytest.mark.parametrize(
    ("fault", "frame"),
    [
        ("crc", rtu_frame(1, PDU)[:-1] + bytes([rtu_frame(1, PDU)[-1] ^ 0x55])),
        ("echo", b"request" + rtu_frame(1, PDU)),
        ("wrong-unit:3", rtu_frame(3, PDU)),
        ("short", rtu_frame(1, bytes.fromhex("04 02 4366"))),
    ],
)
def test_a_fault_shows_in_the_frame(fault: str, frame: bytes) -> None:
    assert Fault(fault, KNOWN_RTU).rtu_frame(1, PDU, b"request") == frame


def test_noise_comes_before_the_frame() -> None:
    frame = Fault("noise:5", KNOWN_RTU).rtu_frame(1, PDU, b"")

    assert frame[5:] == rtu_frame(1, PDU)
    assert frame[-2:] == crc(frame[5:-2])


def test_every_fault_is_explained() -> None:
    assert set(ModbusTcpSimulator.FAULTS) == set(KNOWN_TCP)
    assert set(ModbusRtuSimulator.FAULTS) == set(KNOWN_RTU)
    assert all(each.help for each in (*KNOWN_TCP.values(), *KNOWN_RTU.values()))


def test_a_fault_that_was_set_before_the_start_is_in_force(tmp_path: Path) -> None:
    line = ModbusRtuSimulator(tmp_path / "line")
    line.set_fault("unplug")

    with line:
        assert not Path(line.address).exists()
