"""What a thermostat is set to: asked for once in a while, with queries alone.

Source: the command reference of the firmware, both generations.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from agent.devices.thermostat.fields import TEXT, Field, Row
from agent.devices.thermostat.session import UnaskedError
from agent.devices.thermostat.turn import Turn
from agent.devices.thermostat.wire import Json, RefusedError, channels
from agent.model import Metric, Value

GENERATIONS: Final = {"output": "B", "pwm": "A"}  # of the firmware, by the query that it knows

FAILURES: Final[Mapping[type[Exception], str]] = {  # without figures, which would move
    TimeoutError: "no answer in time",
    OSError: "the connection ended",
    UnaskedError: "lines came that nobody asked for",
    ValueError: "the answer was another one",
}

Ask = Callable[[str], Json]
"""Sends a query and gives its answer; RefusedError, ValueError or OSError as it fares."""


@attrs.frozen
class Query:
    """One query: its spellings, newest first, and where its answer has which setting."""

    spellings: tuple[str, ...]
    sign: tuple[str, ...]
    fields: Mapping[tuple[str, ...], Field]


def _field(name: str, unit: str, text: str) -> Field:
    return Field(name, unit, f"Setting: {text}")


QUERIES: Final = (
    Query(
        ("output", "pwm"),
        ("max_v", "max_i_pos"),
        {
            ("center",): Field(
                "center", "", "Setting: zero of the current, vref (measured) or volts", TEXT
            ),
            ("max_v",): _field("output_max_v", "V", "highest voltage at the TEC"),
            ("max_i_pos",): _field("output_max_i_pos", "A", "highest current that cools"),
            ("max_i_neg",): _field("output_max_i_neg", "A", "highest current that heats"),
            ("polarity",): Field("polarity", "", "Setting: normal or reversed", TEXT),
        },
    ),
    Query(
        ("pid",),
        ("parameters",),
        {
            ("target",): _field("pid_target", "°C", "temperature that the PID keeps"),
            ("parameters", "kp"): _field("pid_kp", "A/K", "proportional gain"),
            ("parameters", "ki"): _field("pid_ki", "A/K", "integral gain, for each sample"),
            ("parameters", "kd"): _field("pid_kd", "A/K", "derivative gain, for each sample"),
            ("parameters", "output_min"): _field("pid_output_min", "A", "lowest PID output"),
            ("parameters", "output_max"): _field("pid_output_max", "A", "highest PID output"),
            ("parameters", "integral_min"): _field("pid_integral_min", "A", "lowest integral"),
            ("parameters", "integral_max"): _field("pid_integral_max", "A", "highest integral"),
        },
    ),
    Query(
        ("b-p", "s-h"),
        ("params",),
        {
            ("params", "t0"): _field("sensor_t0", "K", "temperature at which the thermistor is r0"),
            ("params", "r0"): _field("sensor_r0", "Ω", "resistance of the thermistor at t0"),
            ("params", "b"): _field("sensor_b", "K", "beta of the thermistor"),
        },
    ),
    Query(
        ("postfilter",),
        ("rate",),
        {("rate",): _field("postfilter_rate", "Hz", "rate of the ADC's filter, empty when off")},
    ),
)


@attrs.define
class _Group:
    """The settings of one query, as they were found last."""

    query: Query
    spelling: str = ""  # that the device knows
    row: Row = attrs.Factory(Row)
    turn: Turn = attrs.Factory(Turn)
    unanswered: int = 0  # times in a row that asking was of no use
    problem: str = ""

    def refresh(self, ask: Ask, now_s: float) -> None:
        try:
            self.row = _row(self._ask(ask), self.query)
        except RefusedError as exc:
            self.put_off(f"the thermostat refused with {exc}", now_s)
        except (OSError, ValueError):
            self.unanswered += 1
            raise
        else:
            self.turn.succeed(now_s)
            self.problem = ""
        self.unanswered = 0

    def put_off(self, why: str, now_s: float) -> None:
        """It is not known, and not asked for some time."""
        self.row.lose()
        name = self.spelling or " or ".join(self.query.spellings)
        self.problem = f"settings of {name} are not known, {why}; asked again later"
        self.turn.fail(now_s)

    def forget(self, now_s: float) -> None:
        """It may be another device that is read next."""
        self.row.lose()
        self.spelling = ""
        self.turn.hurry(now_s)

    def _ask(self, ask: Ask) -> Mapping[int, Mapping[str, Json]]:
        refused: RefusedError | None = None
        for spelling in sorted(self.query.spellings, key=lambda each: each != self.spelling):
            try:
                answer = ask(spelling)
            except RefusedError as exc:
                refused = refused or exc
                continue
            self.spelling = spelling
            return channels(answer, self.query.sign, f"the settings of {spelling!r}")
        assert refused is not None
        raise refused


class Settings:
    """All settings, with the time when each query is due again."""

    def __init__(self) -> None:
        self._groups: Sequence[_Group] = tuple(_Group(query) for query in QUERIES)

    def forget(self, now_s: float) -> None:
        """Those that were known stay, without a value, until they are answered again."""
        for group in self._groups:
            group.forget(now_s)

    def expire(self) -> None:
        """Ask again soon, the device may be another; but not for what it did not answer."""
        for group in self._groups:
            if not group.turn.failures:
                group.turn.due_s = 0.0

    def refresh(self, ask: Ask, now_s: float) -> None:
        """Send the queries that are due. What the device refuses is a problem, and no error.

        Raises:
            OSError, ValueError: No answer, or one to another request. All that was still to be
                asked is put off: each try costs a time-out and the connection.
        """
        due = [group for group in self._groups if now_s >= group.turn.due_s]
        due.sort(key=lambda group: group.unanswered)  # what is answered is not to wait for others
        for at, group in enumerate(due):
            try:
                group.refresh(ask, now_s)
            except (OSError, ValueError) as exc:
                why = next(text for kind, text in FAILURES.items() if isinstance(exc, kind))
                for each in due[at:]:
                    each.put_off(why, now_s)
                raise

    @property
    def generation(self) -> tuple[str, str]:
        """Of the firmware, and the query that tells it; empty as long as it is not known."""
        query = self._groups[0].spelling
        return GENERATIONS.get(query, ""), query

    @property
    def problems(self) -> Sequence[str]:
        """What is wrong with them, a sentence each."""
        found = (text for group in self._groups for text in (group.problem, *group.row.problems))
        return [text for text in found if text]

    def rows(self) -> Iterator[tuple[Metric, Value]]:
        """All that is known, the order is that of the queries."""
        for group in self._groups:
            for metric in group.row.metrics:
                yield metric, group.row.values[metric.name]


def _row(answer: Mapping[int, Mapping[str, Json]], query: Query) -> Row:
    row = Row()
    for path, field in query.fields.items():
        for number, each in answer.items():
            found = _at(each, path)
            if found is not MISSING:
                row.add(field.metric(number), _as_text(found) if field.type is TEXT else found)
    return row


MISSING: Final = ["missing"]


def _at(row: Mapping[str, Json], path: Sequence[str]) -> Json:
    found: Json = row
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return MISSING
        found = found[key]
    # Generation A has the limit of each value beside it.
    return found["value"] if isinstance(found, Mapping) and "value" in found else found


def _as_text(raw: Json) -> Json:
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    return f"{raw:.15g}" if is_number else raw
