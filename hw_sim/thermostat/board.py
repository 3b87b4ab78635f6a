"""The thermostat itself: two channels on one clock, its flash, its fan, and its reports."""

import copy
import threading
from collections.abc import Callable, Sequence

import attrs

from hw_sim.thermostat.channel import (
    MONITOR,
    SHUNT,
    Channel,
    Pid,
    Settings,
    resistance,
)
from hw_sim.thermostat.text import Json

GENERATIONS = ("a", "b", "a-old", "a-swap")
CATCH_UP_STEPS = 36_000  # an hour; of a longer pause only so much is lived through
STEP_MS = 100
OFFSETS_MS = (0, 50)  # the channels are sampled in turn


@attrs.define
class Fan:
    """What the fan is set to."""

    pwm: float = 45.0
    auto: bool = True
    k_a: float = 1.0
    k_b: float = 0.0
    k_c: float = 0.0


def regulating() -> Settings:
    """A laser that is kept at 20 °C."""
    pid = Pid(kp=10.0, ki=0.02)
    return Settings(max_v=4.0, max_i_pos=2.0, max_i_neg=2.0, engaged=True, target=20.0, pid=pid)


class Board:
    """Everything that the sessions share; whoever uses it holds ``lock``.

    Args:
        sensors: How many channels, from the first, have a thermistor.
        clock: Seconds that only rise.
    """

    def __init__(
        self, generation: str, has_fan: bool, sensors: int, seed: int, clock: Callable[[], float]
    ) -> None:
        self.generation = generation
        self.fan = Fan() if has_fan else None
        self.address = "192.168.1.26/24"
        self.gateway: str | None = None
        self.flash: dict[int, Settings] = {}
        self.restarts = 0
        self.lock = threading.RLock()
        settings = (regulating(), Settings(center=1.5))
        self.channels: Sequence[Channel] = tuple(
            Channel(number, seed, each, number < sensors) for number, each in enumerate(settings)
        )
        self._clock = clock
        self._booted_s = clock() - 1.0  # it ran before anybody asked
        self._steps = [0, 0]
        self._frozen = False

    @property
    def is_b(self) -> bool:
        """Whether it is of the later generation."""
        return self.generation == "b"

    def reboot(self) -> None:
        """Start anew: the time since boot is 0, and what flash keeps is in force."""
        self.restarts += 1
        self._booted_s = self._clock()
        self._steps = [0, 0]
        for channel in self.channels:
            channel.reboot()
            if channel.index in self.flash:
                channel.settings = copy.deepcopy(self.flash[channel.index])

    def freeze(self) -> None:
        """Nothing moves any more."""
        self.advance()
        self._frozen = True

    def thaw(self) -> None:
        """Time goes on, from now."""
        if self._frozen:
            self._frozen = False
            last_s = max(each.measured.time for each in self.channels)
            self._booted_s = self._clock() - last_s

    def advance(self) -> int:
        """Live through the samples up to now; how many there have been since boot."""
        if not self._frozen:
            now_ms = round((self._clock() - self._booted_s) * 1000)
            for channel, offset_ms in zip(self.channels, OFFSETS_MS, strict=True):
                due = max(0, (now_ms - offset_ms) // STEP_MS)
                done = max(self._steps[channel.index], due - CATCH_UP_STEPS)
                for step in range(done, due):
                    jitter_ms = (step + channel.index) % 2  # the converter has a clock of its own
                    at_ms = STEP_MS * (step + 1) + offset_ms + jitter_ms
                    channel.step(at_ms / 1000)
                self._steps[channel.index] = due
        return sum(self._steps)

    def report(self) -> list[Json]:
        """As ``report`` gives it."""
        self.advance()
        return [self._report(channel) for channel in self.channels]

    def _report(self, channel: Channel) -> dict[str, Json]:
        now, one = channel.measured, channel.settings
        adc = channel.adc
        ohm = None if adc is None else resistance(adc)
        found: dict[str, Json] = {
            "channel": channel.index,
            "time": now.time,
            "interval": now.interval,
            "adc": adc,
            "sens": ohm,
            "temperature": None if ohm is None else one.thermistor.temperature(ohm),
            "pid_engaged": one.engaged,
        }
        if self.generation == "a-swap":
            found["current_swapped"] = one.swapped
        center = now.vref if one.center is None else one.center
        found["i_set"] = (now.dac_value - center) / SHUNT
        if self.generation == "a-old":
            found["vref"] = now.vref
        found["dac_value"] = now.dac_value
        found["dac_feedback"] = now.dac_feedback
        found["i_tec"] = now.i_tec
        found["tec_i"] = (now.i_tec - now.vref) / MONITOR
        found["tec_u_meas"] = 4 * (now.pin - 1.5)
        is_nullable = self.generation == "a-old" and adc is None
        found["pid_output"] = None if is_nullable else now.pid_output
        return found
