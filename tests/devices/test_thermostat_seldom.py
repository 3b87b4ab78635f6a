"""What a thermostat is asked seldom, when it does not answer: put off, and never given up."""

import contextlib

from agent.clock import Deadline
from agent.devices.thermostat import Options
from agent.devices.thermostat.driver import Thermostat
from agent.devices.thermostat.session import QUERIES as ALLOWED
from agent.devices.thermostat.settings import Settings
from agent.devices.thermostat.turn import EVERY_S, RETRY_S
from tests.devices.thermostat_script import (
    FILTER,
    PID,
    TIMEOUT_S,
    V3,
    V4,
    A,
    Device,
    ScriptedLink,
    Seconds,
    scripted,
)

ANSWERS = {"pwm": V3, "pid": PID, "s-h": V4, "postfilter": FILTER}


def asked_at(settings: Settings, device: Device, now_s: float) -> list[str]:
    """The queries that are sent at a time."""
    device.asked = []
    with contextlib.suppress(OSError):
        settings.refresh(device, now_s)
    return device.asked


def values(settings: Settings) -> dict[str, object]:
    return {metric.name: value for metric, value in settings.rows()}


def test_when_one_query_has_no_answer_the_rest_is_put_off_and_then_goes_first() -> None:
    settings, device = Settings(), Device({**ANSWERS, "pid": TimeoutError()})

    found = [asked_at(settings, device, now_s) for now_s in (0.0, RETRY_S - 1, RETRY_S)]

    assert found == [["output", "pwm", "pid"], [], ["b-p", "s-h", "postfilter", "pid"]]
    assert "sensor_b_ch0" in values(settings)
    assert settings.problems == [
        "settings of pid are not known, no answer in time; asked again later"
    ]


def test_a_setting_that_is_put_off_is_none_meanwhile() -> None:
    settings, device = Settings(), Device(ANSWERS)
    settings.refresh(device, 0.0)
    device.answers["pid"] = TimeoutError()

    asked_at(settings, device, EVERY_S)

    assert values(settings)["output_max_v_ch0"] == 4.0
    assert values(settings)["sensor_b_ch0"] is None
    assert settings.problems[1] == (
        "settings of s-h are not known, no answer in time; asked again later"
    )


def test_of_a_device_that_answers_no_query_one_is_tried_ever_more_seldom() -> None:
    settings = Settings()
    device = Device(dict.fromkeys(ALLOWED, TimeoutError()))

    tries = {second: asked_at(settings, device, float(second)) for second in range(1300)}

    assert {second: asked for second, asked in tries.items() if asked} == {
        0: ["output"],
        10: ["pid"],
        30: ["b-p"],
        70: ["postfilter"],
        150: ["output"],
        310: ["pid"],
        630: ["b-p"],
        1270: ["postfilter"],
    }


def test_after_a_reconnect_what_failed_is_asked_soon_and_once() -> None:
    settings = Settings()
    device = Device(dict.fromkeys(ALLOWED, TimeoutError()))
    for now_s in (0.0, 10.0, 30.0, 70.0):
        asked_at(settings, device, now_s)

    settings.forget(80.0)
    settings.forget(85.0)

    tries = [now_s for now_s in range(80, 300) if asked_at(settings, device, float(now_s))]
    assert tries == [90, 90 + 160]


def test_after_a_reconnect_what_was_known_is_asked_at_once_and_none_until_then() -> None:
    settings, device = Settings(), Device(ANSWERS)
    settings.refresh(device, 0.0)

    settings.forget(5.0)

    assert set(values(settings).values()) == {None}
    assert len(asked_at(settings, device, 5.0)) == 6
    assert values(settings)["pid_kp_ch0"] == 10.0


def test_a_device_that_answers_reports_alone_costs_one_try_and_one_connection() -> None:
    clock, opened = Seconds(), []
    link = ScriptedLink({**dict.fromkeys(ALLOWED, b""), "report": A["report"]})

    def open_link(_: Deadline) -> ScriptedLink:
        opened.append(clock.now_s)
        return link

    driver = Thermostat(Options("192.0.2.1"), TIMEOUT_S, open_link, monotonic_s=clock)
    for _ in range(10):
        driver.read()
        clock.now_s += 1

    assert [query for query in link.sent if query != "report"] == ["output"]
    assert opened == [100.0, 101.0]
    assert len([text for text in driver.warnings() if "no answer in time" in text]) == 4


def test_facts_that_are_not_answered_are_put_off_and_asked_again() -> None:
    clock = Seconds()
    link = ScriptedLink({**A, "hwrev": b""})
    driver = scripted(link, clock)
    for _ in range(5):
        driver.read()
        clock.now_s += 1
    tries = link.sent.count("hwrev")
    link.answers["hwrev"] = A["hwrev"]
    clock.now_s += 5

    driver.read()

    assert tries == 1
    assert "hardware revision: 2.2" in driver.describe()
