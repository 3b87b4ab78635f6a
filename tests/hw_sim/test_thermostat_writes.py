"""Commands that change the simulated thermostat: obeyed, answered, counted."""

import json
from collections.abc import Iterator

import pytest

from hw_sim.thermostat import ThermostatSimulator
from hw_sim.thermostat.commands import changes
from tests.hw_sim.raw_thermostat import RawClient

NO_FLASH = '{{"error": "flash config not found"}}'
WEAK_FAN = '{ "warning": "this fan doesn\'t have full PWM support. Use it at your own risk!" }'


@pytest.fixture
def thermostat() -> Iterator[ThermostatSimulator]:
    with ThermostatSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def client(thermostat: ThermostatSimulator) -> Iterator[RawClient]:
    with RawClient(thermostat.port) as raw:
        yield raw


@pytest.mark.parametrize(
    ("command", "query", "path", "value"),
    [
        ("pid 0 kp 2.5", "pid", (0, "parameters", "kp"), 2.5),
        ("pid 1 target -3", "pid", (1, "target"), -3.0),
        ("pid 1 output_max 1.5", "pid", (1, "parameters", "output_max"), 1.5),
        ("s-h 0 t0 20", "s-h", (0, "params", "t0"), 293.15),
        ("s-h 1 r0 12000", "s-h", (1, "params", "r0"), 12000.0),
        ("pwm 1 max_v 3", "pwm", (1, "max_v", "value"), 3.0),
        ("pwm 1 max_v 9", "pwm", (1, "max_v", "value"), 5.0),
        ("pwm 1 max_i_neg 1", "pwm", (1, "max_i_neg", "value"), 1.0),
        ("center 1 vref", "pwm", (1, "center"), "vref"),
        ("center 0 1.5", "pwm", (0, "center"), 1.5),
        ("postfilter 0 rate 22", "postfilter", (0, "rate"), 21.25),
        ("pwm 1 pid", "report", (1, "pid_engaged"), True),
        ("pwm 0 i_set 0.5", "report", (0, "pid_engaged"), False),
    ],
)
def test_a_setting_is_changed(
    thermostat: ThermostatSimulator,
    client: RawClient,
    command: str,
    query: str,
    path: tuple[object, ...],
    value: object,
) -> None:
    assert client.ask(command) == "{}"

    found = json.loads(client.ask(query))

    for key in path:
        found = found[key]
    assert found == value
    assert thermostat.writes == [command]


def test_a_filter_is_turned_off_again(client: RawClient) -> None:
    client.ask("postfilter 0 rate 27")

    assert client.ask("postfilter 0 off") == "{}"
    assert json.loads(client.ask("postfilter"))[0]["rate"] is None


def test_an_impossible_rate_is_an_error_that_is_no_json(client: RawClient) -> None:
    answer = client.ask("postfilter 0 rate 1")

    assert answer == '{{"error": "unable to choose postfilter rate"}}'


def test_polarity_is_set_in_generation_b_alone() -> None:
    with (
        ThermostatSimulator(generation="b", frozen=True) as thermostat,
        RawClient(thermostat.port) as client,
    ):
        assert client.ask("output 0 polarity reversed") == "{}"
        assert json.loads(client.ask("output"))[0]["polarity"] == "reversed"
        assert client.ask("output 0 max_v 9") == "{}"
        assert json.loads(client.ask("output"))[0]["max_v"] == 4.3


def test_currents_are_swapped_where_the_firmware_can() -> None:
    with (
        ThermostatSimulator(generation="a-swap", frozen=True) as thermostat,
        RawClient(thermostat.port) as client,
    ):
        client.ask("swap 1")
        found = [each["current_swapped"] for each in json.loads(client.ask("report"))]

    assert found == [False, True]


def test_save_and_load_without_a_channel_answer_twice(client: RawClient) -> None:
    client.send(b"load\nsave\nload\nload 1\n")

    lines = [client.line().decode().rstrip("\n") for _ in range(7)]

    assert lines == [NO_FLASH, NO_FLASH, "{}", "{}", "{}", "{}", "{}"]


def test_what_was_saved_is_in_force_after_a_restart(thermostat: ThermostatSimulator) -> None:
    with RawClient(thermostat.port) as client:
        for command in ("pid 0 target 18", "save 0", "pid 0 target 19"):
            client.ask(command)
        client.send(b"reset\n")
        assert client.rest() == b""

    with RawClient(thermostat.port) as client:
        target = json.loads(client.ask("pid"))[0]["target"]

    assert target == 18.0


def test_the_fan_obeys_and_warns(client: RawClient) -> None:
    assert client.ask("fan 80") == WEAK_FAN
    assert json.loads(client.ask("fan")) | {"abs_max_tec_i": 0} == {
        "fan_pwm": 80.0,
        "abs_max_tec_i": 0,
        "auto_mode": False,
        "k_a": 1.0,
        "k_b": 0.0,
        "k_c": 0.0,
    }
    client.ask("fcurve 0.5 0.1 0")
    client.ask("fan auto")
    assert json.loads(client.ask("fan"))["k_a"] == 0.5


def test_a_new_address_ends_the_connection(thermostat: ThermostatSimulator) -> None:
    with RawClient(thermostat.port) as client:
        client.send(b"ipv4 10.0.0.5/16 10.0.0.1\n")
        assert client.rest() == b"{}\n"

    with RawClient(thermostat.port) as client:
        assert client.ask("ipv4") == '{"addr":"10.0.0.5/16","gateway":"10.0.0.1"}'


def test_reset_ends_all_connections_and_time_begins_anew() -> None:
    now = [1000.0]
    with ThermostatSimulator(clock=lambda: now[0]) as thermostat:
        now[0] += 500.0
        with RawClient(thermostat.port) as client, RawClient(thermostat.port) as other:
            before = json.loads(client.ask("report"))[0]["time"]
            other.ask("report")
            client.send(b"reset\n")
            assert (client.rest(), other.rest()) == (b"", b"")
        now[0] += 2.0
        with RawClient(thermostat.port) as client:
            after = json.loads(client.ask("report"))[0]["time"]

    assert before == pytest.approx(501.0, abs=0.2)
    assert after == pytest.approx(2.0, abs=0.2)
    assert thermostat.writes == ["reset"]


@pytest.mark.parametrize(
    "line",
    [
        *("pid 0 kp 1", "pwm 0 pid", "output 0 i_set 1", "center 0 vref", "s-h 0 t0 1", "load"),
        *("save 1", "ipv4 1.2.3.4", "fan 5", "fcurve default", "swap", "reset", "dfu"),
        *("report mode on", "b-p 1 r0 nonsense", "postfilter 9 off", "  save"),
    ],
)
def test_every_request_to_change_something_counts_even_when_it_is_refused(line: str) -> None:
    assert changes(line)


@pytest.mark.parametrize(
    "line",
    [
        *("report", "report mode", "pwm", "output", "pid", "s-h", "b-p", "postfilter", "ipv4"),
        *("fan", "hwrev", "quit", "hello", "", "  "),
    ],
)
def test_queries_do_not_count(line: str) -> None:
    assert not changes(line)
