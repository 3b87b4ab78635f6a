"""The thermostat driver in trouble: faults, restarts, lost sensors, answers out of step."""

from collections.abc import Iterator
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.thermostat import Options
from agent.devices.thermostat.driver import Thermostat
from agent.errors import DeviceError
from agent.model import Reason
from tests.devices.thermostat_script import (
    SEEN,
    TIMEOUT_S,
    V1,
    V3,
    A,
    Builder,
    ScriptedLink,
    Seconds,
    scripted,
)

LOST = "channel 0: no thermistor though its PID is engaged, so the thermostat has switched the "


@pytest.fixture
def make() -> Iterator[Builder]:
    """Builds a simulator that runs and a driver for it; both end with the test."""
    with Builder() as builder:
        yield builder


def test_a_lost_sensor_is_a_warning_while_its_pid_is_engaged(make: Builder) -> None:
    simulator, driver = make()
    simulator.set_fault("sensor-loss")

    values = driver.read()

    assert [values[f"{name}_ch0"] for name in ("adc", "sens", "temperature")] == [None] * 3
    assert [text[: len(LOST)] for text in driver.warnings()] == [LOST]
    simulator.set_fault(None)
    driver.read()
    assert list(driver.warnings()) == []


def test_samples_that_stay_the_same_are_a_warning_after_a_second(make: Builder) -> None:
    clock = Seconds()
    _, driver = make(clock=clock)
    driver.read()
    clock.now_s += 0.5
    driver.read()
    early = list(driver.warnings())
    clock.now_s += 0.6

    driver.read()

    assert early == []
    assert list(driver.warnings()) == [
        "channel 0: no new sample, its values are old",
        "channel 1: no new sample, its values are old",
    ]


def test_a_channel_that_never_had_a_sample_is_not_old(make: Builder) -> None:
    clock = Seconds()
    _, driver = make(clock=clock, sensors=1)
    driver.read()
    clock.now_s += 60.0

    driver.read()

    assert list(driver.warnings()) == ["channel 0: no new sample, its values are old"]


def test_a_restart_is_told_once_and_settings_are_asked_again(make: Builder) -> None:
    simulator, driver = make(frozen=False)
    driver.read()
    asked = len(simulator.requests)
    simulator.restart()

    driver.read()
    told = list(driver.warnings())
    driver.read()

    assert told == ["the thermostat restarted: its time began anew"]
    assert list(driver.warnings()) == []
    assert simulator.requests[asked:].count("pid") == 1
    assert driver.describe()[-1] == "it has restarted since this program read it for the first time"


def test_a_restart_while_it_was_away_is_in_the_description(make: Builder) -> None:
    simulator, driver = make(frozen=False)
    driver.read()
    driver.close()
    simulator.restart()

    driver.read()

    assert list(driver.warnings()) == []
    assert "it has restarted" in driver.describe()[-1]


def test_a_connection_that_broke_between_polls_is_made_anew_without_a_gap(make: Builder) -> None:
    simulator, driver = make()
    driver.read()
    simulator.drop_sessions()

    values = driver.read()

    assert values["temperature_ch0"] is not None
    assert simulator.connections == 2
    assert list(driver.warnings()) == []


def test_an_error_closes_the_connection_and_the_next_read_connects(make: Builder) -> None:
    simulator, driver = make()
    before = driver.read()
    simulator.set_fault("error")
    with pytest.raises(DeviceError, match="wanted a report, the device answered with the error"):
        driver.read()
    simulator.set_fault(None)

    after = driver.read()

    assert list(after) == list(before)
    assert simulator.connections == 2


@pytest.mark.parametrize("fault", ["lost-reply:3", "drop:3", "two-lines", "double-reply", "stream"])
def test_settings_that_fail_cost_no_poll_and_shift_no_answer(make: Builder, fault: str) -> None:
    simulator, _ = make()
    simulator.set_measured(0, SEEN)
    simulator.set_fault(fault)
    driver = Thermostat(Options(simulator.host, simulator.port), 0.3, monotonic_s=Seconds())

    found = []
    for _ in range(3):  # the fourth report would be the third reply of its connection
        values = driver.read()
        found.append(values["temperature_ch0"])
        assert values.get("pid_target_ch0", 20.0) == 20.0

    driver.close()
    assert found == [23.06311189108584] * 3


def test_reports_that_nobody_asked_for_are_a_warning(make: Builder) -> None:
    simulator, driver = make(settings=False)
    simulator.set_fault("double-reply")
    driver.read()

    values = driver.read()

    assert values["temperature_ch0"] is not None
    assert list(driver.warnings()) == [
        "it sent lines that nobody asked for, so the connection was made anew"
    ]


