"""The simulated thermostat misbehaving, byte by byte, and its life from start to stop."""

import json
import threading
from collections.abc import Iterator

import pytest

from hw_sim.contract import Simulator
from hw_sim.thermostat import FAULTS, ThermostatSimulator
from tests.devices.thermostat_script import PID, V4
from tests.hw_sim.raw_thermostat import RawClient

ANSWER = V4 + b"\n"


@pytest.fixture
def thermostat() -> Iterator[ThermostatSimulator]:
    with ThermostatSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def client(thermostat: ThermostatSimulator) -> Iterator[RawClient]:
    with RawClient(thermostat.port) as raw:
        yield raw


@pytest.mark.parametrize(
    ("fault", "request_line", "lines"),
    [
        ("two-lines", "s-h", [ANSWER, b"{}\n"]),
        ("stray-reply", "s-h", [b"{}\n", ANSWER]),
        ("double-reply", "s-h", [ANSWER, ANSWER]),
        ("split-line:0.01", "s-h", [ANSWER]),
        ("error", "report", [b'{"error":"report could not be serialized"}\n']),
        ("error", "s-h", [ANSWER]),
        ("settings-error", "s-h", [b'{ "error": "invalid input" }\n']),
        ("bad-json", "s-h", [ANSWER[: (len(ANSWER) - 1) * 2 // 3] + b"\n"]),
        ("braces", "report", [b'{{"error": "flash config not found"}}\n']),
        ("not-utf8", "s-h", [V4[:-3] + b"\xff\xfe\x80\n"]),
        ("empty", "report", [b"{}\n"]),
        ("null", "report", [b"null\n"]),
        ("deep", "report", [b"[" * 1000 + b"]" * 1000 + b"\n"]),
        ("same-channels", "s-h", [ANSWER.replace(b'"channel":1', b'"channel":0')]),
        ("lost-reply:2", "s-h", [ANSWER]),
        ("channels:0", "s-h", [b"[]\n"]),
        ("channels:2", "s-h", [ANSWER]),
        (
            "type-change",
            "postfilter",
            [b'[{"channel":0,"rate":null},{"channel":1,"rate":null}]\n'],
        ),
    ],
)
def test_a_fault_changes_the_answer(
    thermostat: ThermostatSimulator,
    client: RawClient,
    fault: str,
    request_line: str,
    lines: list[bytes],
) -> None:
    thermostat.set_fault(fault)

    client.send(f"{request_line}\n".encode())

    assert [client.line() for _ in lines] == lines


@pytest.mark.parametrize(
    ("fault", "channels"),
    [
        ("channels", [0]),
        ("channels:9", list(range(9))),
        ("bad-channels", [7, 8]),
        ("bad-channels:-1", [-1, 0]),
        ("bad-channels:2147483648", [2147483648, 2147483649]),
        ("swapped-channels", [1, 0]),
    ],
)
@pytest.mark.parametrize("request_line", ["report", "pwm", "pid", "s-h", "postfilter"])
def test_channels_are_others(
    thermostat: ThermostatSimulator,
    client: RawClient,
    fault: str,
    channels: list[int],
    request_line: str,
) -> None:
    thermostat.set_fault(fault)

    found = json.loads(client.ask(request_line))

    assert [each["channel"] for each in found] == channels


@pytest.mark.parametrize(
    ("fault", "texts"),
    [
        ("nan", [":NaN,", ":inf,", ":-inf,", '"channel":0,', '"pid_engaged":true']),
        ("limits", [":1e308,", ":-1e308,", ":1e999,", f":{'9' * 400},", ":5e-324,"]),
        ("type-change", ['"pid_engaged":1', '"adc":"', '"pid_engaged":"no"']),
        ("unknown-fields", ['"humidity":4.15e1', '"laser":{"power":1.5e0', '"history":[']),
        ("twice", ['"channel":0,"channel":0', '"pid_engaged":true,"pid_engaged":true']),
    ],
)
def test_values_are_others(
    thermostat: ThermostatSimulator, client: RawClient, fault: str, texts: list[str]
) -> None:
    thermostat.set_fault(fault)

    line = client.ask("report")

    assert all(text in line for text in texts)


def test_a_lost_reply_is_one_of_each_connection(
    thermostat: ThermostatSimulator, client: RawClient
) -> None:
    thermostat.set_fault("lost-reply:2")

    client.send(b"s-h\npid\npostfilter\n")

    assert client.line() == ANSWER
    assert client.line().startswith(b'[{"channel":0,"rate"')


def test_a_line_without_an_end_ends_with_its_fault(
    thermostat: ThermostatSimulator, client: RawClient
) -> None:
    thermostat.set_fault("long-line")
    client.send(b"report\n")
    start = client.some(22)
    thermostat.set_fault(None)

    rest = client.rest()

    assert start == b'[{"channel":0,"note":"'
    assert b"\n" not in rest


def test_reports_come_between_answers(thermostat: ThermostatSimulator, client: RawClient) -> None:
    thermostat.set_fault("stream")

    client.send(b"pid\n")

    lines = [client.line() for _ in range(3)]
    assert b'"tec_i"' in lines[0]
    assert lines[1] == PID + b"\n"
    assert lines[2] == lines[0]


def test_a_restart_ends_connections_and_goes_on_from_zero(client: RawClient) -> None:
    with ThermostatSimulator() as thermostat, RawClient(thermostat.port) as open_one:
        open_one.ask("report")
        thermostat.set_fault("restart")

        assert open_one.rest() == b""
        with RawClient(thermostat.port) as again:
            assert json.loads(again.ask("report"))[0]["time"] < 1.0


def test_converters_that_stand_still_go_on_when_the_fault_ends() -> None:
    now = [1000.0]
    with (
        ThermostatSimulator(clock=lambda: now[0]) as thermostat,
        RawClient(thermostat.port) as client,
    ):
        thermostat.set_fault("stale")
        before = client.ask("report")
        now[0] += 10.0
        during = client.ask("report")
        thermostat.set_fault(None)
        now[0] += 1.0

        assert before == during
        assert client.ask("report") != during


@pytest.mark.parametrize("fault", ["refuse", "too-many"])
def test_connections_end_or_are_not_made(thermostat: ThermostatSimulator, fault: str) -> None:
    thermostat.set_fault(fault)

    try:
        with RawClient(thermostat.port) as client:
            client.send(b"report\n")
            answer = client.rest()
    except ConnectionError:
        answer = b""

    assert answer == b""
    thermostat.set_fault(None)
    with RawClient(thermostat.port) as client:
        assert client.ask("s-h") == V4.decode()


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_stop_ends_every_session_and_thread_whatever_the_fault(fault: str | None) -> None:
    before = set(threading.enumerate())
    thermostat = ThermostatSimulator()
    thermostat.set_fault(fault)
    thermostat.start()
    try:
        client = RawClient(thermostat.port)
    except ConnectionRefusedError:
        client = None
    if client is not None:
        client.send(b"report\nreport mode on\n")

    thermostat.stop()
    thermostat.stop()

    if client is not None:
        with client:
            client.rest()
    assert set(threading.enumerate()) == before


def test_it_starts_again_on_the_port_it_had(thermostat: ThermostatSimulator) -> None:
    port = thermostat.port

    thermostat.stop()
    thermostat.start()

    with RawClient(port) as client:
        assert client.ask("s-h") == V4.decode()


def test_two_simulators_can_not_have_one_port(thermostat: ThermostatSimulator) -> None:
    with pytest.raises(OSError, match="in use"):
        ThermostatSimulator(port=thermostat.port).start()


def test_it_keeps_the_contract_of_simulators(thermostat: ThermostatSimulator) -> None:
    simulator: Simulator = thermostat

    assert simulator.address == f"127.0.0.1:{thermostat.port}"
    assert simulator.write_requests == 0
    with pytest.raises(ValueError, match="did you mean 'silent'"):
        simulator.set_fault("slient")
    assert thermostat.fault is None
