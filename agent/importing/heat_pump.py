"""Names and values of the heat pump logger as our driver has them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

from agent.devices.luxtronik.layout import Column
from agent.devices.luxtronik.options import Options
from agent.devices.luxtronik.tables import entry
from agent.devices.luxtronik.values import VERSION_END, VERSION_FIRST, Form
from agent.devices.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES, Table
from agent.importing.columns import Resolve, Target, plain, target
from agent.importing.reading import Into
from agent.importing.times import parsed
from agent.importing.values import as_number, of_json
from agent.model import Metric, MetricType, Value

KIND = "luxtronik"
SIZES = {CALCULATIONS: 300, PARAMETERS: 1300, VISIBILITIES: 450}  # more than any controller has
PREFIXES = {f"{table.name}.": table for table in SIZES}
CLOCK = "calculations.ID_WEB_AktuelleTimeStamp"
VERSION = "calculations.ID_WEB_SoftStand"
VERSION_PART = re.compile(r"ID_WEB_SoftStand_(\d)")
NUMBERED = re.compile(r"(?:Unknown_[A-Za-z]+_)?(\d{1,5})", re.ASCII)
TIME_UNIT = "Unix s"
# Names that later versions of the package luxtronik gave to entries without one.
NEWER = {
    "Vapourisation_Temperature": 232,
    "Liquefaction_Temperature": 233,
    "ID_WEB_Freq_VD_Soll": 236,
    "ID_WEB_Freq_VD_Min": 237,
    "ID_WEB_Freq_VD_Max": 238,
    "VBO_Temp_Spread_Soll": 239,
    "VBO_Temp_Spread_Ist": 240,
    "HUP_PWM": 241,
    "HUP_Temp_Spread_Soll": 242,
    "HUP_Temp_Spread_Ist": 243,
    "RBE_Version": 258,
    "DESIRED_ROOM_TEMPERATURE": 267,
    "AC_Power_Input": 268,
}
READABLE_SIGN = "Flow Temperature"

Place = tuple[Table, int]


class Names:
    """Finds the entry of a controller that a column is, whatever logger named it."""

    def __init__(self) -> None:
        readable = Options("localhost", readable_headers=True)
        self._by_name: dict[tuple[Table, str], int] = {}
        self._by_title: dict[str, Place] = {}
        for table, size in SIZES.items():
            titles = metrics_by_index(table, readable)
            for index in range(size):
                each = entry(table, index)
                self._by_name[table, (each.name or str(index)).lower()] = index
                if index in titles and each.title:
                    self._by_title.setdefault(titles[index].name.lower(), (table, index))
        for name, index in NEWER.items():
            self._by_name.setdefault((CALCULATIONS, name.lower()), index)

    def place(self, name: str) -> Place | None:
        """Table and index."""
        table, rest = split(name)
        if table is None:
            return self._by_title.get(name.lower())
        index = self._by_name.get((table, rest.lower()))
        numbered = NUMBERED.fullmatch(rest)
        if numbered is not None:
            index = int(numbered[1])
        if index is None or index >= SIZES[table]:
            return None
        return table, index


@cache
def known_names() -> Names:
    """The names of all entries, made once."""
    return Names()


def split(name: str) -> tuple[Table | None, str]:
    """The table that a name begins with, and the rest; some loggers wrote it twice.

    >>> split("calculations.calculations.232")[1], split("Flow Temperature")
    ('232', (None, 'Flow Temperature'))
    """
    for prefix, table in PREFIXES.items():
        if name.startswith(prefix):
            while name.startswith(prefix):
                name = name.removeprefix(prefix)
            return table, name
    return None, name


@cache
def metrics_by_index(table: Table, options: Options) -> Mapping[int, Metric]:
    """What our driver makes of a table; the firmware's letters are one metric, at the first."""
    metrics = Column(table, SIZES[table], options).metrics
    indexes = [*range(SIZES[table])]
    if table is CALCULATIONS:
        del indexes[VERSION_FIRST + 1 : VERSION_END]
    return dict(zip(indexes, metrics, strict=True))


def all_metrics() -> Iterator[Metric]:
    """What any controller has, by its technical and by its readable names."""
    for readable in (True, False):
        options = Options("localhost", readable_headers=readable)
        for table in SIZES:
            yield from metrics_by_index(table, options).values()


def is_heat_pump(names: Sequence[str]) -> bool:
    """Whether these are columns of a heat pump: by table, or in words."""
    if any(split(name)[0] is not None for name in names):
        return True
    known = known_names()
    return sum(known.place(name) is not None for name in names) >= max(3, len(names) // 5)


def resolver(into: Into, zone: tzinfo) -> Resolve:
    """Columns of the heat pump logger; what our driver does not know keeps its name."""
    options = options_of(into)
    names = known_names()
    metrics = {table: metrics_by_index(table, options) for table in SIZES}
    typed = typed_by_package()
    other = plain(into)

    def resolve(name: str) -> Target:
        found = names.place(name)
        if found is None:
            return other(name)
        table, index = found
        metric = metrics[table].get(index)
        if metric is None:
            return other(name)
        form = entry(table, index).form
        has_form = form.decode is not None or form.divisor != 1
        if has_form and index not in typed[table]:
            return Target(metric, metric.type, _from_raw(metric, form))
        if metric.unit == TIME_UNIT:
            return Target(metric, metric.type, lambda raw: _unix_s(raw, zone))
        return target(metric, metric.type)

    return resolve


@cache
def typed_by_package() -> Mapping[Table, set[int]]:
    """The entries that the package luxtronik has a type for."""
    from luxtronik.calculations import Calculations
    from luxtronik.parameters import Parameters
    from luxtronik.visibilities import Visibilities

    tables = {
        CALCULATIONS: Calculations.calculations,
        PARAMETERS: Parameters.parameters,
        VISIBILITIES: Visibilities.visibilities,
    }
    return {
        table: {index for index, each in entries.items() if type(each).__name__ != "Unknown"}
        for table, entries in tables.items()
    }


def options_of(into: Into) -> Options:
    """The options of the device, or those that its metrics speak of."""
    if isinstance(into.options, Options):
        return into.options
    return Options("localhost", readable_headers=READABLE_SIGN in into.stored)


def version_parts(names: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """The columns that have the firmware's name letter by letter, as one."""
    parts = {}
    for at, name in enumerate(names):
        table, rest = split(name)
        match = VERSION_PART.fullmatch(rest)
        if table is CALCULATIONS and match is not None:
            parts[int(match[1])] = at
    return {VERSION: [parts[number] for number in sorted(parts)]} if parts else {}


def _from_raw(metric: Metric, form: Form) -> Callable[[Any], Value]:
    """For what the package had no type for: whole numbers are those that the controller sent.

    Later versions of it had one: then numbers are broken.
    """

    def convert(raw: Any) -> Value:
        number = as_number(raw.strip()) if isinstance(raw, str) else raw
        if not isinstance(number, int) or isinstance(number, bool):
            return of_json(raw, metric.type)
        return form.decode(number) if form.decode is not None else number / form.divisor

    return convert


def _unix_s(raw: Any, zone: tzinfo) -> Value:
    """A time that the package made a date of; never is 0.

    >>> _unix_s("2026-11-20 12:00:00", UTC), _unix_s("1795176000", UTC), _unix_s(None, UTC)
    (1795176000, 1795176000, None)
    """
    if not isinstance(raw, str) or as_number(raw.strip()) is not None or not raw.strip():
        return of_json(raw, MetricType.INT)
    moment: datetime = parsed(raw.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return int(moment.astimezone(UTC).timestamp())