def test_many_faulty_values_are_few_warnings(make: Builder) -> None:
    simulator, driver = make(settings=False)
    simulator.set_fault("nan")

    values = driver.read()

    assert values["temperature_ch0"] is None
    assert values["pid_engaged_ch0"] is True
    assert len(driver.warnings()) == 9
    assert driver.warnings()[-1] == "and 16 more like these"


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("refuse", Reason.REFUSED, "connecting to {}: connection refused: it serves 4 connections"),
        ("silent", Reason.TIMEOUT, "reading {}: no answer within 0.2 s, wanted a whole line"),
        ("bad-json", Reason.BAD_DATA, 'reading {}: wanted a line of JSON, got \'[{{"channel"'),
        ("drop", Reason.UNREACHABLE, "reading {}: the device closed the connection after 0 bytes"),
        ("long-line", Reason.BAD_DATA, "reading {}: wanted a line of at most 16384 bytes"),
        ("deep", Reason.BAD_DATA, "reading {}: wanted at most 64 brackets in a line, got 1000"),
        ("braces", Reason.BAD_DATA, "reading {}: wanted a report, the device answered with the er"),
        ("twice", Reason.BAD_DATA, "reading {}: wanted each key once in an object"),
        ("same-channels", Reason.BAD_DATA, "reading {}: wanted each channel once"),
    ],
)
def test_an_error_says_where_what_and_of_which_sort(
    make: Builder, fault: str, reason: Reason, text: str
) -> None:
    simulator, _ = make()
    simulator.set_fault(fault)
    driver = Thermostat(Options(simulator.host, simulator.port), 0.2)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    driver.close()
    assert str(caught.value).startswith(text.format(simulator.address))
    assert caught.value.reason is reason


def test_a_fifth_connection_is_told_what_may_be_wrong(make: Builder) -> None:
    simulator, driver = make()
    others = [Thermostat(Options(simulator.host, simulator.port), TIMEOUT_S) for _ in range(4)]
    for other in others:
        other.read()

    with pytest.raises(DeviceError, match="it serves 4 connections at once"):
        driver.read()

    for other in others:
        other.close()


@pytest.mark.parametrize(
    ("greeting", "text"),
    [
        (b"\xff\xfd\x18\xff\xfd\x20", "wanted silence before a request, got 'ÿý\\x18ÿý '; telnet"),
        (b"Welcome to router\r\n", "wanted silence before a request, got 'Welcome to router"),
    ],
)
def test_a_device_that_speaks_first_is_no_thermostat(greeting: bytes, text: str) -> None:
    link = ScriptedLink(A, greeting=greeting)

    with pytest.raises(DeviceError) as caught:
        scripted(link).read()

    assert text in str(caught.value)
    assert "is this a Sinara 8451 thermostat?" in str(caught.value)
    assert link.sent == []
    assert link.is_closed


def test_settings_that_come_instead_of_a_report_are_no_report() -> None:
    driver = scripted(ScriptedLink({**A, "report": V3 + b"\n"}))

    with pytest.raises(DeviceError, match=r'wanted a report, got .{"channel": 0, "center"'):
        driver.read()


def test_a_channel_that_is_missing_is_a_warning() -> None:
    link = ScriptedLink({"report": V1[: V1.index(b',{"channel":1')] + b"]\n"})
    driver = scripted(link)

    values = driver.read()

    assert "temperature_ch1" not in values
    assert driver.warnings()[0] == "channel 1 is missing in the report"


@given(st.binary(max_size=80), st.sampled_from(list(A)))
def test_any_answer_ends_in_values_or_in_a_device_error(noise: bytes, query: str) -> None:
    driver = scripted(ScriptedLink({**A, query: noise}))

    for _ in range(2):
        try:
            values = driver.read()
        except DeviceError as error:
            assert str(error).isprintable()  # noqa: PT017 - either is right
        else:
            assert list(values) == [metric.name for metric in driver.metrics]
    driver.close()


@given(st.integers(0, len(V1) - 1), st.integers(0, 255), st.integers(0, 3))
def test_a_report_with_a_wrong_byte_ends_in_sound_values_or_in_a_device_error(
    at: int, byte: int, removed: int
) -> None:
    report = V1[:at] + bytes((byte,)) + V1[at + removed :] + b"\n"
    driver = scripted(ScriptedLink({**A, "report": report}))

    try:
        values = driver.read()
    except DeviceError as error:
        assert str(error).isprintable()  # noqa: PT017 - either is right
    else:
        assert list(values) == [metric.name for metric in driver.metrics]
        assert len({name.lower() for name in values}) == len(values)
        assert all(isfinite(value) for value in values.values() if isinstance(value, float))
        assert all(text.isprintable() for text in (*driver.warnings(), *driver.describe()))
    driver.close()
