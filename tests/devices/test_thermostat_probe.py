"""Finding thermostats: what is said of one, and that nothing else is disturbed."""

import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import pytest

from agent.config.structure import structure
from agent.devices.contract import TcpProbe
from agent.devices.thermostat import KIND, Options
from agent.devices.thermostat.probe import probe
from agent.errors import DeviceError
from hw_sim.thermostat import ThermostatSimulator
from tests.devices.thermostat_script import SEEN, TIMEOUT_S, V1

SHORT_S = 0.2
LONG_S = 10.0  # only a hang gets here


class Server:
    """Greets whoever connects, answers the first line, and remembers all that it was sent."""

    def __init__(self, greeting: bytes = b"", answer: bytes = b"") -> None:
        self._greeting = greeting
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.received = b""
        self._serving = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._serving.join(LONG_S)
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(LONG_S)
        with connection:
            connection.sendall(self._greeting)
            while data := connection.recv(4096):
                self.received += data
                connection.sendall(self._answer)


@pytest.fixture
def thermostat() -> Iterator[ThermostatSimulator]:
    with ThermostatSimulator(frozen=True, sensors=1, generation="b") as simulator:
        simulator.set_measured(0, SEEN)
        yield simulator


def test_the_kind_looks_at_its_port(thermostat: ThermostatSimulator) -> None:
    (found,) = KIND.probes

    assert isinstance(found, TcpProbe)
    assert found.ports == (23,)
    assert found.probe(thermostat.host, thermostat.port, TIMEOUT_S) is not None


def test_a_thermostat_is_found_with_what_it_says_of_itself(
    thermostat: ThermostatSimulator,
) -> None:
    found = probe(thermostat.host, thermostat.port, TIMEOUT_S)

    assert found is not None
    assert found.where == thermostat.address
    assert found.options == {"host": thermostat.host, "port": thermostat.port}
    assert found.facts == {
        "generation": "B",
        "channels": "0, 1",
        "channel 0": "23.063 °C",
        "channel 1": "no thermistor",
        "hardware revision": "2.2",
        "address": "192.168.1.26/24",
        "fan": "45 %, automatic",
    }
    assert thermostat.write_requests == 0


def test_what_is_found_can_be_read(thermostat: ThermostatSimulator) -> None:
    found = probe(thermostat.host, thermostat.port, TIMEOUT_S)
    assert found is not None

    options, faults = structure(found.options, Options)
    assert options is not None
    driver = KIND.driver(options, TIMEOUT_S)

    assert faults == []
    assert driver.read()["temperature_ch0"] == 23.06311189108584
    driver.close()


def test_a_thermostat_that_tells_nothing_else_is_found_by_its_report(
    thermostat: ThermostatSimulator,
) -> None:
    thermostat.set_fault("lost-reply:2")

    found = probe(thermostat.host, thermostat.port, 2 * SHORT_S)

    assert found is not None
    assert list(found.facts) == ["channels", "channel 0", "channel 1"]


def test_nothing_is_sent_to_what_speaks_first() -> None:
    with Server(greeting=b"\xff\xfd\x18\xff\xfd\x20login: ") as server:
        found = probe("127.0.0.1", server.port, TIMEOUT_S)

    assert found is None
    assert server.received == b""


@pytest.mark.parametrize(
    "answer",
    [b"", b"report: command not found\r\n", b"{}\n", b"[]\n", b'[{"id":1}]\n', b"\x00" * 20_000],
)
def test_what_answers_otherwise_is_no_thermostat(answer: bytes) -> None:
    with Server(answer=answer) as server:
        found = probe("127.0.0.1", server.port, 2 * SHORT_S)

    assert found is None
    assert server.received == b"report\n"


def test_only_the_report_decides() -> None:
    with Server(answer=V1 + b"\n") as server:
        found = probe("127.0.0.1", server.port, TIMEOUT_S)

    assert found is not None
    assert found.facts["channel 0"] == "23.063 °C"


def test_a_thermostat_without_a_report_is_an_error(thermostat: ThermostatSimulator) -> None:
    thermostat.set_fault("error")

    with pytest.raises(DeviceError) as caught:
        probe(thermostat.host, thermostat.port, TIMEOUT_S)

    assert str(caught.value) == (
        f"reading {thermostat.address}: wanted a report, the device answered with the error "
        "'report could not be serialized'"
    )


@pytest.mark.parametrize("fault", ["refuse", "too-many", "silent", "garbage", "drop", "endless"])
def test_faults_of_the_network_are_nothing_found(fault: str) -> None:
    with ThermostatSimulator() as simulator:
        simulator.set_fault(fault)

        found = probe(simulator.host, simulator.port, SHORT_S)

    assert found is None or fault == "endless"
