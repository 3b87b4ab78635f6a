"""Tables of what is known beside the samples: devices, metrics, gaps, times that were moved."""

from collections.abc import Callable, Iterator, Sequence

from agent.model import Gap
from agent.store.query import Reader
from agent.store.sql.bounds import AFTER_ALL, BEFORE_ALL, SQL
from agent.store.sql.index import Index
from agent.store.sql.pages import ROWID, Column, Columns, Page
from agent.store.sql.plans import Axis, Wanted
from agent.store.sql.times import iso

Row = tuple[SQL, ...]

ROWS = 100.0  # what such a table has, about


class Listed:
    """A table of few rows, which are made when it is first read."""

    axis = Axis({})
    rows = rows_of_one = ROWS

    def __init__(
        self, name: str, columns: Sequence[str], make: Callable[[], Sequence[Row]]
    ) -> None:
        self.name = name
        self.columns = columns
        self._make = make
        self._made: Sequence[Row] | None = None

    def pages(self, _: Wanted) -> Iterator[Page]:
        """All rows."""
        if self._made is None:
            self._made = self._make()
        rows = self._made

        def decode(number: int) -> Column:
            return range(len(rows)) if number == ROWID else [row[number] for row in rows]

        yield Page(Columns(decode), range(len(rows)))


def facts(reader: Reader, index: Index) -> Sequence[Listed]:
    """``devices``, ``metrics``, ``gaps`` and ``moved``."""
    return (
        Listed(
            "devices",
            ["device TEXT", "kind TEXT", "metrics INTEGER", "first_time TEXT", "first_ms INTEGER",
             "last_time TEXT", "last_ms INTEGER"],
            lambda: _devices(reader, index),
        ),
        Listed(
            "metrics",
            ["device TEXT", "metric TEXT", "unit TEXT", "type TEXT", "help TEXT"],
            lambda: [
                (device.name, metric.name, metric.unit, str(metric.type), metric.help)
                for device in reader.devices()
                for metric in device.metrics
            ],
        ),
        Listed(
            "gaps",
            ["device TEXT", "time TEXT", "ts_ms INTEGER", "end_time TEXT", "end_ms INTEGER",
             "reason TEXT", "detail TEXT"],
            lambda: _gaps(reader),
        ),
        Listed(
            "moved",
            ["device TEXT", "time TEXT", "ts_ms INTEGER", "last_time TEXT", "last_ms INTEGER",
             "samples INTEGER", "moved_ms INTEGER", "said_time TEXT"],
            lambda: _moved(reader),
        ),
    )  # fmt: skip


def _devices(reader: Reader, index: Index) -> Sequence[Row]:
    rows: list[Row] = []
    for device in reader.devices():
        sealed = [span.first_ms for span in index.spans(device.name)]
        first = reader.first_ms(device.name, BEFORE_ALL, min(sealed, default=AFTER_ALL))
        first_ms = min(sealed, default=None) if first is None else first
        times = [first_ms, reader.last_ms(device.name)]
        shown = [each for ms in times for each in (None if ms is None else iso(ms), ms)]
        rows.append((device.name, device.kind, len(device.metrics), *shown))
    return rows


def _gaps(reader: Reader) -> Sequence[Row]:
    every: list[Gap] = []
    for device in reader.devices():
        every += reader.gaps(device.name, BEFORE_ALL, AFTER_ALL)
    return [
        (
            gap.device,
            iso(gap.start_ms),
            gap.start_ms,
            None if gap.end_ms is None else iso(gap.end_ms),
            gap.end_ms,
            str(gap.reason),
            gap.detail,
        )
        for gap in sorted(every, key=lambda gap: gap.start_ms)
    ]


def _moved(reader: Reader) -> Sequence[Row]:
    """Samples with true times that their clock did not say; ``said_time`` is of the first one."""
    return [
        (
            device.name,
            iso(each.first_ms),
            each.first_ms,
            iso(each.last_ms),
            each.last_ms,
            each.count,
            each.moved_ms,
            iso(each.first_ms - each.moved_ms),
        )
        for device in reader.devices()
        for each in reader.moved(device.name, BEFORE_ALL, AFTER_ALL)
    ]
