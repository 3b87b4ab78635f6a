"""Clients that others wrote read the simulated meters, and get what our driver gets."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from minimalmodbus import Instrument, NoResponseError
from pyModbusTCP.client import ModbusClient

from agent.devices.modbus import Options, Tag
from agent.devices.modbus.driver import Modbus
from hw_sim.modbus import ModbusRtuSimulator, ModbusTcpSimulator

TIMEOUT_S = 5.0
MBPOLL = shutil.which("mbpoll") or ""
RANGES = {  # all that exists: first address and count
    "IR": ((0, 24), (30, 3), (40, 4)),
    "HR": ((0, 21), (28, 10)),
    "CO": ((0, 3),),
    "DI": ((0, 2), (9, 1)),
}
MBPOLL_TYPES = {"CO": "0", "DI": "1", "IR": "3:hex", "HR": "4:hex"}

Cells = dict[str, int]  # such as IR40

pytestmark = pytest.mark.peer
needs_mbpoll = pytest.mark.skipif(not MBPOLL, reason="mbpoll is not installed")


@pytest.fixture
def meter() -> Iterator[ModbusTcpSimulator]:
    with ModbusTcpSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def line(tmp_path: Path) -> Iterator[ModbusRtuSimulator]:
    with ModbusRtuSimulator(tmp_path / "line", frozen=True) as simulator:
        yield simulator


def by_driver(options: Options) -> Cells:
    """Every register and bit of unit 2, by the driver."""
    driver = Modbus(options, TIMEOUT_S)
    try:
        return {name: int(value or 0) for name, value in driver.read().items()}
    finally:
        driver.close()


def all_tags() -> tuple[Tag, ...]:
    return tuple(
        Tag(f"{area}{at}", f"{area}{at}", "UINT16" if area in ("IR", "HR") else "BOOL")
        for area, ranges in RANGES.items()
        for start, count in ranges
        for at in range(start, start + count)
    )


def over_tcp(meter: ModbusTcpSimulator) -> Options:
    return Options(meter.host, meter.port, unit_id=2, tag=all_tags())


def over_line(line: ModbusRtuSimulator) -> Options:
    return Options(serial=line.address, unit_id=2, tag=all_tags())


def named(area: str, start: int, cells: list[int]) -> Cells:
    return {f"{area}{start + number}": int(cell) for number, cell in enumerate(cells)}


def by_mbpoll(*where: str) -> Cells:
    found: Cells = {}
    for area, ranges in RANGES.items():
        for start, count in ranges:
            asked = ["-a", "2", "-t", MBPOLL_TYPES[area], "-0", "-r", str(start), "-c", str(count)]
            done = subprocess.run(
                [MBPOLL, "-1", *asked, *where],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            values = re.findall(r"^\[(\d+)\]:\s+(\S+)$", done.stdout, re.MULTILINE)
            found |= {f"{area}{at}": int(value, 0) for at, value in values}
    return found


@needs_mbpoll
def test_libmodbus_reads_the_same_over_tcp(meter: ModbusTcpSimulator) -> None:
    found = by_mbpoll("-m", "tcp", "-p", str(meter.port), meter.host)

    assert found == by_driver(over_tcp(meter))
    assert meter.write_requests == 0


@needs_mbpoll
def test_libmodbus_reads_the_same_over_a_serial_line(line: ModbusRtuSimulator) -> None:
    found = by_mbpoll("-m", "rtu", "-b", "9600", "-P", "none", line.address)

    assert found == by_driver(over_line(line))
    assert line.write_requests == 0


@needs_mbpoll
def test_libmodbus_shows_the_floats_of_the_register_map(meter: ModbusTcpSimulator) -> None:
    words = ["-m", "tcp", "-p", str(meter.port), "-t", "3:float", "-B", "-0", "-r", "0", "-c", "3"]

    done = subprocess.run(
        [MBPOLL, "-1", *words, meter.host], capture_output=True, text=True, check=True
    )

    assert re.findall(r"^\[\d+\]:\s+(\S+)$", done.stdout, re.MULTILINE) == [
        "230.5",
        "229.25",
        "231.1",
    ]


@needs_mbpoll
def test_libmodbus_reports_what_does_not_exist_as_of_a_real_device(
    meter: ModbusTcpSimulator,
) -> None:
    words = ["-m", "tcp", "-p", str(meter.port), "-t", "3", "-0", "-r", "24", meter.host]

    done = subprocess.run(
        [MBPOLL, "-1", *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )

    assert "Illegal data address" in done.stdout + done.stderr


def test_py_modbus_tcp_reads_the_same(meter: ModbusTcpSimulator) -> None:
    client = ModbusClient(meter.host, meter.port, unit_id=2, timeout=TIMEOUT_S)
    reads = {
        "IR": client.read_input_registers,
        "HR": client.read_holding_registers,
        "CO": client.read_coils,
        "DI": client.read_discrete_inputs,
    }
    found: Cells = {}

    for area, ranges in RANGES.items():
        for start, count in ranges:
            found |= named(area, start, reads[area](start, count) or [])
    refused = client.read_input_registers(24, 1), client.last_except
    client.close()

    assert found == by_driver(over_tcp(meter))
    assert refused == (None, 2)


def test_py_modbus_tcp_writes_where_that_is_allowed() -> None:
    with ModbusTcpSimulator(frozen=True, writable=True) as meter:
        client = ModbusClient(meter.host, meter.port, timeout=TIMEOUT_S)
        done = [
            client.write_single_register(20, 60),
            client.write_single_coil(1, True),
            client.write_multiple_coils(0, [False, False, True]),
            client.write_multiple_registers(20, [70]),
            client.write_single_register(0, 1),
        ]
        read = client.write_read_multiple_registers(20, [80], 18, 3)
        client.close()

        assert done == [True, True, True, True, False]
        assert read == [*meter.get_cells("HR", 18, 2), 80]
        assert meter.get_cells("CO", 0, 3) == [0, 0, 1]
        assert meter.write_requests == 6


def test_minimalmodbus_reads_the_same_over_a_serial_line(line: ModbusRtuSimulator) -> None:
    instrument = Instrument(line.address, 2)
    instrument.serial.baudrate = 9600
    instrument.serial.timeout = 1.0
    functions = {"CO": 1, "DI": 2, "HR": 3, "IR": 4}
    found: Cells = {}

    for area, ranges in RANGES.items():
        read = instrument.read_bits if area in ("CO", "DI") else instrument.read_registers
        for start, count in ranges:
            found |= named(area, start, read(start, count, functions[area]))
    energy = instrument.read_long(0, number_of_registers=4)
    model = instrument.read_string(10, 8).rstrip("\0")
    voltage = instrument.read_float(0, 4)
    instrument.serial.close()

    assert found == by_driver(over_line(line))
    assert (energy, model, voltage) == (123_456_789_012, "EM340-SIM", 230.5)


def test_on_a_line_nobody_answers_for_a_unit_that_is_not_there(line: ModbusRtuSimulator) -> None:
    instrument = Instrument(line.address, 9)
    instrument.serial.timeout = 0.05

    with pytest.raises(NoResponseError):
        instrument.read_register(0)

    instrument.serial.close()
