"""Who is well and who is not, and what is said of it."""

import logging

import pytest

from agent.errors import DeviceError
from agent.health import HANGS, Health
from agent.model import Reason
from tests.fakes import NOON_MS, FakeClock

ERROR = DeviceError("no answer", Reason.TIMEOUT)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> Health:
    health = Health(clock)
    health.add_device("press", "s7", 1.0)
    health.add_device("host", "host", 5.0)
    return health


def test_devices_are_in_the_order_of_the_configuration_and_not_polled_yet(health: Health) -> None:
    assert [(device.name, device.is_well) for device in health.devices()] == [
        ("press", None),
        ("host", None),
    ]


def test_a_device_that_hangs_is_not_well_and_one_that_fails_keeps_its_error(
    health: Health,
) -> None:
    health.well("press", NOON_MS, 3, 0.01)
    health.ill("host", NOON_MS, ERROR)

    press, host = health.devices(hanging=["press", "host"])

    assert (press.is_well, press.reason, press.error) == (False, Reason.TIMEOUT, HANGS)
    assert (host.is_well, host.error) == (False, "no answer")
    assert health.devices()[0].is_well


def test_a_healthy_day_is_quiet(health: Health, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    for number in range(100):
        health.well("press", NOON_MS + number, 3, 0.01)

    assert caplog.records == []


def test_failures_are_counted_in_a_row_and_in_all(health: Health) -> None:
    for outcome in "iiwi":
        if outcome == "w":
            health.well("press", NOON_MS, 3, 0.01)
        else:
            health.ill("press", NOON_MS, ERROR)

    device = health.devices()[0]
    assert (device.polls, device.failures, device.failures_in_a_row) == (4, 3, 1)
    assert (device.reason, device.error) == (Reason.TIMEOUT, "no answer")


def test_since_is_when_a_device_became_what_it_is(health: Health) -> None:
    for number, is_well in enumerate([True, True, False, False, True]):
        if is_well:
            health.well("press", NOON_MS + number, 3, 0.01)
        else:
            health.ill("press", NOON_MS + number, ERROR)
        if number == 3:
            ill_since = health.devices()[0].since_ms

    assert (ill_since, health.devices()[0].since_ms) == (NOON_MS + 2, NOON_MS + 4)


def test_a_device_that_never_answered_is_well_without_again(
    health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    health.well("press", NOON_MS, 3, 0.01)

    assert caplog.records == []


def test_a_warning_is_said_when_it_comes_and_when_it_goes(
    health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    for warnings in ((), ("a is bad",), ("a is bad", "b is bad"), ("b is bad",), ()):
        health.warned("press", warnings)
        health.warned("press", warnings)

    assert [record.getMessage() for record in caplog.records] == [
        "press: a is bad",
        "press: b is bad",
        "press: no more: a is bad",
        "press: no more: b is bad",
    ]


def test_a_record_is_a_copy(health: Health) -> None:
    health.well("press", NOON_MS, 3, 0.01)
    copy = health.devices()[0]

    health.well("press", NOON_MS + 1, 4, 0.02)

    assert (copy.polls, copy.values, list(copy.took_ms)) == (1, 3, [10.0])


def test_the_times_of_the_last_polls_are_kept_and_no_more(health: Health) -> None:
    for number in range(1000):
        health.well("press", NOON_MS, 3, number / 1000)

    assert list(health.devices()[0].took_ms) == pytest.approx(range(936, 1000))
