"""The simulated thermostat, byte by byte."""

import json
import re
import socket
from collections.abc import Iterator

import pytest

from hw_sim.thermostat import Measured, Settings, ThermostatSimulator
from tests.devices.thermostat_script import PID, SEEN, V1, V3, V4
from tests.hw_sim.raw_thermostat import RawClient

INVALID = '{ "error": "invalid input" }'
NO_SENSOR = Measured(5127.391, 0.1, None, 1.498, 1.497, 1.496, 1.499, 1.502, 0.0)
FLOAT = re.compile(r"(?<=[:,])-?\d[^,}\]]*")


@pytest.fixture
def thermostat() -> Iterator[ThermostatSimulator]:
    with ThermostatSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def client(thermostat: ThermostatSimulator) -> Iterator[RawClient]:
    with RawClient(thermostat.port) as raw:
        yield raw


def of(generation: str, **options: object) -> ThermostatSimulator:
    return ThermostatSimulator(generation=generation, frozen=True, **options)  # type: ignore[arg-type]


def test_the_report_of_the_vectors_is_given_byte_for_byte(
    thermostat: ThermostatSimulator, client: RawClient
) -> None:
    thermostat.set_measured(0, SEEN)
    thermostat.set_measured(1, NO_SENSOR)
    thermostat.set_settings(1, Settings())

    client.send(bytes.fromhex("72 65 70 6F 72 74 0A"))

    assert client.line() == V1 + b"\n"


def test_the_output_of_the_vectors_is_given_byte_for_byte(
    thermostat: ThermostatSimulator, client: RawClient
) -> None:
    thermostat.set_measured(0, SEEN)
    thermostat.set_measured(1, Measured())

    client.send(bytes.fromhex("70 77 6D 0A"))

    assert client.line() == V3 + b"\n"


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        ("s-h", V4.decode()),
        ("postfilter", '[{"channel":0,"rate":null},{"channel":1,"rate":null}]'),
        ("pid", PID.decode()),
        ("report mode", '{ "report": false }'),
        ("ipv4", '{"addr":"192.168.1.26/24"}'),
        ("output", INVALID),
        ("b-p", INVALID),
        ("swap", INVALID),
        (
            "hwrev",
            '{"rev":{"major":2,"minor":2},"settings":{"fan_k_a":1e0,"fan_k_b":0e0,"fan_k_c":0e0,'
            '"min_fan_pwm":4e-2,"max_fan_pwm":1e0,"fan_pwm_freq_hz":2.5e4,"fan_available":true,'
            '"fan_pwm_recommended":false}}',
        ),
    ],
)
def test_queries_of_generation_a_are_answered(
    client: RawClient, request_line: str, answer: str
) -> None:
    assert client.ask(request_line) == answer


def test_generation_b_has_its_own_words() -> None:
    with of("b") as thermostat, RawClient(thermostat.port) as client:
        thermostat.set_measured(0, SEEN)
        output = json.loads(client.ask("output"))

        assert output[0] == {
            "channel": 0,
            "center": "vref",
            "i_set": 0.8346899999999997,
            "max_v": 4.0,
            "max_i_pos": 2.0,
            "max_i_neg": 2.0,
            "polarity": "normal",
        }
        assert client.ask("b-p") == V4.decode()
        assert [client.ask(word) for word in ("pwm", "s-h", "report mode")] == [INVALID] * 3


@pytest.mark.parametrize(
    ("generation", "keys"),
    [
        ("a", ["pid_engaged", "i_set", "dac_value"]),
        ("b", ["pid_engaged", "i_set", "dac_value"]),
        ("a-old", ["pid_engaged", "i_set", "vref", "dac_value"]),
        ("a-swap", ["pid_engaged", "current_swapped", "i_set", "dac_value"]),
    ],
)
def test_reports_differ_by_generation(generation: str, keys: list[str]) -> None:
    with of(generation) as thermostat, RawClient(thermostat.port) as client:
        found = list(json.loads(client.ask("report"))[0])

    assert found[6 : 6 + len(keys)] == keys


def test_a_board_without_a_fan_says_so() -> None:
    with of("a", fan=False) as thermostat, RawClient(thermostat.port) as client:
        assert client.ask("fan") == "null"
        assert client.ask("fan 50") == '{ "warning": "this thermostat doesn\'t have fan!" }'
        assert '"fan_available":false' in client.ask("hwrev")


