"""Which metrics a controller with tables of a certain length has, and how they are made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent.devices.luxtronik.options import Options
from agent.devices.luxtronik.tables import Entry, entry
from agent.devices.luxtronik.values import VERSION_END, VERSION_FIRST, Form, firmware
from agent.devices.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES, Table
from agent.model import Metric, Value

SMALLEST: Final = {CALCULATIONS: 200, PARAMETERS: 1086, VISIBILITIES: 336}
"""What even firmware V1.80 of 2013 has; newer ones add at the ends."""
SUFFIXES: Final = {CALCULATIONS: "", PARAMETERS: " (setting)", VISIBILITIES: " (visible)"}
"""Behind readable names, so that they are unique over all tables."""

MEASURED: Final = frozenset({878, 879, 1119, 1136, 1137, 1139})
"""Parameters that nobody sets: meters, and when it last defrosted."""

Counts = Mapping[Table, int]


class Column:
    """One table of a certain length: its metrics, and its values from the numbers sent."""

    def __init__(self, table: Table, count: int, options: Options) -> None:
        self._is_raw = options.is_raw
        entries = [entry(table, index) for index in range(count)]
        self._merges = table is CALCULATIONS and count > VERSION_FIRST and not options.is_raw
        self._divided: dict[int, list[int]] = {}
        self._decoded = []
        for at, each in enumerate(entries):
            if each.form.divisor != 1:
                self._divided.setdefault(each.form.divisor, []).append(at)
            if each.form.decode is not None:
                self._decoded.append((at, each.form.decode))
        if self._merges:
            del entries[VERSION_FIRST + 1 : VERSION_END]
        self.metrics = [_metric(table, each, options) for each in entries]
        self.unknown = sum(not each.is_known for each in entries)

    def values(self, raw: Sequence[int]) -> list[Value]:
        """In the order of the metrics."""
        values: list[Value] = list(raw)
        if self._is_raw:
            return values
        for divisor, places in self._divided.items():
            for at in places:
                values[at] = raw[at] / divisor
        for at, decode in self._decoded:
            values[at] = decode(raw[at])
        if self._merges:
            values[VERSION_FIRST:VERSION_END] = [firmware(raw[VERSION_FIRST:VERSION_END])]
        return values


class Layout:
    """All tables that are read, one after the other."""

    def __init__(self, counts: Counts, options: Options) -> None:
        self.counts = dict(counts)
        self._columns = [Column(table, count, options) for table, count in counts.items()]
        self.metrics = tuple(metric for each in self._columns for metric in each.metrics)
        self.unknown = sum(each.unknown for each in self._columns)
        self._names = tuple(metric.name for metric in self.metrics)

    def values(self, tables: Sequence[Sequence[int]]) -> dict[str, Value]:
        """By metric, from the numbers of each table."""
        values: list[Value] = []
        for column, raw in zip(self._columns, tables, strict=True):
            values += column.values(raw)
        return dict(zip(self._names, values, strict=True))


def chosen(options: Options) -> Iterator[Table]:
    """The tables to read, in the order of the metrics."""
    yield CALCULATIONS
    if options.parameters:
        yield PARAMETERS
    if options.visibilities:
        yield VISIBILITIES


def early_layout(options: Options) -> Layout:
    """What can be said before the first read."""
    return Layout({table: SMALLEST[table] for table in chosen(options)}, options)


def _metric(table: Table, each: Entry, options: Options) -> Metric:
    is_readable = bool(options.readable_headers and each.title)
    technical = f"{table.name}.{each.name or each.index}"
    is_measured = table is PARAMETERS and each.index in MEASURED
    suffix = "" if is_measured else SUFFIXES[table]
    name = f"{each.title}{suffix}" if is_readable else technical
    place = f"{table.one} {each.index}"
    if is_readable and each.name:
        place += f", {each.name}"
    form, notes = each.form, [each.form.note]
    if options.is_raw:
        unit, notes = form.unit if form.divisor == 1 else "", []
        if form.divisor != 1:
            notes = [f"in {form.unit} / {form.divisor}"]
        form = Form(unit=unit)
    if table is VISIBILITIES:
        notes = ["1: the menu shows it"]
    what = place if is_readable else each.title or each.name or "unknown"
    text = "; ".join(filter(None, [what, *notes]))
    return Metric(name, form.unit, form.type, text if is_readable else f"{text} ({place})")
