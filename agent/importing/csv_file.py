"""A CSV file of any of the loggers as samples."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import islice, takewhile
from pathlib import Path
from sys import intern

import attrs

from agent.importing import heat_pump
from agent.importing.columns import Columns, Resolve, make_columns, plain
from agent.importing.formats import find_format, without_unit
from agent.importing.lines import NOT_UTF_8, Lines, count_lines, last_lines
from agent.importing.reading import Facts, FileError, Into, Reading, Trouble
from agent.importing.records import Record, Records
from agent.importing.times import Times, check_range
from agent.model import Metric

SNIFFED_ROWS = 50
TAIL_BYTES = 512 * 1024  # in which the last row is looked for
MANIFEST_LIMIT = 16 * 1024 * 1024
SECOND_MS = 1000


class CsvFile:
    """Reads one file; the constructor finds out which logger wrote it.

    Raises:
        FileError: From every method, with what is wrong and what to do.
    """

    def __init__(self, path: Path, zone: tzinfo, now_ms: int) -> None:
        self._path = path
        self._zone = zone
        self._now_ms = now_ms
        self._lines = Lines(path)
        records = self._records()
        self._header = [*map(intern, records.header)]  # many files may have the same
        self._separator = records.separator
        rows = self._first_rows()
        self._format = find_format(self._header, rows)
        first_ms, last_ms = self._ends(rows)
        self.facts = Facts(
            self._format.title,
            self._format.kind,
            self._device(),
            max(0, count_lines(path) - 1),
            first_ms,
            last_ms,
            self._format.is_by_second,
            self._format.is_sure,
            self._format.notes,
        )
        """What it is; the number of its rows is that of its lines."""

    def metrics(self, into: Into) -> Mapping[str, Metric]:
        found = self._columns(self._header, into, Trouble()).metrics(self._first_rows())
        if not self._format.is_own:
            return found
        units = dict(map(without_unit, self._header))
        return {
            name: attrs.evolve(metric, unit=metric.unit or units.get(name, ""))
            for name, metric in found.items()
        }

    def readings(self, into: Into, trouble: Trouble) -> Iterator[Reading]:
        found = self._readings(into, trouble)
        yield from spread(found) if self._format.is_by_second else found
        if self._lines.has_other_encoding:
            trouble.note(NOT_UTF_8)

    def _readings(self, into: Into, trouble: Trouble) -> Iterator[Reading]:
        times = Times(self._zone)
        columns = self._columns(self._header, into, trouble)
        at = self._header.index(self._format.time)
        for record in self._records():
            if record.is_header:
                columns = self._columns(record.cells, into, trouble)
                at = self._time_at(record)
                continue
            if record.fault:
                trouble.bad.add(record.line, record.fault)
                continue
            try:
                ts_ms = times.of(record.cells[at])
                check_range(ts_ms, self._now_ms)
                values = columns.values(record.cells)
            except ValueError as exc:
                trouble.bad.add(record.line, str(exc))
                continue
            if times.doubt:
                trouble.doubtful.add(record.line, times.doubt)
            yield Reading(ts_ms, columns.names, values, record.line)

    def _records(self) -> Records:
        try:
            return Records(self._lines)
        except ValueError as exc:
            raise FileError(str(exc)) from exc

    def _time_at(self, header: Record) -> int:
        try:
            return header.cells.index(self._format.time)
        except ValueError as exc:
            text = f"line {header.line}: a new header without a column {self._format.time!r}"
            raise FileError(f"{text}, cut the file in two there") from exc

    def _columns(self, header: Sequence[str], into: Into, trouble: Trouble) -> Columns:
        names = [without_unit(name)[0] if self._format.is_own else name for name in header]
        merged: Mapping[str, Sequence[int]] = {}
        if self._format.kind == heat_pump.KIND:
            merged = heat_pump.version_parts(names)
        inside = {at for parts in merged.values() for at in parts}
        named = [
            (at, names[at])
            for at, title in enumerate(header)
            if title not in self._format.left_out and at not in inside
        ]
        return make_columns(named, self._resolve(into), trouble, merged)

    def _resolve(self, into: Into) -> Resolve:
        is_heat_pump = self._format.kind == heat_pump.KIND and not self._format.is_own
        return heat_pump.resolver(into, self._zone) if is_heat_pump else plain(into)

    def _first_rows(self) -> list[Sequence[str]]:
        return [row.cells for row in islice(_whole(self._records()), SNIFFED_ROWS)]

    def _ends(self, rows: Iterable[Sequence[str]]) -> tuple[int | None, int | None]:
        """The earlier and the later of the times in the first and in the last whole row."""
        try:
            tail = last_lines(self._path, TAIL_BYTES)
        except OSError as exc:
            raise FileError(f"cannot read {self._path}: {exc.strerror}") from exc
        ends = (line.split(self._separator) for line in tail if line.strip())
        found = [self._first_time(rows), self._first_time(ends)]
        known = [ts_ms for ts_ms in found if ts_ms is not None]
        return min(known, default=None), max(known, default=None)

    def _first_time(self, rows: Iterable[Sequence[str]]) -> int | None:
        times = Times(self._zone)
        at = self._header.index(self._format.time)
        for cells in rows:
            if len(cells) != len(self._header):
                continue
            try:
                ts_ms = times.of(cells[at].strip('"'))
                check_range(ts_ms, self._now_ms)
            except ValueError:
                continue
            return ts_ms
        return None

    def _device(self) -> str | None:
        """The device that a roll-up of ours is of, as the file beside it says."""
        if not self._format.is_own:
            return None
        beside = self._path.with_suffix(".manifest.json")
        try:
            with beside.open("rb") as stream:
                facts = json.loads(stream.read(MANIFEST_LIMIT))
        except (OSError, ValueError, RecursionError):
            return None
        device = facts.get("device") if isinstance(facts, dict) else None
        return device if isinstance(device, str) else None


def spread(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Rows of one second, one after the other, get a time of their own each within it."""
    rows: list[Reading] = []
    try:
        for reading in readings:
            is_other = rows and reading.ts_ms // SECOND_MS != rows[0].ts_ms // SECOND_MS
            # A second has so many different times: what is beyond begins anew, and is in conflict.
            if is_other or len(rows) == SECOND_MS:
                yield from _apart(rows)
                rows = []
            rows.append(reading)
    except FileError:
        yield from _apart(rows)
        raise
    yield from _apart(rows)


def _apart(rows: Sequence[Reading]) -> Iterator[Reading]:
    for number, row in enumerate(rows):
        is_moved = number and row.ts_ms == rows[0].ts_ms
        later_ms = number * SECOND_MS // len(rows) if is_moved else 0
        yield row._replace(ts_ms=row.ts_ms + later_ms) if later_ms else row


def _whole(records: Iterable[Record]) -> Iterator[Record]:
    """Whole rows, as far as the first header goes."""
    first = takewhile(lambda record: not record.is_header, records)
    return (record for record in first if not record.fault)
