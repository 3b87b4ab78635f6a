"""What a thermostat is set to: names, generations, and what is asked again when."""

import pytest

from agent.devices.thermostat.session import QUERIES as ALLOWED
from agent.devices.thermostat.settings import QUERIES, Settings
from agent.devices.thermostat.turn import EVERY_S, RETRY_S
from agent.devices.thermostat.wire import RefusedError
from tests.devices.thermostat_script import FILTER, INVALID, PID, V3, V4, Device

A = {"pwm": V3, "pid": PID, "s-h": V4, "postfilter": FILTER}
B_OUTPUT = (
    b'[{"channel":0,"center":"vref","i_set":8.3e-1,"max_v":4e0,"max_i_pos":2e0,"max_i_neg":2e0,'
    b'"polarity":"normal"},{"channel":1,"center":1.5e0,"i_set":0e0,"max_v":0e0,"max_i_pos":0e0,'
    b'"max_i_neg":0e0,"polarity":"reversed"}]'
)
B = {"output": B_OUTPUT, "pid": PID, "b-p": V4, "postfilter": FILTER}


def names(settings: Settings) -> list[str]:
    return [metric.name for metric, _ in settings.rows()]


def values(settings: Settings) -> dict[str, object]:
    return {metric.name: value for metric, value in settings.rows()}


def test_both_generations_have_the_same_names_and_values() -> None:
    of_a, of_b = Settings(), Settings()

    of_a.refresh(Device(A), 0.0)
    of_b.refresh(Device(B), 0.0)

    both = values(of_a)
    assert {name: each for name, each in values(of_b).items() if name in both} == both
    assert set(names(of_b)) - set(both) == {"polarity_ch0", "polarity_ch1"}
    assert (of_a.generation, of_b.generation) == (("A", "pwm"), ("B", "output"))


def test_the_settings_of_the_vectors_are_decoded() -> None:
    settings = Settings()

    settings.refresh(Device(A), 0.0)

    assert values(settings) == {
        "center_ch0": "vref",
        "center_ch1": "1.5",
        "output_max_v_ch0": 4.0,
        "output_max_v_ch1": 0.0,
        "output_max_i_pos_ch0": 2.0,
        "output_max_i_pos_ch1": 0.0,
        "output_max_i_neg_ch0": 2.0,
        "output_max_i_neg_ch1": 0.0,
        "pid_target_ch0": 20.0,
        "pid_target_ch1": 0.0,
        "pid_kp_ch0": 10.0,
        "pid_kp_ch1": 0.0,
        "pid_ki_ch0": 0.02,
        "pid_ki_ch1": 0.0,
        "pid_kd_ch0": 0.0,
        "pid_kd_ch1": 0.0,
        "pid_output_min_ch0": -2.0,
        "pid_output_min_ch1": -2.0,
        "pid_output_max_ch0": 2.0,
        "pid_output_max_ch1": 2.0,
        "sensor_t0_ch0": 298.15,
        "sensor_t0_ch1": 298.15,
        "sensor_r0_ch0": 10000.0,
        "sensor_r0_ch1": 10000.0,
        "sensor_b_ch0": 3800.0,
        "sensor_b_ch1": 3800.0,
        "postfilter_rate_ch0": None,
        "postfilter_rate_ch1": 21.25,
    }
    assert settings.problems == []


def test_limits_of_the_integral_are_taken_where_old_firmware_has_them() -> None:
    settings = Settings()
    old = b'[{"channel":0,"parameters":{"kp":1e0,"integral_min":-1e0,"integral_max":1e0}}]'

    settings.refresh(Device({**A, "pid": old}), 0.0)

    assert [name for name in names(settings) if name.startswith("pid_")] == [
        *("pid_kp_ch0", "pid_integral_min_ch0", "pid_integral_max_ch0")
    ]


def test_queries_are_asked_once_an_hour_in_the_spelling_that_is_known() -> None:
    settings, device = Settings(), Device(A)
    settings.refresh(device, 5.0)
    settings.refresh(device, 5.0 + EVERY_S - 1)
    first, device.asked = device.asked, []

    settings.refresh(device, 5.0 + EVERY_S)

    assert first == ["output", "pwm", "pid", "b-p", "s-h", "postfilter"]
    assert device.asked == ["pwm", "pid", "s-h", "postfilter"]


