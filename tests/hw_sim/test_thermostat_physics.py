"""The load, the converters and the PID of the simulated thermostat."""

import json
import math
from itertools import pairwise
from typing import Any

import pytest

from hw_sim.thermostat import Settings, Thermistor, ThermostatSimulator
from hw_sim.thermostat.channel import Pid, resistance
from hw_sim.thermostat.text import encode


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def reports(
    simulator: ThermostatSimulator, clock: Hand, count: int, step_s: float
) -> list[list[dict[str, Any]]]:
    found = []
    for _ in range(count):
        clock.now_s += step_s
        found.append(json.loads(encode(simulator.board.report())))
    return found


def test_a_voltage_becomes_the_resistance_and_temperature_that_are_published() -> None:
    ohm = resistance(0.6199188965423515)

    assert ohm == 6138.519310282602
    assert Thermistor().temperature(ohm) == 36.87032392655527
    assert resistance(1.65 * 10000 / 20200) == pytest.approx(10000.0, rel=1e-15)
    assert Thermistor().temperature(10000.0) == 25.0


@pytest.mark.parametrize("celsius", [-40.0, 0.0, 23.0, 60.0])
def test_the_thermistor_goes_both_ways(celsius: float) -> None:
    assert Thermistor().temperature(Thermistor().ohm(celsius)) == pytest.approx(celsius)


def test_the_values_of_a_report_agree_with_each_other() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock, generation="a-old")

    for report in reports(simulator, clock, 50, 0.7):
        for channel, center in zip(report, (None, 1.5), strict=True):
            ohm = 10200 * channel["adc"] / (1.65 - channel["adc"])
            kelvin = 1 / (1 / 298.15 + math.log(ohm / 10000) / 3800)
            assert channel["sens"] == pytest.approx(ohm, rel=1e-12)
            assert channel["temperature"] == pytest.approx(kelvin - 273.15, abs=1e-9)
            zero = channel["vref"] if center is None else center
            assert channel["dac_value"] == pytest.approx(zero + 0.5 * channel["i_set"])
            assert channel["i_tec"] == pytest.approx(channel["vref"] + 0.4 * channel["tec_i"])
            assert channel["dac_feedback"] == pytest.approx(channel["dac_value"], abs=0.003)
            for key in ("dac_feedback", "i_tec", "vref"):
                assert channel[key] * 1000 == pytest.approx(round(channel[key] * 1000))


def test_channels_are_sampled_in_turn_ten_times_a_second() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)

    seen = reports(simulator, clock, 100, 0.05)

    times = sorted({channel["time"] for report in seen for channel in report})
    assert all(0.048 <= b - a <= 0.052 for a, b in pairwise(times))
    assert {channel["interval"] for report in seen[4:] for channel in report} == {0.099, 0.101}


def test_the_pid_brings_the_load_to_its_target_and_keeps_it_there() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)

    seen = [report[0] for report in reports(simulator, clock, 60, 10.0)]

    assert abs(seen[-1]["temperature"] - 20.0) < 0.02
    assert all(abs(each["temperature"] - 20.0) < 0.05 for each in seen[30:])
    assert 0.5 < seen[-1]["tec_i"] < 1.2
    assert seen[-1]["tec_u_meas"] == pytest.approx(1.1 * seen[-1]["tec_i"], abs=0.02)
    assert all(each["pid_engaged"] for each in seen)


def test_without_the_pid_the_load_takes_up_the_temperature_of_the_room() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)

    seen = [report[1] for report in reports(simulator, clock, 60, 10.0)]

    assert abs(seen[-1]["temperature"] - 25.0) < 0.6
    assert all(each["pid_output"] == 0.0 for each in seen)
    assert max(abs(each["tec_i"]) for each in seen) < 0.01


@pytest.mark.parametrize(("current", "sign"), [(1.0, -1), (-1.0, 1)])
def test_a_positive_current_cools(current: float, sign: int) -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)
    simulator.set_settings(
        1, Settings(center=1.5, i_set=current, max_v=4.0, max_i_pos=2.0, max_i_neg=2.0)
    )

    first, *_, last = (report[1] for report in reports(simulator, clock, 20, 1.0))

    assert math.copysign(1, last["temperature"] - first["temperature"]) == sign
    assert last["tec_i"] == pytest.approx(current, abs=0.01)


def test_limits_bound_the_current_and_the_output() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)
    pid = Pid(kp=10.0, ki=1.0, output_max=1.5)
    simulator.set_settings(
        0, Settings(max_v=4.0, max_i_pos=0.5, max_i_neg=0.5, engaged=True, target=0.0, pid=pid)
    )

    last = reports(simulator, clock, 20, 1.0)[-1][0]

    assert last["pid_output"] == 1.5
    assert last["tec_i"] == pytest.approx(0.5, abs=0.01)


def test_a_sensor_that_is_lost_powers_its_channel_down() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)
    reports(simulator, clock, 10, 1.0)
    simulator.set_fault("sensor-loss")

    last = reports(simulator, clock, 2, 1.0)[-1][0]

    assert [last[key] for key in ("adc", "sens", "temperature")] == [None] * 3
    assert last["pid_engaged"] is True
    assert abs(last["tec_i"]) < 0.01


def test_the_same_seed_makes_the_same_values() -> None:
    seen = []
    for seed in (1, 1, 2):
        clock = Hand()
        seen.append(reports(ThermostatSimulator(clock=clock, seed=seed), clock, 20, 0.5))

    assert seen[0] == seen[1] != seen[2]


def test_frozen_values_stay_and_time_goes_on_from_where_it_was() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)
    reports(simulator, clock, 5, 1.0)
    simulator.freeze()

    frozen = reports(simulator, clock, 3, 100.0)
    simulator.thaw()
    after = reports(simulator, clock, 1, 1.0)[0]

    assert frozen[0] == frozen[1] == frozen[2]
    assert 0.8 < after[0]["time"] - frozen[0][0]["time"] < 1.2


def test_a_pause_of_years_is_over_soon() -> None:
    clock = Hand()
    simulator = ThermostatSimulator(clock=clock)

    report = reports(simulator, clock, 1, 3 * 365 * 86400.0)[0]

    assert report[0]["time"] == pytest.approx(3 * 365 * 86400.0 + 1.0, abs=0.2)
    assert abs(report[0]["temperature"] - 20.0) < 0.05


def test_a_generation_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no generation 'c': known are a, b, a-old, a-swap"):
        ThermostatSimulator(generation="c")
