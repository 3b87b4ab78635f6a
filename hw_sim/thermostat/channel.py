"""One channel of the thermostat: a load on a TEC, its thermistor, the converters, and the PID.

Source: the conversion constants of the firmware; the load is a body of first order.
"""

import math
import random

import attrs

KELVIN = 273.15
VOLTS = 1.65  # across the divider of the thermistor
DIVIDER = 10200.0  # ohm
SAMPLE_S = 0.1
TAU_S = 60.0  # the load takes up the room's temperature
COOLING = 0.1  # K/s per ampere; a positive current cools
OHM = 1.1  # of the TEC
ADC_NOISE = 2e-6  # V
MONITOR = 0.4  # V per ampere at the current monitor
VREF = 1.4955  # V, the true one; the measured one jitters, and so does i_set
SHUNT = 0.5  # V per ampere at the DAC


@attrs.define
class Pid:
    """Gains and limits, with their defaults."""

    kp: float = 0.0
    ki: float = 0.0
    kd: float = 0.0
    output_min: float = -2.0
    output_max: float = 2.0


@attrs.define
class Thermistor:
    """Beta model: ``t0`` in kelvin, ``r0`` in ohm, ``b`` in kelvin."""

    t0: float = 298.15
    r0: float = 10000.0
    b: float = 3800.0

    def temperature(self, ohm: float) -> float:
        """In degrees Celsius.

        >>> Thermistor().temperature(10000.0)
        25.0
        """
        return 1.0 / (1.0 / self.t0 + math.log(ohm / self.r0) / self.b) - KELVIN

    def ohm(self, celsius: float) -> float:
        """The resistance at a temperature."""
        return self.r0 * math.exp(self.b * (1.0 / (celsius + KELVIN) - 1.0 / self.t0))


def resistance(adc: float) -> float:
    """Ohm of the thermistor, from the volts of the divider.

    >>> resistance(0.6199188965423515)
    6138.519310282602
    """
    return DIVIDER * adc / (VOLTS - adc)


@attrs.define
class Settings:
    """What commands change, and flash keeps."""

    center: float | None = None  # V; None: the measured reference
    i_set: float = 0.0
    max_v: float = 0.0
    max_i_pos: float = 0.0
    max_i_neg: float = 0.0
    polarity: str = "normal"
    engaged: bool = False
    target: float = 0.0
    rate: float | None = None  # of the post filter, Hz
    swapped: bool = False
    pid: Pid = attrs.Factory(Pid)
    thermistor: Thermistor = attrs.Factory(Thermistor)


@attrs.define
class Measured:
    """What the converters gave last."""

    time: float = 0.0
    interval: float = SAMPLE_S
    adc: float | None = None
    vref: float = 1.5
    dac_value: float = 1.5
    dac_feedback: float = 1.5
    i_tec: float = 1.5
    pin: float = 1.5  # half the TEC's voltage monitor
    pid_output: float = 0.0


def millivolts(volts: float) -> float:
    """Rounded as the slow converter does."""
    return round(volts, 3)


class Channel:
    """One of the two channels; ``step()`` is one sample."""

    def __init__(self, index: int, seed: int, settings: Settings, has_sensor: bool) -> None:
        self.index = index
        self.settings = settings
        self.has_sensor = has_sensor
        self.is_lost = False  # the sensor, by a fault
        self.measured = Measured()
        self._random = random.Random(f"{seed} {index}")
        self._celsius = 23.0 + 0.4 * index  # of the load
        self._phase = self._random.uniform(0.0, math.tau)
        self._inputs: tuple[float, float] | None = None  # the last two temperatures
        self._target = settings.target

    def reboot(self) -> None:
        """As after power: the converters start anew, the load keeps its temperature."""
        self.measured = Measured()
        self._inputs = None

    @property
    def adc(self) -> float | None:
        """Volts at the divider of the thermistor; ``None`` without one."""
        return None if self.is_lost else self.measured.adc

    @property
    def current(self) -> float:
        """Ampere that flow now; nothing without the voltage and current limits set."""
        one = self.settings
        wanted = self.measured.pid_output if one.engaged else one.i_set
        if one.engaged and self.adc is None:
            return 0.0  # the firmware powers the channel down
        if not one.max_v:
            return 0.0
        return min(max(wanted, -one.max_i_neg), one.max_i_pos, one.max_v / OHM)

    def step(self, time_s: float) -> None:
        """One sample at so many seconds since boot."""
        one, now = self.settings, self.measured
        room = 25.0 + 0.5 * math.sin(math.tau * time_s / 600.0 + self._phase)
        self._celsius += SAMPLE_S * ((room - self._celsius) / TAU_S - COOLING * self.current)
        now.interval = round(time_s - now.time, 3) if now.time else SAMPLE_S
        now.time = time_s
        now.adc = None
        if self.has_sensor:
            ohm = Thermistor().ohm(self._celsius)  # the real part, whatever is set
            now.adc = VOLTS * ohm / (ohm + DIVIDER) + self._random.gauss(0.0, ADC_NOISE)
            self._regulate(one.thermistor.temperature(resistance(now.adc)))
        self._convert(now)

    def _regulate(self, celsius: float) -> None:
        """One step of the incremental PID, which also runs while it is not engaged."""
        one, pid = self.settings, self.settings.pid
        last, before = self._inputs or (celsius, celsius)
        change = pid.kp * (celsius - last) + pid.ki * (celsius - one.target)
        change += pid.kd * (celsius - 2 * last + before) + pid.kp * (self._target - one.target)
        output = self.measured.pid_output + change
        self.measured.pid_output = min(max(output, pid.output_min), pid.output_max)
        self._inputs = celsius, last
        self._target = one.target

    def _convert(self, now: Measured) -> None:
        one = self.settings
        wanted = now.pid_output if one.engaged else one.i_set
        now.vref = millivolts(VREF + self._random.gauss(0.0, 0.0003))
        center = VREF if one.center is None else one.center
        now.dac_value = min(max(center + SHUNT * wanted, 0.0), 3.0)
        now.dac_feedback = millivolts(now.dac_value - self._random.uniform(0.0, 0.002))
        now.i_tec = millivolts(now.vref + MONITOR * self.current + self._random.gauss(0.0, 0.0004))
        now.pin = millivolts(1.5 + OHM * self.current / 4 + self._random.gauss(0.0, 0.0004))
