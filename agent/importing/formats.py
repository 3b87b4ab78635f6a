"""Which logger wrote a CSV file: told by its header and its first rows."""

import re
from collections.abc import Callable, Iterable, Sequence

import attrs

from agent.importing import heat_pump
from agent.importing.reading import FileError, shown
from agent.importing.times import NUMBER, has_fraction, of_number, parsed

BENCH, THERMOSTAT, PI, PLC, HEAT_PUMP, OWN, OTHER = (
    "BENCHLAB logger",
    "thermostat bridge",
    "Raspberry Pi logger, training_view",
    "S7 logger",
    "heat pump logger",
    "roll-up of this agent",
    "CSV file",
)
POWERS = {"sys_power", "cpu_power", "gpu_power"}
CHANNEL = re.compile(r"[a-z]\w*_ch\d", re.ASCII)
OWN_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", re.ASCII)
UNIT = re.compile(r"(.+) \[([^\[\]]{1,40})\]", re.DOTALL)
TRAINING = {"cpu_total", "load1"}
# What the view makes of other columns: ours makes it too.
COMPUTED = {"watts", "drain_mah_per_min", "charge_mah_per_min"}
PARTS_OF_PI = ({"ts", "core", "usage"}, {"ts", "pid", "name", "cpu", "mem"})
TIME_NAMES = (
    "ts_ms",
    "ts",
    "timestamp",
    "time",
    "datetime",
    "date",
    "zeit",
    "zeitstempel",
    "datum",
)
CLOCK_NOTE = (
    "it has no column of times: those of the heat pump's own clock are taken; that logger's "
    "cache.db has better ones"
)
READABLE_NOTE = (
    "readable headers of that logger may stand over the values of other columns; its cache.db has "
    "each under its own name"
)


@attrs.frozen
class Format:
    """How a CSV file is read: by names, which column has the times, and which are no metrics."""

    title: str
    kind: str | None
    time: str
    left_out: frozenset[str] = frozenset()
    is_by_second: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether we wrote it: there may be units in the header, as "voltage [V]"."""
        return self.title == OWN

    @property
    def is_sure(self) -> bool:
        """Whether its columns can be of no other kind."""
        return self.title not in (OWN, PLC, OTHER)


@attrs.frozen
class Head:
    """The header of a file, and its first rows."""

    names: Sequence[str]
    lower: Sequence[str] = attrs.field(init=False)
    rows: Sequence[Sequence[str]] = ()

    @lower.default
    def _lower(self) -> Sequence[str]:
        return [name.lower() for name in self.names]

    def cells(self, at: int) -> list[str]:
        """What stands in a column, where anything does."""
        return [row[at].strip() for row in self.rows if row[at].strip()]

    def is_times(self, at: int) -> bool:
        """Whether most of a column's cells are times."""
        cells = self.cells(at)
        return bool(cells) and 2 * sum(map(_is_time, cells)) > len(cells)


