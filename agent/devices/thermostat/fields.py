"""From the objects of a report to values: their names, units and types, known or not.

Source: the report object of the firmware; names and order as FIELDS of the loggers in use.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from agent.devices.thermostat.wire import Json
from agent.model import Metric, MetricType, Value

FLOAT, BOOL, TEXT = MetricType.FLOAT, MetricType.BOOL, MetricType.TEXT
UNKNOWN_LIMIT: Final = 64  # fields of a channel that this file does not name
TEXT_LIMIT: Final = 200  # characters
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}", re.ASCII)
SORTS: Final = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
WANTED: Final = {FLOAT: "a number", BOOL: "true or false", TEXT: "a text"}


@attrs.frozen
class Field:
    """One value of a channel."""

    name: str
    unit: str
    help: str
    type: MetricType = FLOAT

    def metric(self, channel: int) -> Metric:
        """As a channel has it.

        >>> FIELDS["adc"].metric(1).name
        'adc_ch1'
        """
        return Metric(f"{self.name}_ch{channel}", self.unit, self.type, self.help)


FIELDS: Final = {
    field.name: field
    for field in (
        Field("temperature", "°C", "Temperature of the thermistor"),
        Field("i_tec", "V", "Pin of the TEC's current monitor, in volts; tec_i is the current"),
        Field("pid_output", "A", "Current that the PID asks for, also while it is not engaged"),
        Field("adc", "V", "Voltage of the thermistor's divider"),
        Field("sens", "Ω", "Resistance of the thermistor"),
        Field("i_set", "A", "Current that is set; positive cools"),
        Field("dac_value", "V", "Voltage that the DAC is to give"),
        Field("dac_feedback", "V", "Voltage that the DAC gives, measured"),
        Field("tec_i", "A", "Current through the TEC, measured; positive cools"),
        Field("tec_u_meas", "V", "Voltage at the TEC, measured"),
        Field("pid_engaged", "", "Whether the PID sets the current", BOOL),
        Field("current_swapped", "", "Whether the current's direction is swapped", BOOL),
        Field("interval", "s", "Time between the last two samples"),
        Field("time", "s", "Time of the last sample, since the thermostat started"),
        Field("vref", "V", "Reference of the TEC's driver"),
    )
}
RARE: Final = {"current_swapped", "vref"}  # no release has the one, the other only old ones
SIGN: Final = ("adc", "temperature", "sens", "dac_value", "tec_i")  # a report has some of them


def standard_metrics() -> Sequence[Metric]:
    """What every firmware reports."""
    common = [field for name, field in FIELDS.items() if name not in RARE]
    return tuple(field.metric(channel) for field in common for channel in (0, 1))


@attrs.define
class Row:
    """Values with their metrics, in one order; ``problems`` say what is wrong with some."""

    values: dict[str, Value] = attrs.Factory(dict)
    metrics: list[Metric] = attrs.Factory(list)
    problems: list[str] = attrs.Factory(list)

    def add(self, metric: Metric, raw: Json) -> None:
        """One more value; what does not fit its metric is ``None`` and a problem."""
        self.metrics.append(metric)
        value, problem = typed(raw, metric.type)
        self.values[metric.name] = value
        if problem:
            self.problems.append(f"{metric.name}: {problem}")

    def lose(self) -> None:
        """All that it has is offered still, but not known."""
        self.values = dict.fromkeys(self.values)
        self.problems = []


def typed(raw: Json, wanted: MetricType) -> tuple[Value, str]:
    """A value of the wanted type, or ``None`` and why; null is ``None`` without a reason.

    >>> typed(1, FLOAT), typed("x", FLOAT)
    ((1.0, ''), (None, 'wanted a number, got a text'))
    """
    sort = sort_of(raw)
    if raw is None:
        return None, ""
    if sort != WANTED[wanted]:
        return None, f"wanted {WANTED[wanted]}, got {sort}"
    if isinstance(raw, str):
        text = raw[:TEXT_LIMIT]
        return "".join(each if each.isprintable() else "\ufffd" for each in text), ""
    if isinstance(raw, bool):
        return raw, ""
    assert isinstance(raw, int | float)
    value = float(raw)
    return (value, "") if math.isfinite(value) else (None, "wanted a finite number")


def sort_of(raw: Json) -> str:
    """What a value is, in words."""
    return SORTS.get(type(raw), "a list or an object")


class Decoder:
    """Reports to rows; remembers the types of fields that it does not know."""

    def __init__(self) -> None:
        self._types: dict[str, MetricType] = {}  # of metrics

    def row(self, channels: Mapping[int, Mapping[str, Json]]) -> Row:
        """For each field all channels; known fields first, as ``FIELDS`` has them."""
        row = Row()
        found = {number: self._fields(number, each, row) for number, each in channels.items()}
        names = dict.fromkeys([*FIELDS, *(name for each in found.values() for name in each)])
        types: dict[str, MetricType] = {}
        for name in names:
            for number, fields in found.items():
                if name in fields:
                    field = FIELDS.get(name) or self._unknown(name, number, fields[name], types)
                    row.add(field.metric(number), fields[name])
        self._types = types
        return row

    def forget(self) -> None:
        """Types may be others from now on."""
        self._types = {}

    def _unknown(self, name: str, number: int, raw: Json, types: dict[str, MetricType]) -> Field:
        key = f"{name}_ch{number}"
        kind = self._types.get(key)
        if kind is None and raw is not None:
            kind = {bool: BOOL, str: TEXT}.get(type(raw), FLOAT)
        if kind is not None:
            types[key] = kind  # a type is kept while the field is there
        return Field(name, "", "Not known to this program", kind or FLOAT)

    def _fields(self, number: int, fields: Mapping[str, Json], row: Row) -> dict[str, Json]:
        found = {name: raw for name, raw in fields.items() if name in FIELDS}
        taken = {name.lower() for name in found}
        unknown = 0
        for name, raw in _flat(fields):
            where = f"channel {number} of the report"
            if not NAME.fullmatch(name):
                problem = f"{where}: a field with an unusual name is left out"
            elif sort_of(raw) == "a list or an object" and raw is not None:
                problem = f"{where}: {name} is left out, it is no single value"
            elif name.lower() in taken:
                problem = f"{where}: {name} is left out, another field has this name"
            elif unknown == UNKNOWN_LIMIT:
                problem = f"{where}: of its unknown fields only {UNKNOWN_LIMIT} are taken"
            else:
                taken.add(name.lower())
                found[name] = raw
                unknown += 1
                continue
            if problem not in row.problems and len(row.problems) < UNKNOWN_LIMIT:
                row.problems.append(problem)
        return found


def _flat(fields: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Fields that are not known; those of an object inside are named with both names."""
    for name, raw in fields.items():
        if name in FIELDS or name == "channel":
            continue
        if isinstance(raw, Mapping):
            yield from ((f"{name}_{inner}", each) for inner, each in raw.items())
        else:
            yield name, raw