@pytest.mark.parametrize(
    "line",
    [
        *("hello", "REPORT", " report", "report x", "report mode x", "report mode on off"),
        *("pid 2 kp 1", "pid 0 kp", "pid 0 kx 1", "pid 0 kp 1e3", "pid 0 kp +1", "pid 0 kp 1."),
        *("pid 0 kp .5", "pid -1 kp 1", "pwm 0", "pwm 0 i_set", "pwm 0 polarity normal"),
        *("center 0", "center 0 x", "postfilter 0", "postfilter 0 on", "fan 0", "fan 101"),
        *("fan x", "fcurve 1 2", "hwrev ", "hwrev 1", "quit ", "load 2", "save x", "ipv4 1.2.3"),
        *("s-h 0 t0", "s-h 0 c 1", "dfu now", "\xff\xfd\x18report", "{}", "pid 0 kp nan"),
    ],
)
def test_what_is_no_command_is_invalid_input(client: RawClient, line: str) -> None:
    client.send(line.encode("latin-1") + b"\n")

    assert client.line().decode() == INVALID + "\n"


@pytest.mark.parametrize(
    "line", ["report ", "pwm  ", "pid ", "s-h ", "postfilter ", "pid  0   kp    1"]
)
def test_blanks_behind_and_between_are_allowed(client: RawClient, line: str) -> None:
    assert "error" not in client.ask(line)


def test_lines_end_with_either_character_and_empty_ones_are_none(client: RawClient) -> None:
    client.send(b"\r\n\n\rs-h\rs-h\ns-h\r\nhello\n")

    assert [client.line() for _ in range(4)] == [V4 + b"\n"] * 3 + [f"{INVALID}\n".encode()]


def test_requests_may_come_in_pieces_and_many_at_once(client: RawClient) -> None:
    for byte in b"s-h\n":
        client.send(bytes((byte,)))
    client.send(b"s-h\n" * 50)

    assert [client.line() for _ in range(51)] == [V4 + b"\n"] * 51


def test_of_a_long_line_the_first_64_bytes_are_obeyed(client: RawClient) -> None:
    client.send(b"s-h" + b" " * 61 + b"x" * 100 + b"\n")
    client.send(b"s-h" + b" " * 60 + b"x" * 100 + b"\n")

    assert client.line() == V4 + b"\n"
    assert client.line().decode() == INVALID + "\n"


def test_what_was_sent_before_the_end_is_answered(client: RawClient) -> None:
    client.send(b"s-h\ns-h\nreport")
    client.finish()

    assert client.rest() == (V4 + b"\n") * 2


def test_quit_ends_without_a_word(client: RawClient) -> None:
    client.send(b"quit\nreport\n")

    assert client.rest() == b""


def test_every_float_has_an_exponent_and_no_plus() -> None:
    with ThermostatSimulator() as thermostat, RawClient(thermostat.port) as client:
        lines = [client.ask(word) for word in ("report", "pwm", "pid", "s-h", "fan")]

    for line in lines:
        numbers = [text for text in FLOAT.findall(line) if text not in ("0", "1")]
        assert numbers
        assert all(re.fullmatch(r"-?\d(\.\d+)?e-?\d+", text) for text in numbers)
        assert " " not in line


def test_four_clients_are_served_and_a_fifth_is_not(thermostat: ThermostatSimulator) -> None:
    clients = [RawClient(thermostat.port) for _ in range(4)]
    answers = [client.ask("s-h") for client in clients]

    with RawClient(thermostat.port) as fifth:
        assert fifth.rest() == b""

    assert answers == [V4.decode()] * 4
    for client in clients:
        with client:
            assert client.ask("s-h") == V4.decode()


def test_a_logger_that_connects_for_each_poll_and_receives_once_gets_whole_reports() -> None:
    with ThermostatSimulator() as thermostat:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", thermostat.port), 3.0) as connection:
                connection.sendall(b"report\n")
                data = connection.recv(16384)

            assert data.endswith(b"}]\n")
            assert len(data) < 1024
            assert [each["channel"] for each in json.loads(data)] == [0, 1]


def test_reports_are_sent_without_being_asked_for_once_the_mode_is_on() -> None:
    with ThermostatSimulator() as thermostat, RawClient(thermostat.port) as client:
        assert client.ask("report mode on") == "{}"
        streamed = [json.loads(client.line()) for _ in range(4)]
        client.send(b"report mode off\n")
        while client.line() != b"{}\n":
            pass

        assert client.ask("report mode") == '{ "report": false }'
        times = [(first["time"], second["time"]) for first, second in streamed]
        assert times == sorted(set(times))
        assert thermostat.writes == ["report mode on", "report mode off"]


def test_the_mode_is_of_one_connection_and_ends_with_it() -> None:
    with ThermostatSimulator() as thermostat, RawClient(thermostat.port) as other:
        with RawClient(thermostat.port) as client:
            client.ask("report mode on")
            client.line()

        assert other.ask("report mode") == '{ "report": false }'
        assert other.ask("s-h") == V4.decode()
