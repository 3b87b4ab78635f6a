"""The thermostat driver against the simulated one, and against one that follows a script."""

from collections.abc import Iterator

import pytest

from agent.devices.thermostat import KIND
from agent.devices.thermostat.fields import standard_metrics
from agent.devices.thermostat.turn import EVERY_S
from hw_sim.thermostat import Settings
from tests.devices.thermostat_script import SEEN, V1, A, Builder, ScriptedLink, Seconds, scripted

POLLS = ["report"] * 3


@pytest.fixture
def make() -> Iterator[Builder]:
    """Builds a simulator that runs and a driver for it; both end with the test."""
    with Builder() as builder:
        yield builder


def test_the_report_of_the_vectors_is_read_exactly(make: Builder) -> None:
    simulator, driver = make(sensors=1)
    simulator.set_measured(0, SEEN)

    values = driver.read()

    assert values["temperature_ch0"] == 23.06311189108584
    assert values["sens_ch0"] == 10869.103655483224
    assert values["i_set_ch0"] == 0.8346899999999997
    assert values["tec_u_meas_ch0"] == 0.9240000000000004
    assert values["time_ch0"] == 5127.341
    assert values["pid_engaged_ch0"] is True
    assert values["temperature_ch1"] is None
    assert list(driver.warnings()) == []


@pytest.mark.parametrize(
    ("generation", "own", "known"),
    [
        ("a", set(), "A (pwm)"),
        ("b", {"polarity_ch0", "polarity_ch1"}, "B (output)"),
        ("a-old", {"vref_ch0", "vref_ch1"}, "A (pwm)"),
        ("a-swap", {"current_swapped_ch0", "current_swapped_ch1"}, "A (pwm)"),
    ],
)
def test_every_firmware_is_read_and_named(
    make: Builder, generation: str, own: set[str], known: str
) -> None:
    simulator, driver = make(generation=generation)
    plain = {"polarity", "vref", "current_swapped"}

    values = driver.read()

    found = {name for name in values if name.removesuffix(name[-4:]) in plain}
    assert found == own
    assert f"firmware generation {known}" in driver.describe()[0]
    assert list(values) == [metric.name for metric in driver.metrics]
    assert {each.name for each in standard_metrics()} <= set(values)
    assert simulator.write_requests == 0


def test_old_firmware_without_a_sensor_has_no_pid_output(make: Builder) -> None:
    _, driver = make(generation="a-old", sensors=1)

    values = driver.read()

    assert "pid_output_ch1" in values
    assert values["pid_output_ch1"] is None


def test_it_says_what_it_found(make: Builder) -> None:
    simulator, driver = make(sensors=1, fan=False)
    simulator.set_measured(0, SEEN)
    address = f"127.0.0.1:{simulator.port}"
    early = list(driver.describe())

    driver.read()

    assert early == [f"Thermostat at {address}"]
    assert list(driver.describe()) == [
        f"Thermostat at {address}, firmware generation A (pwm)",
        "hardware revision: 2.0",
        "address: 192.168.1.26/24",
        "fan: none",
        "channel 0: 23.063 °C, PID engaged, target 20 °C",
        "channel 1: no thermistor, PID not engaged",
    ]


def test_one_connection_serves_all_polls_and_settings_are_asked_hourly(make: Builder) -> None:
    clock = Seconds()
    simulator, driver = make(clock=clock, generation="b")
    driver.read()
    first = simulator.requests
    driver.read()
    clock.now_s += EVERY_S

    driver.read()

    assert first == [
        *("report", "output", "pid", "b-p", "postfilter", "hwrev", "ipv4", "fan"),
    ]
    assert simulator.requests[len(first) :] == [
        *("report", "report", "output", "pid", "b-p", "postfilter")
    ]
    assert simulator.connections == 1


def test_without_settings_only_reports_are_asked_for(make: Builder) -> None:
    simulator, driver = make(settings=False)

    for _ in POLLS:
        values = driver.read()

    assert simulator.requests == POLLS
    assert list(values) == [each.name for each in standard_metrics()]


def test_settings_that_change_are_seen_at_the_next_look(make: Builder) -> None:
    clock = Seconds()
    simulator, driver = make(clock=clock)
    before = driver.read()["pid_target_ch0"]
    simulator.set_settings(0, Settings(target=18.5))
    clock.now_s += EVERY_S

    after = driver.read()["pid_target_ch0"]

    assert (before, after) == (20.0, 18.5)


@pytest.mark.parametrize("piece", [1, 2, 7, 600, 4096])
def test_an_answer_may_come_in_any_pieces(piece: int) -> None:
    values = scripted(ScriptedLink(A, piece)).read()

    assert values["temperature_ch0"] == 23.06311189108584
    assert values["postfilter_rate_ch1"] == 21.25
    assert values["pid_output_ch1"] == 0.0


def test_lines_may_end_with_a_carriage_return() -> None:
    answers = {query: line.replace(b"\n", b"\r\n") for query, line in A.items()}

    assert scripted(ScriptedLink(answers)).read()["temperature_ch0"] == 23.06311189108584


def test_metrics_are_one_object_until_the_fields_change() -> None:
    link = ScriptedLink(A)
    driver = scripted(link)
    driver.read()
    before = driver.metrics
    driver.read()
    same = driver.metrics
    link.answers["report"] = V1.replace(b'"adc":', b'"volts":') + b"\n"

    values = driver.read()

    assert same is before
    assert driver.metrics is not before
    assert list(values) == [metric.name for metric in driver.metrics]
    assert "adc_ch0" not in values
    assert values["volts_ch0"] == 0.8512
    assert values["volts_ch1"] is None


def test_a_field_of_the_report_goes_before_a_setting_of_its_name() -> None:
    report = V1.replace(b'"adc":', b'"pid_kp":3,"adc":') + b"\n"

    driver = scripted(ScriptedLink({**A, "report": report}))

    assert driver.read()["pid_kp_ch0"] == 3.0
    names = [metric.name.lower() for metric in driver.metrics]
    assert len(names) == len(set(names))


def test_the_kind_makes_the_driver(make: Builder) -> None:
    simulator, _ = make()
    driver = KIND.driver(KIND.options(simulator.host, simulator.port), KIND.timeout_s)

    assert driver.read()["temperature_ch0"] is not None

    driver.close()
