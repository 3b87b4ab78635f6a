"""Looking for Modbus devices: one register is asked for, and any Modbus answer is a find."""

import socket
import threading
from collections.abc import Iterator

import pytest

from agent.config.structure import structure
from agent.devices.contract import TcpProbe
from agent.devices.modbus import KIND, Options
from agent.devices.modbus.probe import probe_tcp
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.modbus import ModbusTcpSimulator

TIMEOUT_S = 2.0


@pytest.fixture
def meter() -> Iterator[ModbusTcpSimulator]:
    with ModbusTcpSimulator(frozen=True) as simulator:
        yield simulator


def test_a_meter_is_found_with_options_that_read_it(meter: ModbusTcpSimulator) -> None:
    found = probe_tcp(meter.host, meter.port, TIMEOUT_S)

    assert found is not None
    assert found.where == meter.address
    assert found.facts == {"unit": "1", "answer": "IR0 = 17254"}
    options, faults = structure(found.options, Options)
    assert faults == []
    assert options is not None
    assert list(options.check()) == []
    driver = KIND.driver(options, TIMEOUT_S)
    assert driver.read() == {"first_register": 17254}
    driver.close()
    assert meter.write_requests == 0


def test_a_device_without_input_registers_is_asked_for_the_others(
    meter: ModbusTcpSimulator,
) -> None:
    meter.remove_cells("IR", 0, 44)

    found = probe_tcp(meter.host, meter.port, TIMEOUT_S)

    assert found is not None
    assert found.options["tag"] == [{"name": "first_register", "address": "HR0:UINT16"}]
    assert meter.requests == [(1, 4, 0, 1), (1, 3, 0, 1)]


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("exception:2", "IR0: illegal data address (02): check address and length"),
        ("exception:6", "IR0: device busy (06): raise interval_s, or set pause_ms"),
        ("absent:1", "IR0: target device failed to respond (0B): unit 1 behind the gateway"),
    ],
)
def test_an_exception_is_a_find_too(meter: ModbusTcpSimulator, fault: str, answer: str) -> None:
    meter.set_fault(fault)

    found = probe_tcp(meter.host, meter.port, TIMEOUT_S)

    assert found is not None
    assert found.facts["answer"].startswith(answer)


def test_unit_255_is_asked_when_unit_1_is_silent(meter: ModbusTcpSimulator) -> None:
    meter.set_cells("IR", 0, [7], unit_id=255)
    meter.set_fault("mute:1")

    found = probe_tcp(meter.host, meter.port, 0.4)

    assert found is not None
    assert found.options["unit_id"] == 255
    assert found.facts == {"unit": "255", "answer": "IR0 = 7"}


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("silent", Reason.TIMEOUT, "something listens, but neither unit 1 nor 255 answers"),
        ("drop", Reason.UNREACHABLE, "something listens and hangs up"),
    ],
)
def test_something_that_is_there_and_says_nothing_is_an_error(
    meter: ModbusTcpSimulator, fault: str, reason: Reason, text: str
) -> None:
    meter.set_fault(fault)

    with pytest.raises(DeviceError, match=text) as caught:
        probe_tcp(meter.host, meter.port, 0.3)

    assert meter.address in str(caught.value)
    assert caught.value.reason is reason


def test_nothing_is_found_where_nobody_listens(meter: ModbusTcpSimulator) -> None:
    meter.set_fault("refuse")

    assert probe_tcp(meter.host, meter.port, TIMEOUT_S) is None


@pytest.mark.parametrize("banner", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(100)])
def test_another_protocol_is_no_find(banner: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=_serve, args=(listener, banner))
        serving.start()

        found = probe_tcp("127.0.0.1", listener.getsockname()[1], TIMEOUT_S)

        serving.join()
    assert found is None


def _serve(listener: socket.socket, banner: bytes) -> None:
    with listener.accept()[0] as accepted:
        accepted.recv(100)
        accepted.sendall(banner)


def test_the_kind_has_the_probe(meter: ModbusTcpSimulator) -> None:
    (found,) = KIND.probes

    assert isinstance(found, TcpProbe)
    assert found.ports == (502,)
    assert found.probe(meter.host, meter.port, TIMEOUT_S) is not None
