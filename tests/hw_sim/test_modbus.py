"""The simulated meters as raw bytes show them."""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.modbus import POINTS, ModbusRtuSimulator, ModbusTcpSimulator, Write, encode
from hw_sim.modbus.wire import crc, rtu_frame

TIMEOUT_S = 5.0
VOLTAGE = "04 0000 0002"
VOLTAGE_IS = "04 04 4366 8000"  # 230.5


class Clock:
    """Moves when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Client:
    """Sends what it is told, and reads whole answers."""

    def __init__(self, meter: ModbusTcpSimulator) -> None:
        self.socket = socket.create_connection((meter.host, meter.port), TIMEOUT_S)
        self._transaction = 0

    def ask(self, pdu: str, unit_id: int = 1) -> str:
        """The answer in hex, without its head, which must fit."""
        data = bytes.fromhex(pdu)
        self._transaction += 1
        head = struct.pack(">HHHB", self._transaction, 0, len(data) + 1, unit_id)
        self.socket.sendall(head + data)
        transaction, protocol, length, unit = struct.unpack(">HHHB", self.receive(7))
        assert (transaction, protocol, unit) == (self._transaction, 0, unit_id)
        return self.receive(length - 1).hex()

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data


@pytest.fixture
def meter() -> Iterator[ModbusTcpSimulator]:
    with ModbusTcpSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def client(meter: ModbusTcpSimulator) -> Iterator[Client]:
    made = Client(meter)
    with made.socket:
        yield made


def plain(text: str) -> str:
    return bytes.fromhex(text).hex()


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (VOLTAGE, VOLTAGE_IS),
        ("03 0000 0004", "03 08 0000 001C BE99 1A14"),
        ("03 0014 0001", "03 02 0064"),
        ("01 0000 0003", "01 01 05"),
        ("02 0000 0002", "02 01 02"),
        ("04 001F 0001", "04 02 7FFF"),
        # what does not exist, and what no device answers
        ("04 0018 0001", "84 02"),
        ("04 0017 0002", "84 02"),
        ("03 FFFF 0002", "83 02"),
        ("01 0003 0001", "81 02"),
        ("03 0000 0000", "83 03"),
        ("03 0000 007E", "83 03"),
        ("01 0000 07D1", "81 03"),
        ("03 0000", "83 03"),
        ("07", "87 01"),
        ("2B 0E 01 00", "AB 01"),
        # writes, which are refused
        ("05 0000 FF00", "85 01"),
        ("06 0014 0001", "86 01"),
        ("0F 0000 0003 01 07", "8F 01"),
        ("10 0014 0001 02 0001", "90 01"),
        ("16 0014 0000 0000", "96 01"),
        ("17 0000 0001 0014 0001 02 0001", "97 01"),
    ],
)
def test_a_request_gets_the_answer_of_the_specification(
    client: Client, request_: str, answer: str
) -> None:
    assert client.ask(request_) == plain(answer)


def test_units_have_numbers_of_their_own_and_those_that_are_not_there_are_named(
    client: Client,
) -> None:
    answers = [client.ask("03 0012 0002", unit_id) for unit_id in (1, 2, 3)]

    assert answers == [plain("03 04 0135 24A1"), plain("03 04 0135 24A2"), plain("83 0B")]


def test_writes_are_counted_also_when_they_are_refused(
    meter: ModbusTcpSimulator, client: Client
) -> None:
    for number in (5, 6, 15, 16, 22, 23):
        client.ask(f"{number:02x} 0014 0001")

    assert meter.write_requests == 6
    assert meter.get_cells("HR", 20, 1) == [100]


def test_a_writable_meter_applies_what_may_be_written() -> None:
    told: list[Write] = []
    with ModbusTcpSimulator(frozen=True, writable=True, on_write=told.append) as meter:
        client = Client(meter)
        with client.socket:
            answers = [
                client.ask("06 0014 0032"),
                client.ask("16 0014 00F0 0001"),
                client.ask("0F 0000 0003 01 06"),
                client.ask("06 0000 0032"),
                client.ask("05 0001 1234"),
                client.ask("10 0014 0002 02 0001"),
            ]

        assert answers == [
            plain("06 0014 0032"),
            plain("16 0014 00F0 0001"),
            plain("0F 0000 0003"),
            plain("86 02"),
            plain("85 03"),
            plain("90 03"),
        ]
        assert meter.get_cells("HR", 20, 1) == [0x31]
        assert meter.get_cells("CO", 0, 3) == [0, 1, 1]
    assert [write.code for write in told] == [0, 0, 0, 2, 3, 3]
    assert told[0].describe() == "write to unit 1, function 6: 00 14 00 32"


@pytest.mark.parametrize("head", ["0001 0001 0006 01", "0001 0000 0000 01", "0001 0000 FFFF 01"])
def test_a_head_that_is_none_ends_the_connection(client: Client, head: str) -> None:
    client.socket.sendall(bytes.fromhex(head) + bytes(5))

    with contextlib.suppress(ConnectionResetError):
        assert client.socket.recv(100) == b""


def test_several_clients_are_served_at_once(meter: ModbusTcpSimulator) -> None:
    clients = [Client(meter) for _ in range(5)]

    answers = [client.ask(VOLTAGE) for client in clients]

    for client in clients:
        client.socket.close()
    assert answers == [plain(VOLTAGE_IS)] * 5


def test_the_same_seed_makes_the_same_values_and_another_others() -> None:
    def values(seed: int) -> list[int]:
        clock = Clock()
        with ModbusTcpSimulator(seed=seed, clock=clock) as meter:
            clock.now_s = 10.0
            return meter.get_cells("IR", 0, 24)

    assert values(1) == values(1)
    assert values(1) != values(2)


def test_energy_only_rises_and_voltages_stay_plausible() -> None:
    clock = Clock()
    energies, volts = [], []
    with ModbusTcpSimulator(clock=clock) as meter:
        for step in range(50):
            clock.now_s = step * 10.0
            words = struct.pack(">4H", *meter.get_cells("HR", 0, 4))
            energies.append(int.from_bytes(words))
            volts.append(struct.unpack(">f", struct.pack(">2H", *meter.get_cells("IR", 0, 2)))[0])

    assert energies == sorted(energies)
    assert energies[-1] - energies[0] == pytest.approx(1770 * 490 / 3600, rel=0.1)
    assert all(225 < volt < 236 for volt in volts)
    assert len(set(volts)) > 40


def test_a_frozen_meter_holds_what_the_register_map_says() -> None:
    clock = Clock()
    with ModbusTcpSimulator(frozen=True, clock=clock) as meter:
        clock.now_s = 3600.0

        found = {each.name: meter.get_cells(each.area, each.start, each.size) for each in POINTS}

    assert found == {each.name: encode(each.type, each.raw) for each in POINTS}


def test_it_starts_and_stops_twice_and_leaves_no_thread() -> None:
    before = threading.enumerate()
    meter = ModbusTcpSimulator()

    meter.start()
    meter.start()
    client = Client(meter)
    meter.stop()
    meter.stop()

    assert threading.enumerate() == before
    client.socket.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The serial port of the meters, opened."""
    with ModbusRtuSimulator(tmp_path / "line", frozen=True) as line:
        opened = os.open(line.address, os.O_RDWR | os.O_NOCTTY)
        yield opened
        os.close(opened)