def test_a_firmware_that_was_updated_is_found_by_its_new_spelling() -> None:
    settings, device = Settings(), Device(A)
    settings.refresh(device, 0.0)
    device.answers = dict(B)

    settings.refresh(device, EVERY_S)

    assert settings.generation == ("B", "output")
    assert values(settings)["polarity_ch1"] == "reversed"


def test_what_is_refused_is_a_problem_and_is_asked_again_ever_more_seldom() -> None:
    settings = Settings()
    device = Device({**A, "pid": INVALID})
    settings.refresh(device, 0.0)
    device.asked = []

    tries = []
    for second in range(0, 4 * 3600, 10):
        settings.refresh(device, float(second))
        if "pid" in device.asked:
            tries.append(second)
            device.asked = []

    assert "pid_kp_ch0" not in names(settings)
    assert "sensor_b_ch0" in names(settings)
    assert settings.problems == [
        "settings of pid are not known, the thermostat refused with 'invalid input'; "
        "asked again later"
    ]
    assert tries == [10, 30, 70, 150, 310, 630, 1270, 2550, 5110, 8710, 12310]


def test_a_setting_that_was_known_is_none_until_it_is_answered_again() -> None:
    settings, device = Settings(), Device(A)
    settings.refresh(device, 0.0)
    before = names(settings)
    device.answers["pid"] = b'{{"error": "busy"}}'

    settings.refresh(device, EVERY_S)
    while_refused = values(settings)
    device.answers["pid"] = PID
    settings.refresh(device, EVERY_S + RETRY_S)

    assert list(while_refused) == before
    assert while_refused["pid_kp_ch0"] is None
    assert while_refused["sensor_b_ch0"] == 3800.0
    assert values(settings)["pid_kp_ch0"] == 10.0
    assert settings.problems == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (TimeoutError("no answer within 3 s"), "no answer in time"),
        (ConnectionResetError(), "the connection ended"),
        (b"{}", "the answer was another one"),
        (V3, "the answer was another one"),
        (b'[{"channel":0,"parameters":', "the answer was another one"),
        (b'[{"channel":9,"parameters":{}}]', "the answer was another one"),
    ],
)
def test_what_may_be_out_of_step_is_told_to_the_caller(
    answer: bytes | Exception, problem: str
) -> None:
    settings, device = Settings(), Device({**A, "pid": answer})

    with pytest.raises((OSError, ValueError)):
        settings.refresh(device, 0.0)

    assert settings.problems[0] == f"settings of pid are not known, {problem}; asked again later"


def test_after_a_restart_all_is_asked_again_but_what_failed() -> None:
    settings, device = Settings(), Device({**A, "pid": INVALID})
    settings.refresh(device, 0.0)
    device.asked = []

    settings.expire()
    settings.refresh(device, 1.0)

    assert device.asked == ["pwm", "s-h", "postfilter"]


def test_values_of_another_type_are_none_and_a_problem() -> None:
    settings = Settings()
    answer = b'[{"channel":0,"center":true,"max_v":{"value":"4","max":5},"max_i_pos":[1]}]'

    settings.refresh(Device({**A, "pwm": answer}), 0.0)

    assert values(settings)["center_ch0"] is None
    assert list(settings.problems) == [
        "center_ch0: wanted a text, got true or false",
        "output_max_v_ch0: wanted a number, got a text",
        "output_max_i_pos_ch0: wanted a number, got a list or an object",
    ]


def test_a_device_that_refuses_all_is_of_no_generation() -> None:
    settings = Settings()

    settings.refresh(Device({}), 0.0)

    assert settings.generation == ("", "")
    assert names(settings) == []
    assert len(settings.problems) == len(QUERIES)


def test_only_queries_that_change_nothing_can_be_sent() -> None:
    spellings = {spelling for query in QUERIES for spelling in query.spellings}

    assert spellings <= ALLOWED
    assert all(" " not in query for query in ALLOWED)


def test_a_refusal_keeps_the_words_of_the_first_spelling() -> None:
    settings = Settings()

    settings.refresh(Device({"output": RefusedError("'first'"), "pwm": b'{"error":"x"}'}), 0.0)

    assert "refused with 'first'" in settings.problems[0]
