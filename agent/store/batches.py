"""The samples of one commit as batches: column by column, one for each device in it."""

import json
import logging
import sqlite3
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter

import attrs

from agent.model import Value
from agent.store.book import Entry, Places
from agent.store.codec import Piece, encode
from agent.store.rows import arrange
from agent.store.views import table_of

log = logging.getLogger(__name__)

# Of one batch at most. Readers look for it from its key and its times on, and count on the first.
SPAN_MS = 86_400_000
SAMPLES = 16_384
VALUES = 250_000  # as Python objects 10 MB, while all that waits is encoded


@attrs.frozen
class Reading:
    """A sample on its way into a batch: its values are JSON text, in the order of ``places``."""

    id: int  # in microseconds, as keys of rows
    key: int  # the same, but for hosts, which count seconds
    ts_ms: int
    clock: int
    places: Places
    text: str


@attrs.define
class Batch:
    """Consecutive samples of one device, with what is checked when one more comes."""

    device: Entry
    readings: list[Reading]
    first_ms: int
    last_ms: int
    values: int

    @classmethod
    def of(cls, device: Entry, first: Reading) -> "Batch":
        """One that begins."""
        return cls(device, [first], first.ts_ms, first.ts_ms, len(first.places.positions))

    def takes(self, reading: Reading) -> bool:
        """Add a sample, if it does not lead too far."""
        first_ms, last_ms = min(self.first_ms, reading.ts_ms), max(self.last_ms, reading.ts_ms)
        values = self.values + len(reading.places.positions)
        if (
            last_ms - first_ms > SPAN_MS
            or reading.id - self.readings[0].id > SPAN_MS * 1000
            or len(self.readings) == SAMPLES
            or values > VALUES
        ):
            return False
        self.readings.append(reading)
        self.first_ms, self.last_ms, self.values = first_ms, last_ms, values
        return True


class Batches:
    """Collects samples, and writes them inside the writer's open transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        warn: Callable[[str], None],
        encode: Callable[[Piece], bytes] = lambda piece: encode(piece, small=True),
    ) -> None:
        self._connection = connection
        self._warn = warn
        self._encode = encode
        self._batches: list[Batch] = []
        self._open: dict[int, Batch] = {}  # the newest of each device

    def add(self, device: Entry, reading: Reading) -> None:
        """Add a sample behind the others of its device."""
        batch = self._open.get(device.id)
        if batch is None or not batch.takes(reading):
            batch = self._open[device.id] = Batch.of(device, reading)
            self._batches.append(batch)

    def write(self) -> None:
        """Insert what was collected, in the order of the keys: at the end of the table."""
        for batch in self._batches:
            try:
                data = self._encode(piece_of(batch))
            except Exception as exc:
                # Else no commit would ever work again: what waits is in each of them.
                log.debug("no batch of %s", batch.device.name, exc_info=exc)
                self._write_rows(batch, exc)
                continue
            self._connection.execute(
                "INSERT INTO batch(id, device, data) VALUES(?, ?, ?)",
                (batch.readings[0].id, batch.device.id, data),
            )
        self._batches.clear()
        self._open.clear()

    def _write_rows(self, batch: Batch, why: Exception) -> None:
        """Rows can be read of any device."""
        self._warn(
            f"{batch.device.name}: samples are stored as rows, which nothing is lost by, since "
            f"they can't be encoded: {str(why) or repr(why)}; please report this"
        )
        self._connection.executemany(
            f"INSERT INTO {table_of(batch.device.kind)} VALUES(?, ?, ?, ?, ?, ?)",
            (
                (one.key, batch.device.id, one.ts_ms, one.places.layout, one.clock,
                 arrange(one.text, one.places.paths))
                for one in batch.readings
            ),
        )  # fmt: skip


def piece_of(batch: Batch) -> Piece:
    """A batch column by column."""
    readings = batch.readings
    columns: dict[int, list[Value]] = {}
    for places, group in groupby(readings, key=attrgetter("places")):
        for position, cells in zip(places.positions, _cells([*group]), strict=True):
            if position is not None:
                columns.setdefault(position, []).extend(cells)
    return Piece(
        batch.device.id,
        [reading.key for reading in readings],
        [reading.ts_ms for reading in readings],
        [reading.clock for reading in readings],
        [reading.places.layout for reading in readings],
        {reading.places.layout: reading.places.offered for reading in readings},
        columns,
    )


def _cells(readings: Sequence[Reading]) -> Sequence[Sequence[Value]]:
    """The values of samples that offer the same, column by column."""
    rows = json.loads(f"[{','.join(reading.text for reading in readings)}]")
    return list(zip(*rows, strict=True))
