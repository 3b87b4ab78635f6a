"""The table of a device: its samples in the order of their times, a column for each metric."""

from collections.abc import Iterator
from functools import cached_property

from agent.store.query import Reader, StoredDevice
from agent.store.rows import place
from agent.store.schema import quoted
from agent.store.sql.bounds import by_number, by_time
from agent.store.sql.contents import Contents, Device, Rows, Samples
from agent.store.sql.index import Index
from agent.store.sql.names import distinct
from agent.store.sql.pages import ROWID, Column, Columns, Page
from agent.store.sql.plans import Axis, Wanted
from agent.store.sql.times import isos
from agent.store.sql.windows import Part, Windows
from agent.store.views import VIEW_METRICS

TIME, TS_MS, FIRST_METRIC = range(3)
UNSEALED_ROWS = 10_000  # as many as there may be beside the blocks


class DeviceTable:
    """``time`` (ISO 8601, UTC), ``ts_ms`` and the metrics: the columns of the device's view."""

    axis = Axis({TIME: by_time, TS_MS: by_number})
    rows_of_one = 1.0

    def __init__(self, reader: Reader, device: StoredDevice, index: Index) -> None:
        self.name = device.name
        self._reader = reader
        self._device = device
        self._index = index
        self._metrics = shown_metrics(reader, device)
        self.columns = [
            "time TEXT",
            "ts_ms INTEGER NOT NULL",
            *map(quoted, distinct(["time", "ts_ms", *self._metrics])[FIRST_METRIC:]),
        ]

    @cached_property
    def rows(self) -> float:
        """About as many as there are samples."""
        return float(UNSEALED_ROWS + sum(span.count for span in self._index.spans(self.name)))

    def pages(self, wanted: Wanted) -> Iterator[Page]:
        """The samples of a stretch of time."""
        return self._contents.pages(wanted)

    @cached_property
    def _contents(self) -> Contents:
        spans = self._index.spans(self.name)
        parts = [Part(each.first_ms, each.last_ms, each.first_ms, each.last_ms) for each in spans]
        windows = Windows(parts, self._index.unsealed(self.name))
        here = positions_of(self._reader, self._device)
        return Contents(self._reader, [here], windows, self._arrange)

    def _arrange(self, samples: Samples) -> Rows:
        def decode(number: int) -> Column:
            if number == ROWID:
                return samples.keys()
            if number == TIME:
                return isos(samples.places)
            if number == TS_MS:
                return samples.places
            return samples.cells(self._metrics[number - FIRST_METRIC])

        return Rows(samples.places, Columns(decode))


def positions_of(reader: Reader, device: StoredDevice) -> Device:
    """Where the metrics of a device lie."""
    return Device(device.name, {m.name: position for position, m in reader.metrics(device.name)})


def shown_metrics(reader: Reader, device: StoredDevice) -> list[str]:
    """The metrics in the order of the view's columns, as many as a table of SQLite may have."""
    names = [metric.name for metric in device.metrics]
    taken: list[tuple[int, ...]] = []
    for name in names:
        taken.append(place(device.kind, name, taken))
    places = dict(zip(names, taken, strict=True))
    if len(names) > VIEW_METRICS:  # those of now come first
        newest = reader.last(device.name)
        names = [*dict.fromkeys((*(newest[1] if newest else ()), *names))][:VIEW_METRICS]
    return sorted(names, key=places.__getitem__)
