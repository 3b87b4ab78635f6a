"""The tables of what metrics come to by the minute, the hour and the day."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from agent.store.query import Reader, StoredDevice
from agent.store.series import Bucket, periods
from agent.store.sql.bounds import by_number, by_time
from agent.store.sql.cells import sql_cells
from agent.store.sql.index import Index
from agent.store.sql.pages import ROWID, Column, Columns, Page
from agent.store.sql.plans import Axis, Wanted
from agent.store.sql.spans import Days, Span
from agent.store.sql.times import BEYOND_MS, DAY_MS, LEAST_MS, isos

METRIC, TIME, TS_MS, COUNT, MIN, MAX, MEAN, FIRST, LAST, DAY = range(10)
FIELDS = {COUNT: "count", MIN: "min", MAX: "max", MEAN: "mean", FIRST: "first", LAST: "last"}
METRICS_LIMIT = 1 << 15
EDGE_MS = 2 * DAY_MS  # of the calendar: a zone may be a day off
FEWER = 60  # rows of a metric than samples, about


class AggregatedTable:
    """A row for each metric and stretch of time in which it had a value."""

    axis = Axis({TIME: by_time, TS_MS: by_number}, match=METRIC)

    def __init__(self, reader: Reader, device: StoredDevice, index: Index, span: Span) -> None:
        self.name = f"{device.name}_{span.name}"
        self.columns = [
            "metric TEXT", "time TEXT", "ts_ms INTEGER NOT NULL", "count INTEGER",
            "min", "max", "mean REAL", "first", "last",
        ]  # fmt: skip
        if isinstance(span, Days):
            self.columns.append("day TEXT")
        self._reader = reader
        self._device = device.name
        self._metrics = [metric.name for metric in device.metrics]
        self._index = index
        self._span = span
        self.rows_of_one = float(max(1, len(self._metrics)))

    @cached_property
    def rows(self) -> float:
        """About as many as there are samples of all metrics, by a minute and more."""
        samples = sum(span.count for span in self._index.spans(self._device))
        return samples * self.rows_of_one / FEWER + 1

    def pages(self, wanted: Wanted) -> Iterator[Page]:
        """The stretches that begin in one, of one metric after the other."""
        known = self._index.times(self._device)
        stretch = wanted.stretch.cut(known.start - self._span.length_ms, known.end)
        stretch = stretch.cut(LEAST_MS + EDGE_MS, BEYOND_MS - EDGE_MS)
        if stretch.is_empty or known.is_empty:
            return
        starts = range(stretch.start, stretch.end, self._span.at_once_ms)
        for number, metric in enumerate(self._metrics):
            if wanted.match is not None and wanted.match != metric:
                continue
            for start_ms in starts[::-1] if wanted.is_falling else starts:
                end_ms = min(start_ms + self._span.at_once_ms, stretch.end)
                edges = self._span.edges(start_ms, end_ms)
                found = periods(self._reader, self._device, metric, edges)
                rows = range(len(found))
                columns = self._columns(number, metric, found)
                yield Page(columns, rows[::-1] if wanted.is_falling else rows)

    def _columns(self, number: int, metric: str, found: Sequence[Bucket]) -> Columns:
        starts = [bucket.start_ms for bucket in found]

        def decode(column: int) -> Column:
            if column in FIELDS:
                return sql_cells([getattr(bucket, FIELDS[column]) for bucket in found])
            if column == METRIC:
                return [metric] * len(found)
            if column == DAY and isinstance(self._span, Days):
                return [self._span.day(start_ms).isoformat() for start_ms in starts]
            if column == ROWID:
                return [start_ms * METRICS_LIMIT + number for start_ms in starts]
            return isos(starts) if column == TIME else starts

        return Columns(decode)
