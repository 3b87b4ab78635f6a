"""What reports tell one after the other: restarts, converters that stand still, lost sensors."""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from agent.devices.thermostat.wire import Json
from agent.model import Value

STALE_S: Final = 1.0  # a sample is due each 0.1 s
CHANNELS: Final = (0, 1)
RESTARTED: Final = "the thermostat restarted: its time began anew"


@attrs.frozen
class _Sample:
    time: float  # of the thermostat
    since_s: float  # on our clock


class Watch:
    """Compares each report with those before."""

    def __init__(self) -> None:
        self.restarted = False  # between the last two reports
        self._has_restarted = False  # ever
        self._samples: dict[int, _Sample] = {}
        self._latest: dict[int, float] = {}  # kept when all else is forgotten
        self._channels: list[int] = []

    def look(
        self,
        report: Mapping[int, Mapping[str, Json]],
        values: Mapping[str, Value],
        now_s: float,
    ) -> list[str]:
        """What is wrong, a sentence each."""
        self._channels = list(report)
        self.restarted = False
        found = [
            f"channel {number} is missing in the report"
            for number in CHANNELS
            if number not in self._channels
        ]
        for number in self._channels:
            if _has_lost_sensor(report[number]):
                found.append(
                    f"channel {number}: no thermistor though its PID is engaged, so the thermostat "
                    "has switched the channel off; check the sensor and its cable"
                )
            if self._is_stale(values, number, now_s):
                found.append(f"channel {number}: no new sample, its values are old")
        return [RESTARTED, *found] if self.restarted else found

    def forget(self) -> None:
        """The next report is the first."""
        self._samples = {}

    def sentences(self, values: Mapping[str, Value]) -> Iterator[str]:
        """How the channels are, from the values of the last report and settings."""
        for number in self._channels:
            temperature = values.get(f"temperature_ch{number}")
            is_engaged = values.get(f"pid_engaged_ch{number}") is True
            target = values.get(f"pid_target_ch{number}")
            known = "no thermistor" if temperature is None else f"{temperature:.3f} °C"
            kept = f", PID engaged{f', target {target:g} °C' if target is not None else ''}"
            yield f"channel {number}: {known}{kept if is_engaged else ', PID not engaged'}"
        if self._has_restarted:
            yield "it has restarted since this program read it for the first time"

    def _is_stale(self, values: Mapping[str, Value], number: int, now_s: float) -> bool:
        time = values.get(f"time_ch{number}")
        before = self._samples.pop(number, None)
        if not isinstance(time, float):
            return False
        if time < self._latest.get(number, time):
            self._has_restarted = True
        self._latest[number] = time
        if before is None or time != before.time:
            self.restarted |= before is not None and time < before.time
            before = _Sample(time, now_s)
        self._samples[number] = before
        # A channel that never had a sample has no value that could be old.
        return now_s - before.since_s >= STALE_S and values.get(f"adc_ch{number}") is not None


def _has_lost_sensor(fields: Mapping[str, Json]) -> bool:
    """By the report itself: a temperature that is no number is another fault."""
    is_off = "temperature" in fields and fields["temperature"] is None
    has_sampled = bool(fields.get("time"))  # not yet just after a start
    return is_off and has_sampled and fields.get("pid_engaged") is True
