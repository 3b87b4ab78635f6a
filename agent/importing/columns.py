"""The columns of a file, and the metrics that they become."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import attrs

from agent.importing.reading import FileError, Into, Trouble, shown
from agent.importing.values import CONVERTS, of_json
from agent.model import RESERVED_METRICS, Metric, MetricType, Value

COLUMNS_LIMIT = 20_000  # of one file: so many metrics a device may have
NAME_LIMIT = 200  # characters
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
TYPES: Mapping[type, MetricType] = {
    bool: MetricType.BOOL,
    int: MetricType.INT,
    float: MetricType.FLOAT,
    str: MetricType.TEXT,
}
READY: Mapping[MetricType | None, type] = {
    MetricType.BOOL: bool,
    MetricType.INT: int,
    MetricType.FLOAT: float,
}  # what needs no conversion


class Target(NamedTuple):
    """What a column becomes; ``wanted`` is ``None`` where its values say of what type they are."""

    metric: Metric
    wanted: MetricType | None
    convert: Callable[[Any], Value]


Resolve = Callable[[str], Target]  # from the name of a column


@attrs.define
class _Slot:
    """A column while its file is read; with what it said last, as most columns rarely change."""

    at: int
    target: Target
    raw: Any = None
    value: Value = None


class Columns:
    """The columns of rows that all have the same."""

    def __init__(self, slots: Sequence[_Slot], merged: Mapping[str, Sequence[int]]) -> None:
        self._slots = slots
        self._merged = [*merged.values()]
        self.names = (*(slot.target.metric.name for slot in slots), *merged)

    def values(self, raw: Sequence[Any]) -> list[Value]:
        """The values of one row, in the order of ``names``.

        Raises:
            ValueError: One is not what its metric is.
        """
        values = []
        for slot in self._slots:
            found = raw[slot.at]
            last = slot.raw
            # Zeros are told apart by their signs, and 1 from 1.0 and true.
            if found is not last and (found != last or not found or type(found) is not type(last)):
                try:
                    slot.value = slot.target.convert(found)
                except ValueError as exc:
                    raise ValueError(f"{slot.target.metric.name}: {exc}") from exc
                slot.raw = found
            values.append(slot.value)
        return [*values, *(_joined(raw, places) for places in self._merged)]

    def metrics(self, rows: Iterable[Sequence[Any]]) -> dict[str, Metric]:
        """What the columns are; types that nobody knows come from some of the rows."""
        unknown = [slot for slot in self._slots if slot.target.wanted is None]
        seen: dict[str, set[type]] = {slot.target.metric.name: set() for slot in unknown}
        for raw in rows if unknown else ():
            for slot in unknown:
                try:
                    seen[slot.target.metric.name].add(type(slot.target.convert(raw[slot.at])))
                except (ValueError, IndexError):  # of a row that is bad
                    continue
        made = {name: Metric(name, type=MetricType.TEXT) for name in self.names}
        for slot in self._slots:
            metric = slot.target.metric
            if metric.name in seen:
                metric = attrs.evolve(metric, type=_type_of(seen[metric.name] - {type(None)}))
            made[metric.name] = metric
        return made


def _joined(raw: Sequence[Any], places: Sequence[int]) -> Value:
    return "".join(str(raw[at]) for at in places if raw[at]).strip("\0 ") or None


def _type_of(kinds: set[type]) -> MetricType:
    """The type of a metric with values of some types.

    >>> _type_of({int, float}), _type_of({int, str}), _type_of(set())
    (<MetricType.FLOAT: 'float'>, <MetricType.TEXT: 'text'>, <MetricType.FLOAT: 'float'>)
    """
    if str in kinds:
        return MetricType.TEXT
    return TYPES[kinds.pop()] if len(kinds) == 1 else MetricType.FLOAT


def plain(into: Into) -> Resolve:
    """Columns that have the names of metrics, however their letters are cased."""
    by_lower = {name.lower(): metric for name, metric in into.known.items()}

    def resolve(name: str) -> Target:
        metric = into.known.get(name) or by_lower.get(name.lower())
        wanted = metric.type if metric is not None else None
        return target(metric or Metric(name), wanted)

    return resolve


def target(metric: Metric, wanted: MetricType | None) -> Target:
    """A column whose values are of a type, or say it themselves where they are no texts."""
    from_text = CONVERTS[wanted]
    ready: Any = READY.get(wanted)

    def convert(raw: Any) -> Value:
        if type(raw) is ready and (ready is not float or math.isfinite(raw)):
            value: Value = raw
            return value
        return from_text(raw) if isinstance(raw, str) else of_json(raw, wanted)

    return Target(metric, wanted, convert)


def make_columns(
    named: Sequence[tuple[int, str]],
    resolve: Resolve,
    trouble: Trouble,
    merged: Mapping[str, Sequence[int]] | None = None,
) -> Columns:
    """The columns of these places and names; what can't be a metric is left out, and said.

    Raises:
        FileError: There are more than any device has.
    """
    if len(named) > COLUMNS_LIMIT:
        raise FileError(f"it has {len(named):,} columns, allowed: {COLUMNS_LIMIT:,}")
    slots: list[_Slot] = []
    taken = {name.lower() for name in merged or {}}
    for at, raw_name in named:
        name = UNPRINTABLE.sub("", raw_name).strip()
        why = _fault(name)
        if not why:
            found = resolve(name)
            if found.metric.name.lower() not in taken:
                taken.add(found.metric.name.lower())
                slots.append(_Slot(at, found))
                continue
            why = "another column has this name"
        what = shown(name) if name else f"number {at + 1}"
        trouble.note(f"column {what} is left out: {why}")
    return Columns(slots, merged or {})


def _fault(name: str) -> str:
    if not name:
        return "it has no name"
    if name.lower() in RESERVED_METRICS:
        return "no metric may have this name"
    return "its name is too long" if len(name) > NAME_LIMIT else ""
