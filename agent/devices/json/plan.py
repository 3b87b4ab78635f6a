"""Which values are taken of an answer: those that tags name, or all that are there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from agent.devices.json.names import LEAVES_LIMIT, Names
from agent.devices.json.options import Options, Tag
from agent.devices.json.path import AbsentError, find, what_is
from agent.devices.json.values import converted, leaves, type_of
from agent.devices.tags import scaling
from agent.model import Metric, MetricType, Value

Scale = Callable[[object], float | None]


class Plan(Protocol):
    """Takes values of one answer after the other."""

    @property
    def metrics(self) -> Sequence[Metric]:
        """The same object until it changes."""

    @property
    def warnings(self) -> Sequence[str]:
        """What was wrong with the last answer."""

    def values(self, answer: Any) -> Mapping[str, Value]:
        """In the order of ``metrics``.

        Raises:
            ValueError: There is no value in it.
        """

    def describe(self) -> Sequence[str]:
        """What is taken, and what there was in place of what is missing."""


class TagPlan:
    """The values that tags name; one that is not in the answer is ``None``, with a warning."""

    def __init__(self, options: Options) -> None:
        self._tags = options.tag
        self._steps = options.planned_tags()
        self._types = {tag.name: tag.metric_type for tag in options.tag}
        self._scales = {tag.name: _scales(tag) for tag in options.tag}
        self._there: Mapping[str, str] = {}
        self.metrics: Sequence[Metric] = self._make_metrics()
        self.warnings: Sequence[str] = ()

    def values(self, answer: Any) -> Mapping[str, Value]:
        values: dict[str, Value] = {}
        warnings, there = [], {}
        for tag in self._tags:
            try:
                raw = find(answer, self._steps[tag.name])
            except AbsentError as exc:
                values[tag.name] = None
                there[tag.name] = exc.there
                warnings.append(f"{tag.name}: {tag.path} is not in the answer")
                continue
            values[tag.name], problem = self._value(tag, raw)
            if problem:
                warnings.append(f"{tag.name}: {tag.path}: {problem}")
        if len(there) == len(self._tags):
            tag = self._tags[0]
            raise ValueError(
                f"no tag is in the answer: in the place of {tag.path} is {there[tag.name]}"
            )
        self._there, self.warnings = there, warnings
        return values

    def describe(self) -> Sequence[str]:
        absent = [
            f"{tag.name}: {tag.path} is not in the answer, in its place is {self._there[tag.name]}"
            for tag in self._tags
            if tag.name in self._there
        ]
        return [f"{_counted(len(self._tags), 'tag')}", *absent]

    def _value(self, tag: Tag, raw: Any) -> tuple[Value, str]:
        wanted = self._types[tag.name]
        if wanted is None and (wanted := type_of(raw)) is not None:
            self._types[tag.name] = wanted
            if wanted is not MetricType.FLOAT:
                self.metrics = self._make_metrics()
        as_read = MetricType.INT if tag.type == MetricType.INT.name else wanted
        value, problem = converted(raw, as_read or MetricType.FLOAT)
        scales = self._scales[tag.name]
        if scales is None or value is None:
            return value, problem
        return scales[isinstance(value, int)](value), problem

    def _make_metrics(self) -> Sequence[Metric]:
        return tuple(tag.metric(self._types[tag.name]) for tag in self._tags)


class EverythingPlan:
    """All single values of the answers, by the way to them; those that are not there are left out.

    Metrics are those of all answers so far, since many a device sends now this and now that; each
    keeps its name and its type. Past the limit new ones are left out.
    """

    def __init__(self) -> None:
        self._names = Names()
        self._types: dict[str, MetricType | None] = {}
        self._count = 0  # of the last answer
        self.metrics: Sequence[Metric] = ()
        self.warnings: Sequence[str] = ()

    def values(self, answer: Any) -> Mapping[str, Value]:
        found = leaves(answer, self._names)
        self._count = len(found.values)
        hint = "name those that you want with [[device.tag]]"
        too_many = (
            f"the answers had more than {LEAVES_LIMIT} names by now, new ones are left out: {hint}"
        )
        if not found.values:
            if found.beyond_names:
                raise ValueError(too_many)
            raise ValueError(f"no value in the answer, which is {what_is(answer)}")
        self._learn(found.values)
        values: dict[str, Value] = {}
        warnings = []
        for name, known in self._types.items():
            if name in found.values:
                values[name], problem = converted(found.values[name], known or MetricType.FLOAT)
                if problem:
                    warnings.append(f"{name}: {problem}")
        if found.beyond_names:
            warnings.append(too_many)
        if found.beyond_limit:
            warnings.append(f"the answer has more than {LEAVES_LIMIT} values: {hint}")
        if found.beyond_depth:
            warnings.append(f"some values are nested too deep and left out: {hint}")
        self.warnings = warnings
        return values

    def describe(self) -> Sequence[str]:
        count = _counted(self._count, "value")
        return [f"no [[device.tag]] is configured: all {count} of the answer are taken"]

    def _learn(self, found: Mapping[str, Any]) -> None:
        known = self._types
        new = {name: type_of(value) for name, value in found.items() if known.get(name) is None}
        if all(name in known and each is None for name, each in new.items()):
            return
        known |= new
        self.metrics = tuple(
            Metric(name, "", each or MetricType.FLOAT, "") for name, each in known.items()
        )


def make_plan(options: Options) -> Plan:
    """The plan of a device's options."""
    return TagPlan(options) if options.tag else EverythingPlan()


def _scales(tag: Tag) -> Mapping[bool, Scale] | None:
    """How a number is scaled, by whether it is a whole one."""
    found = {
        whole: scaling(tag.scale, tag.offset, is_whole=whole, is_real=False)
        for whole in (True, False)
    }
    return {whole: each for whole, each in found.items() if each is not None} or None


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 else ''}"
