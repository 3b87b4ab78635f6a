"""The database of the Raspberry Pi logger as samples, as if our host driver had read them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.devices.host.processes import Processes
from agent.errors import StoreError
from agent.importing.columns import Columns, make_columns, plain
from agent.importing.kinds import host_metric
from agent.importing.reading import Facts, FileError, Into, Reading, Trouble
from agent.importing.times import check_range
from agent.model import Metric, Value
from agent.store.foreign import ForeignFile

TITLE = "Raspberry Pi logger"
MAIN, CORES, PROCESSES = "system_sample", "cpu_core", "process_sample"
COLUMNS = (
    "voltage", "current", "power", "battery_pct", "cpu_total", "cpu_freq", "load1", "load5",
    "load15",
)  # fmt: skip
CORE_COLUMNS = ("ts", "core", "usage")
PROCESS_COLUMNS = ("ts", "pid", "name", "cpu", "mem")
SLOTS_LIMIT = 100  # processes that a host may record
PAGE = 2000  # moments that are read at once
BESIDE = 200 * PAGE  # rows that belong to these at most; more have lost their moments
KNOWN_LIMIT = 64  # lists of cores whose columns are remembered
COUNT_S = 5.0
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def is_host(tables: Mapping[str, Sequence[str]]) -> bool:
    """Whether these are the tables of that logger."""
    columns = {name.lower() for name in tables.get(MAIN, ())}
    return "ts" in columns and bool(columns & {*COLUMNS})


class HostDb:
    """Reads one file; cores and processes are put to the moment that they are of.

    Raises:
        FileError: From every method.
    """

    def __init__(self, path: Path, now_ms: int) -> None:
        self._path = path
        self._now_ms = now_ms
        try:
            with ForeignFile(path) as file:
                self._tables = file.tables()
                extent = file.extent(MAIN, "ts", COUNT_S)
                self._slots = self._most_processes(file)
        except StoreError as exc:
            raise FileError(str(exc)) from exc
        own = {name.lower(): name for name in self._tables[MAIN]}
        self._columns = [own[name] for name in COLUMNS if name in own]
        self.facts = Facts(
            TITLE, "host", None, extent.count, _ms(extent.first), _ms(extent.last),
            is_by_second=True,
        )  # fmt: skip

    def _most_processes(self, file: ForeignFile) -> int:
        if not {*PROCESS_COLUMNS} <= {*self._tables.get(PROCESSES, ())}:
            return 0
        return min(SLOTS_LIMIT, file.most(PROCESSES, "ts"))

    def metrics(self, into: Into) -> Mapping[str, Metric]:
        known = dict(into.known)
        for metric in Processes("/proc", self._slots, command_lines=False).metrics:
            known.setdefault(metric.name, metric)
        return known

    def readings(self, into: Into, trouble: Trouble) -> Iterator[Reading]:
        made = _Made(self.metrics(into), self._slots, trouble)
        try:
            with ForeignFile(self._path) as file:
                last: Any = LOWEST
                while moments := self._page(file, last):
                    last = max(moments)
                    for ts, moment in moments.items():
                        yield from self._reading(ts, moment, made, trouble)
        except StoreError as exc:
            raise FileError(str(exc)) from exc

    def _page(self, file: ForeignFile, last: int) -> dict[int, "_Moment"]:
        """What is known of the next moments, in their order."""
        with file.moment():
            rows = file.after(MAIN, ("ts", *self._columns), "ts", last, PAGE)
            rows = [row for row in rows if isinstance(row[0], int)]
            end = rows[-1][0] if len(rows) == PAGE else HIGHEST
            cores, end = self._beside(file, CORES, CORE_COLUMNS, last, end)
            processes, end = self._beside(file, PROCESSES, PROCESS_COLUMNS, last, end)
        found: dict[int, _Moment] = {}
        for ts, *values in rows:
            found.setdefault(ts, _Moment()).main = values
        for ts, *core in cores:
            found.setdefault(ts, _Moment()).cores.append(core)
        for ts, *process in processes:
            found.setdefault(ts, _Moment()).processes.append(process)
        return {ts: found[ts] for ts in sorted(found) if ts <= end}

    def _beside(
        self, file: ForeignFile, table: str, columns: Sequence[str], last: int, end: int
    ) -> tuple[list[tuple[Any, ...]], int]:
        """What another table has of the same moments, and up to when that is whole."""
        if not {*columns} <= {*self._tables.get(table, ())}:
            return [], end
        rows = file.between(table, columns, "ts", last, end, BESIDE)
        whole = [row for row in rows if isinstance(row[0], int)]
        if len(rows) == BESIDE and whole:
            end = max(last + 1, whole[-1][0] - 1)
        return whole, end

    def _reading(
        self, ts: int, moment: "_Moment", made: "_Made", trouble: Trouble
    ) -> Iterator[Reading]:
        try:
            check_range(ts * 1000, self._now_ms)
            raw = moment.main if moment.main is not None else [None] * len(self._columns)
            names, values = made.of(self._columns, raw, moment)
        except ValueError as exc:
            trouble.bad.add(ts, str(exc))
            return
        if moment.main is None:
            trouble.note(f"some cores and processes are of moments that {MAIN} does not have")
        yield Reading(ts * 1000, names, values, ts)


class _Moment:
    """What the tables have of one second."""

    __slots__ = ("cores", "main", "processes")

    def __init__(self) -> None:
        self.main: list[Any] | None = None
        self.cores: list[list[Any]] = []
        self.processes: list[list[Any]] = []


class _Made:
    """Makes names and values of moments, with the columns that it made for some before."""

    def __init__(self, known: Mapping[str, Metric], slots: int, trouble: Trouble) -> None:
        self._into = Into("host", {}, known)
        self._slots = slots
        self._trouble = trouble
        self._known: dict[tuple[Any, ...], Columns] = {}

    def of(
        self, columns: Sequence[str], main: Sequence[Any], moment: _Moment
    ) -> tuple[tuple[str, ...], list[Value]]:
        """Battery and CPU, cores, then processes, the busiest first."""
        numbers = tuple(core for core, _ in moment.cores)
        found = self._known.get(numbers)
        if found is None:
            if len(self._known) >= KNOWN_LIMIT:
                self._known.clear()
            found = self._known[numbers] = self._columns(columns, numbers)
        values = [*main, *(usage for _, usage in moment.cores)]
        # As our driver sorts them: of those that are equally busy the lowest pid is first.
        busiest = sorted(moment.processes, key=lambda each: (-_number(each[2]), _number(each[0])))
        for process in busiest[: self._slots]:
            values += process
        missing = self._slots - len(busiest)
        values += [None] * (missing * (len(PROCESS_COLUMNS) - 1))
        return found.names, found.values(values)

    def _columns(self, columns: Sequence[str], cores: Sequence[Any]) -> Columns:
        names = [name.lower() for name in columns]
        for core in cores:
            if not isinstance(core, int) or host_metric(f"core{core}_usage") is None:
                raise ValueError(f"wanted the number of a core, got {core!r}")
            names.append(f"core{core}_usage")
        for slot in range(1, self._slots + 1):
            names += [f"process{slot}_{name}" for name in PROCESS_COLUMNS[1:]]
        return make_columns([*enumerate(names)], plain(self._into), self._trouble)


def _number(raw: Any) -> float:
    return raw if isinstance(raw, int | float) else 0.0


def _ms(ts: Any) -> int | None:
    return ts * 1000 if isinstance(ts, int) else None
