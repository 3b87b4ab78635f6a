"""A database whose rows are a time and a JSON object, as that of the heat pump logger."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

import attrs

from agent.errors import StoreError
from agent.importing import heat_pump
from agent.importing.columns import Columns, Resolve, make_columns, plain
from agent.importing.reading import Facts, FileError, Into, Reading, Trouble, shown
from agent.importing.times import Times, check_range
from agent.model import Metric
from agent.store.foreign import ForeignFile

SNIFFED_ROWS = 20
PAGE = 64  # rows that are read at once: 4 MB of a heat pump
COUNT_S = 5.0
KNOWN_LIMIT = 64  # objects with different names whose columns are remembered
SINGLE = (int, float, str, bool, type(None))

Json = dict[str, Any]


@attrs.frozen
class Found:
    """The table, its columns of times and objects, and some of the objects."""

    table: str
    time: str
    data: str
    objects: Sequence[Json]
    is_heat_pump: bool


class JsonDb:
    """Reads one file.

    Raises:
        FileError: From every method.
    """

    def __init__(self, path: Path, zone: tzinfo, now_ms: int) -> None:
        self._path = path
        self._zone = zone
        self._now_ms = now_ms
        try:
            with ForeignFile(path) as file:
                self._found = find(file, zone)
                extent = file.extent(self._found.table, self._found.time, COUNT_S)
        except StoreError as exc:
            raise FileError(str(exc)) from exc
        is_known = self._found.is_heat_pump
        title = "heat pump logger" if is_known else f"table {self._found.table} with JSON objects"
        self.facts = Facts(
            title,
            heat_pump.KIND if is_known else None,
            None,
            extent.count,
            _ms(extent.first, zone),
            _ms(extent.last, zone),
        )

    def metrics(self, into: Into) -> Mapping[str, Metric]:
        resolve = self._resolve(into)
        made: dict[str, Metric] = {}
        alike: dict[tuple[str, ...], list[Json]] = {}
        for each in self._found.objects:
            alike.setdefault(tuple(each), []).append(each)
        for objects in alike.values():
            columns = _columns(objects[0], resolve, Trouble())
            made |= columns.metrics([[*each.values()] for each in objects])
        return made

    def readings(self, into: Into, trouble: Trouble) -> Iterator[Reading]:
        resolve = self._resolve(into)
        known: dict[tuple[str, ...], Columns] = {}
        times = Times(self._zone)
        found = self._found
        try:
            with ForeignFile(self._path) as file:
                for page in file.pages(found.table, (found.time, found.data), PAGE):
                    for number, time, data in page:
                        try:
                            yield self._reading(
                                number, times.of(time), data, known, resolve, trouble
                            )
                        except ValueError as exc:
                            trouble.bad.add(number, str(exc))
                            continue
                        if times.doubt:
                            trouble.doubtful.add(number, times.doubt)
        except StoreError as exc:
            raise FileError(str(exc)) from exc

    def _reading(
        self,
        number: int,
        ts_ms: int,
        data: Any,
        known: dict[tuple[str, ...], Columns],
        resolve: Resolve,
        trouble: Trouble,
    ) -> Reading:
        check_range(ts_ms, self._now_ms)
        values = object_of(data)
        names = tuple(values)
        columns = known.get(names)
        if columns is None:
            if len(known) >= KNOWN_LIMIT:
                known.clear()
            columns = known[names] = _columns(values, resolve, trouble)
        return Reading(ts_ms, columns.names, columns.values([*values.values()]), number)

    def _resolve(self, into: Into) -> Resolve:
        is_heat_pump = into.kind == heat_pump.KIND
        return heat_pump.resolver(into, self._zone) if is_heat_pump else plain(into)


def find(file: ForeignFile, zone: tzinfo) -> Found:
    """The table with times and objects; that of a heat pump, if there are several.

    Raises:
        FileError: There is none.
    """
    candidates = []
    tables = file.tables()
    for table, columns in tables.items():
        rows = file.some(table, columns, SNIFFED_ROWS) if columns else []
        time = _best(columns, rows, lambda cell: _ms(cell, zone) is not None)
        data = _best(columns, rows, lambda cell: bool(_try_object(cell)))
        if time is None or data is None or time == data:
            continue
        at = columns.index(data)
        objects = [made for row in rows if (made := _try_object(row[at]))]
        names = [*objects[0]]
        candidates.append(Found(table, time, data, objects, heat_pump.is_heat_pump(names)))
    if not candidates:
        there = shown(", ".join(tables)) if tables else "none"
        raise FileError(f"no database of a logger that is known, its tables are {there}")
    return max(candidates, key=lambda each: (each.is_heat_pump, len(each.objects[0])))


def object_of(data: Any) -> Json:
    """A JSON object.

    Raises:
        ValueError: It is none, or empty.
    """
    try:
        found = json.loads(data) if isinstance(data, str | bytes) else None
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"wanted a JSON object, got {shown(data)}") from exc
    if not isinstance(found, dict) or not found:
        raise ValueError(f"wanted a JSON object, got {shown(data)}")
    return found


def _try_object(cell: Any) -> Json:
    try:
        return object_of(cell)
    except ValueError:
        return {}


def _best(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], is_it: Callable[[Any], bool]
) -> str | None:
    """The first column that is so in most rows."""
    for at, name in enumerate(columns):
        if rows and 2 * sum(is_it(row[at]) for row in rows) > len(rows):
            return name
    return None


def _columns(values: Json, resolve: Resolve, trouble: Trouble) -> Columns:
    names = [*values]
    merged = heat_pump.version_parts(names)
    inside = {at for parts in merged.values() for at in parts}
    named = []
    for at, (name, value) in enumerate(values.items()):
        if not isinstance(value, SINGLE):
            trouble.note(f"column {shown(name)} is left out: it has lists or objects")
        elif at not in inside:
            named.append((at, name))
    return make_columns(named, resolve, trouble, merged)


def _ms(raw: Any, zone: tzinfo) -> int | None:
    """A time that a sample may have, or ``None``."""
    try:
        ts_ms = Times(zone).of(raw)
        check_range(ts_ms, ts_ms)
    except ValueError:
        return None
    return ts_ms
