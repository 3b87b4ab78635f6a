"""Writes samples into a device's past: straight into blocks, so that the card is written once."""

import logging
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from agent import __version__
from agent.clock import Clock
from agent.model import Metric, Value
from agent.store.book import Entry
from agent.store.codec import Piece
from agent.store.hours import Hours
from agent.store.imported import note_import
from agent.store.making import SAMPLES, SPAN_MS, VALUES, insert, made_of_piece
from agent.store.overlap import Fate, Overlap, Past
from agent.store.query import Reader
from agent.store.schema import SAMPLE_TABLES
from agent.store.views import table_of
from agent.store.writer import Writer

__all__ = ["SAMPLES", "VALUES", "Fate", "History", "Past"]

log = logging.getLogger(__name__)

BOOT_ID = "import"  # of the line in ``clock`` that all of these samples have


class History:
    """The past of one device, while nothing else writes to the file.

    Args:
        plain: Whether the agent keeps new samples of the device as rows.
        described: Units, types and helps of metrics that may be new.
        by_second: The times of the samples have no parts of seconds; what the store has of the
            same second is of the same time.
        kept_ms: Since when the agent keeps samples. When older ones come is noted with them.

    Raises:
        StoreError: From the constructor and every method.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        device: str,
        kind: str,
        described: Mapping[str, Metric],
        *,
        plain: bool,
        by_second: bool,
        kept_ms: float = -math.inf,
    ) -> None:
        self._path = path
        self._device = device
        self._kind = kind
        self._described = described
        self._is_plain = plain
        self._by_second = by_second
        self._clock = clock
        self._kept_ms = kept_ms
        self._warned: set[str] = set()
        self._writer = Writer(path, clock, __version__, clock.now_ms(), self._warn_once)

    def close(self) -> None:
        """Let go of the file; it is whole without its log then, unless somebody reads it."""
        try:
            self._writer.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as exc:  # the log has it all, too
            log.debug("%s: its log is not emptied: %s", self._path, exc)
        self._writer.close()

    def write(self, samples: Sequence[Past]) -> list[Fate]:
        """Store those samples that the store does not have, all at once; what became of each.

        So many as go into one block or two; they need not be in order. Nothing that is in the
        store is replaced.
        """
        order = sorted(range(len(samples)), key=lambda number: samples[number].ts_ms)
        fates = self._fates([samples[number] for number in order])
        new = [
            samples[number]
            for number, fate in zip(order, fates, strict=True)
            if fate is Fate.STORED
        ]
        if new:
            try:
                self._insert(new)
            except BaseException:
                self._writer.abandon()
                raise
        return [fate for _, fate in sorted(zip(order, fates, strict=True), key=lambda two: two[0])]

    def _fates(self, samples: Sequence[Past]) -> list[Fate]:
        entry = self._writer.book.find(self._device)
        metrics = entry.metrics if entry is not None else {}
        positions = {name: position for name, (position, _, _) in metrics.items()}
        overlap = Overlap(samples, positions, by_second=self._by_second)
        if entry is not None:
            with Reader(self._path) as reader:
                overlap.look(reader.segments(self._device, overlap.start_ms, overlap.end_ms))
        return overlap.fates()

    def _insert(self, samples: Sequence[Past]) -> None:
        with self._writer.transaction():
            connection, book = self._writer.connection, self._writer.book
            entry = book.entry(self._device, self._kind, plain=self._is_plain)
            clock = _clock(connection)
            hours = Hours(connection)
            blocks = []
            last_key = -1
            for part in parts(samples):
                piece = self._piece(entry, part, clock, last_key)
                last_key = piece.keys[-1]
                blocks.append(made_of_piece(piece, lambda: None))
                hours.add(blocks[-1])
            changed = hours.rows()
            for made in blocks:
                insert(connection, made)
            for row in changed:
                row.write(connection)
            if samples[0].ts_ms < self._kept_ms:
                note_import(connection, self._clock.now_ms())
            book.finish()

    def _piece(self, entry: Entry, samples: Sequence[Past], clock: int, last_key: int) -> Piece:
        """Samples column by column."""
        columns: dict[int, list[Value]] = {}
        layouts: list[int] = []
        positions: dict[int, tuple[int, ...]] = {}
        for names, group in groupby(samples, key=lambda sample: sample.names):
            places = self._writer.book.places(entry, names, self._described)
            rows = [sample.values for sample in group]
            layouts += [places.layout] * len(rows)
            positions[places.layout] = places.offered
            for position, cells in zip(places.positions, zip(*rows, strict=True), strict=True):
                if position is not None:
                    columns.setdefault(position, []).extend(cells)
        times = [sample.ts_ms for sample in samples]
        keys = [*_keys(times, SAMPLE_TABLES[table_of(entry.kind)], last_key)]
        return Piece(entry.id, keys, times, [clock] * len(times), layouts, positions, columns)

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            log.warning("%s", text)


def parts(samples: Sequence[Past]) -> Iterator[Sequence[Past]]:
    """Samples in rising time, cut where a block can't take more."""
    start, widest = 0, 0
    for number, sample in enumerate(samples):
        count, widest = number - start + 1, max(widest, len(sample.names))
        is_too_long = sample.ts_ms - samples[start].ts_ms > SPAN_MS
        if number > start and (is_too_long or count > SAMPLES or count * widest > VALUES):
            yield samples[start:number]
            start, widest = number, len(sample.names)
    if samples:
        yield samples[start:]


def _keys(times: Sequence[int], scale: int, last_key: int) -> Iterator[int]:
    """Keys as the agent would have given them: rising, also within a millisecond."""
    for ts_ms in times:
        last_key = max(ts_ms * 1000 // scale, last_key + 1)
        yield last_key


def _clock(connection: sqlite3.Connection) -> int:
    """The line of ``clock`` for imported samples: times stand for themselves, and stay."""
    sql = "SELECT id FROM clock WHERE boot_id = ? ORDER BY id LIMIT 1"
    row = connection.execute(sql, (BOOT_ID,)).fetchone()
    if row is not None:
        return int(row[0])
    cursor = connection.execute(
        "INSERT INTO clock(boot_id, monotonic_ms, ts_ms, synchronised) VALUES(?, 0, 0, 1)",
        (BOOT_ID,),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