def ask_line(port: int, frame: bytes, size: int) -> bytes:
    os.write(port, frame)
    received = b""
    while len(received) < size:
        received += os.read(port, size - len(received))
    return received


def test_a_request_on_a_line_is_answered_with_a_check_sum(port: int) -> None:
    answer = ask_line(port, bytes.fromhex("01 03 00 00 00 0A C5 CD"), 25)

    assert answer[:3] == bytes.fromhex("01 03 14")
    assert answer[-2:] == crc(answer[:-2])


def test_noise_units_that_are_not_there_and_broadcasts_get_no_answer(port: int) -> None:
    voltage = bytes.fromhex(VOLTAGE)
    nobody, everybody = rtu_frame(9, voltage), rtu_frame(0, voltage)
    answer = rtu_frame(1, bytes.fromhex(VOLTAGE_IS))

    os.write(port, nobody)
    os.write(port, everybody)

    assert ask_line(port, rtu_frame(1, voltage), len(answer)) == answer


def test_a_write_on_a_line_is_counted(tmp_path: Path) -> None:
    with ModbusRtuSimulator(tmp_path / "line", frozen=True, writable=True) as line:
        opened = os.open(line.address, os.O_RDWR | os.O_NOCTTY)
        frame = rtu_frame(2, bytes.fromhex("10 0014 0001 02 0032"))

        answer = ask_line(opened, frame, 8)
        os.close(opened)

        assert answer == rtu_frame(2, bytes.fromhex("10 0014 0001"))
        assert line.get_cells("HR", 20, 1, unit_id=2) == [50]
        assert line.write_requests == 1


def test_the_port_goes_and_comes_back(tmp_path: Path) -> None:
    with ModbusRtuSimulator(tmp_path / "line") as line:
        line.set_fault("unplug")
        gone = not Path(line.address).exists()
        line.set_fault(None)

        assert gone
        assert Path(line.address).exists()
    assert not Path(line.address).is_symlink()