def find_format(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Format:
    """The format of a file with this header and these rows.

    Raises:
        FileError: It has no times, or no rows.
    """
    head = Head(names, rows=rows)
    for known in _KNOWN:
        found = known(head)
        if found is not None:
            return found
    header = shown(", ".join(names))
    if not rows:
        raise FileError(f"it has a header, {header}, and no whole row")
    raise FileError(f"it has no column of times that is known, its header is {header}")


def _bench(head: Head) -> Format | None:
    at = _first(head, "timestamp", "time")
    if at is None or not POWERS & {*head.lower} or _is_own(head):
        return None
    return _format(head, BENCH, "benchlab", at)


def _thermostat(head: Head) -> Format | None:
    at = _first(head, "ts")
    if at is None or "time" not in head.lower or not any(map(CHANNEL.fullmatch, head.lower)):
        return None
    return _format(head, THERMOSTAT, "thermostat", at, {head.names[head.lower.index("time")]})


def _pi(head: Head) -> Format | None:
    if any({*head.lower} == part for part in PARTS_OF_PI):
        raise FileError(
            "it is one of several tables of the Raspberry Pi logger: import its telemetry.db"
        )
    at = _first(head, "ts")
    if at is None or not {*head.lower} >= TRAINING:
        return None
    computed = {name for name in head.names if name.lower() in COMPUTED}
    return _format(head, PI, "host", at, computed)


def _own(head: Head) -> Format | None:
    if not _is_own(head):
        return None
    return Format(OWN, _kind_of(head.names), head.names[0], frozenset({head.names[0]}))


def _heat_pump(head: Head) -> Format | None:
    if not heat_pump.is_heat_pump(head.names):
        return None
    is_readable = not any(heat_pump.split(name)[0] for name in head.names)
    notes = (READABLE_NOTE,) if is_readable else ()
    at = _time_at(head)
    if at is not None:
        return attrs.evolve(_format(head, HEAT_PUMP, heat_pump.KIND, at), notes=notes)
    clock = _clock_at(head)
    if clock is None or not head.is_times(clock):
        raise FileError(
            "a roll-up of the heat pump logger without times, and without the heat pump's own "
            "clock: import that logger's cache.db"
        )
    notes = (*notes, CLOCK_NOTE)
    return Format(HEAT_PUMP, heat_pump.KIND, head.names[clock], is_by_second=True, notes=notes)


def _plc(head: Head) -> Format | None:
    at = _first(head, "ts")
    if at != 0 or not head.is_times(at) or NUMBER.fullmatch(head.cells(at)[0]):
        return None
    return _format(head, PLC, "s7", at)


def _other(head: Head) -> Format | None:
    at = _time_at(head)
    if at is None:
        return None
    return _format(head, OTHER, _kind_of(head.names), at)


# The order matters: roll-ups of ours have the columns of the others.
_KNOWN: Sequence[Callable[[Head], Format | None]] = (
    _own, _bench, _thermostat, _pi, _heat_pump, _plc, _other,
)  # fmt: skip


def without_unit(name: str) -> tuple[str, str]:
    """A column's name and unit.

    >>> without_unit("voltage [V]"), without_unit("ratio")
    (('voltage', 'V'), ('ratio', ''))
    """
    match = UNIT.fullmatch(name)
    return (match[1], match[2]) if match else (name, "")


def _format(
    head: Head, title: str, kind: str | None, at: int, left_out: Iterable[str] = ()
) -> Format:
    is_by_second = not any(map(has_fraction, head.cells(at)))
    time = head.names[at]
    return Format(title, kind, time, frozenset({time, *left_out}), is_by_second)


def _kind_of(names: Sequence[str]) -> str | None:
    lower = {without_unit(name)[0].lower() for name in names}
    if lower & POWERS:
        return "benchlab"
    if lower >= TRAINING:
        return "host"
    if "temperature_ch0" in lower:
        return "thermostat"
    return heat_pump.KIND if any(heat_pump.split(name)[0] for name in names) else None


def _is_own(head: Head) -> bool:
    cells = head.cells(0) if head.lower[:1] == ["time"] else []
    return bool(cells) and all(map(OWN_TIME.fullmatch, cells))


def _first(head: Head, *names: str) -> int | None:
    return next((head.lower.index(name) for name in names if name in head.lower), None)


def _time_at(head: Head) -> int | None:
    found = (head.lower.index(name) for name in TIME_NAMES if name in head.lower)
    return next((at for at in found if head.is_times(at)), None)


def _clock_at(head: Head) -> int | None:
    wanted = heat_pump.split(heat_pump.CLOCK)[1]
    places = enumerate(head.names)
    return next((at for at, name in places if heat_pump.split(name)[1] == wanted), None)


def _is_time(text: str) -> bool:
    try:
        if NUMBER.fullmatch(text):
            return of_number(float(text)) > 0
        parsed(text)
    except ValueError:
        return False
    return True
