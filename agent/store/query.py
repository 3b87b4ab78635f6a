"""Reading the store: read-only connections, a page at a time, while the agent runs or not."""

import heapq
import os
import sqlite3
from collections.abc import Iterator, Mapping
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import Path
from urllib.parse import quote

import attrs

from agent.closing import Closing
from agent.errors import StoreError
from agent.model import Gap, Metric, Reason, Sample, Stamp, Value
from agent.store.asked import OpenFile
from agent.store.book import Entry, load_entries
from agent.store.moved import Moved, moved
from agent.store.plain import Plain
from agent.store.repair.obstacle import unreadable
from agent.store.rows import Layout, layout_from
from agent.store.schema import SAMPLE_TABLES, NewerError, check_owner, stand_in
from agent.store.sealed import DamagedBlock, Sealed
from agent.store.segments import Segment, Slice, Source, segments
from agent.store.table import Table, columns_of


@attrs.frozen
class Run:
    """One run of the agent; ``end_ms`` is ``None`` while it lasts and after a crash."""

    version: str
    start_ms: int
    end_ms: int | None


@attrs.frozen
class StoredDevice:
    """A device that has data in the store."""

    name: str
    kind: str
    metrics: tuple[Metric, ...]  # in the order of their positions


class Reader(Closing):
    """The store as it was when this was made, read-only; use as a context manager.

    Rows that come later are not seen: their metrics and layouts are not known here. ``file``,
    ``sealed`` and ``plain`` are what it reads from, for what reads less than samples.

    Raises:
        StoreError: From the constructor and every method.
    """

    def __init__(self, path: Path) -> None:
        self._connection = open_to_read(path)
        self.file = OpenFile(self._connection, file_of(self._connection))
        try:
            self._entries = load_entries(self._connection)
            sql = "SELECT id, device, positions FROM layout"
            found = self._connection.execute(sql).fetchall()
            layouts = {id_: layout_from(text) for id_, _, text in found}
            self.plain = Plain(self.file, layouts)
            self.sealed = Sealed(self.file)
        except sqlite3.Error as exc:
            self._connection.close()
            raise self.file.error(exc) from exc
        except StoreError:
            self._connection.close()
            raise
        self._layouts_of: dict[int, set[Layout]] = {}
        for id_, device, _ in found:
            self._layouts_of.setdefault(device, set()).add(layouts[id_])

    def close(self) -> None:
        """Close the connection; twice is fine."""
        self._connection.close()

    def devices(self) -> list[StoredDevice]:
        """All devices that have data, by name."""
        found = []
        for entry in sorted(self._entries.values(), key=lambda entry: entry.name):
            by_position = sorted(entry.metrics.values(), key=lambda metric: metric[0])
            metrics = tuple(metric for _, _, metric in by_position)
            found.append(StoredDevice(entry.name, entry.kind, metrics))
        return found

    def metrics(self, device: str) -> list[tuple[int, Metric]]:
        """All metrics that a device ever offered, with their positions, which never change."""
        found = self.entry(device).metrics.values()
        return sorted(((position, metric) for position, _, metric in found), key=itemgetter(0))

    def entry(self, device: str) -> Entry:
        """What the file knows of a device."""
        entry = self._entries.get(device.lower())
        if entry is None:
            raise StoreError(f"{self.file.path}: no device {device!r} has data")
        return entry

    def segments(self, device: str, start_ms: int, end_ms: int) -> Iterator[Segment]:
        """A device's samples with ``start_ms <= ts_ms < end_ms``, in the order they were read.

        What is damaged is left out of it: see ``damaged``.
        """
        entry = self.entry(device)
        places = heapq.merge(
            self.sealed.blocks(entry, start_ms, end_ms),
            self.sealed.batches(entry, start_ms, end_ms),
            self.plain.places(entry, start_ms, end_ms),
            key=attrgetter("first_key"),
        )
        return segments(places, start_ms, end_ms)

    def table(self, device: str, start_ms: int, end_ms: int) -> Table:
        """The same as lines of a table.

        Its columns are the metrics that were offered then; all that are known where there is no
        sample, so that a day without any has the columns that programs look for.
        """
        known = dict(self.metrics(device))
        columns = columns_of(self._offered(self.entry(device), start_ms, end_ms)) or [*known]
        damaged: list[DamagedBlock] = []

        def rows() -> Iterator[tuple[int, str]]:
            for segment in self.segments(device, start_ms, end_ms):
                yield from zip(segment.times(), segment.lines(columns), strict=True)
            damaged.extend(self.sealed.damaged_in(device, start_ms, end_ms))

        return Table(tuple(known[position] for position in columns), rows(), damaged)

    @property
    def damaged(self) -> list[DamagedBlock]:
        """What was met so far and could not be read."""
        return [*self.sealed.damaged]

    def _offered(self, entry: Entry, start_ms: int, end_ms: int) -> set[Layout]:
        """The layouts of a stretch; without a look at it where the columns are known anyway."""
        ever = self._layouts_of.get(entry.id, set())
        if len(ever) == 1 and len(*ever) == len(entry.metrics):
            return ever
        found = self.plain.layouts(entry, start_ms, end_ms)
        for each in self.sealed.slices(entry, start_ms, end_ms):
            found.update(each.positions.values())
            if found >= ever:
                break
        return found

    def first_ms(self, device: str, start_ms: int, end_ms: int) -> int | None:
        """When the first sample of a device in a stretch of time was read, if there is one."""
        for segment in self.segments(device, start_ms, end_ms):
            return segment.times()[0]
        return None

    def has_data(self, start_ms: int, end_ms: int) -> bool:
        """Whether any device has samples in a stretch of time."""
        if any(self.plain.has_any(table, start_ms, end_ms) for table in SAMPLE_TABLES):
            return True
        entries = self._entries.values()
        return any(any(self.sealed.slices(entry, start_ms, end_ms)) for entry in entries)

    def samples(self, device: str, start_ms: int, end_ms: int) -> Iterator[Sample]:
        """Samples as they were read, exact to the digit and type."""
        eras = self._eras()
        name = self.entry(device).name
        names = {position: metric.name for position, metric in self.metrics(device)}
        for segment in self.segments(device, start_ms, end_ms):
            positions = segment.positions
            cells = {each: segment.cells(each) for each in columns_of(positions.values())}
            stamped = zip(segment.times(), segment.clocks(), segment.layouts(), strict=True)
            for number, (ts_ms, clock, layout) in enumerate(stamped):
                values = {names[each]: cells[each][number] for each in positions[layout]}
                yield Sample(name, Stamp(ts_ms, ts_ms - eras[clock]), values)

    def last(self, device: str, within_rows: int = 100_000) -> tuple[int, dict[str, Value]] | None:
        """Time and values of a device's newest sample; of rows, if it is among the newest."""
        found = self._last(device, within_rows)
        if found is None:
            return None
        names = {position: metric.name for position, metric in self.metrics(device)}
        (layout,) = found.positions.values()
        return found.times()[0], {names[each]: found.cells(each)[0] for each in layout}

    def last_ms(self, device: str, within_rows: int = 100_000) -> int | None:
        """The time alone, for which no value is decoded."""
        found = self._last(device, within_rows)
        return None if found is None else found.times()[0]

    def _last(self, device: str, within_rows: int) -> Slice | None:
        entry = self.entry(device)
        source: Source | None = self.sealed.newest(entry)
        since_key = 0 if source is None else source.keys()[-1]
        source = self.plain.newest(entry, since_key, within_rows) or source
        return None if source is None else Slice(source, range(source.count - 1, source.count))

    def moved(self, device: str, start_ms: int, end_ms: int) -> list[Moved]:
        """Samples of a stretch of time that got their true time after they had been stored."""
        read = partial(self.segments, device)
        return moved(self.file, read, start_ms, end_ms) if self.sealed.is_there else []

    def gaps(self, device: str, start_ms: int, end_ms: int) -> list[Gap]:
        """Gaps of a device that touch a stretch of time, oldest first."""
        entry = self.entry(device)
        sql = (
            "SELECT start_ms, end_ms, reason, detail FROM gap WHERE device = ? "
            "AND start_ms < ? AND coalesce(end_ms, ?) > ? ORDER BY start_ms, id"
        )
        rows = self.file.rows(sql, entry.id, end_ms, end_ms, start_ms)
        return [Gap(entry.name, start, end, Reason(r), detail) for start, end, r, detail in rows]

    def gaps_since(self, ts_ms: int) -> list[Gap]:
        """Gaps of all devices that end after a time or last."""
        names = {entry.id: entry.name for entry in self._entries.values()}
        sql = (
            "SELECT device, start_ms, end_ms, reason, detail FROM gap "
            "WHERE coalesce(end_ms, ?) >= ? ORDER BY start_ms, id"
        )
        return [
            Gap(names[device], start, end, Reason(reason), detail)
            for device, start, end, reason, detail in self.file.rows(sql, ts_ms, ts_ms)
        ]

    def runs(self, newest: int = 10) -> list[Run]:
        """The newest runs of the agent, newest first."""
        sql = "SELECT version, start_ms, end_ms FROM run ORDER BY id DESC LIMIT ?"
        return [Run(*row) for row in self.file.rows(sql, newest)]

    def _eras(self) -> Mapping[int, int]:
        """By how much the times of each clock's samples are ahead of the monotonic clock."""
        moved = "coalesce(moved_ms, 0)" if self.sealed.is_there else "0"
        sql = f"SELECT id, ts_ms + {moved} - monotonic_ms FROM clock"
        return dict(self.file.rows(sql))


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection in a transaction, on a file that is a store of ours.

    While a newer agent's is in its place, that is the one which is written meanwhile.

    Raises:
        StoreError: There is none, or it can't be read.
    """
    try:
        return _open_to_read(path)
    except NewerError:
        if not stand_in(path).exists():
            raise
        return _open_to_read(stand_in(path))


def file_of(connection: sqlite3.Connection) -> Path:
    """Where the file lies that a connection reads."""
    # As bytes: a path need not be UTF-8.
    sql = "SELECT CAST(file AS BLOB) FROM pragma_database_list WHERE name = 'main'"
    (name,) = connection.execute(sql).fetchone()
    return Path(os.fsdecode(name))


def _open_to_read(path: Path) -> sqlite3.Connection:
    try:
        size_bytes = path.stat().st_size
        has_log = path.with_name(path.name + "-wal").exists()
    except FileNotFoundError as exc:
        text = f"{path}: there is no store yet, start the agent with: agent run"
        raise StoreError(text) from exc
    except OSError as exc:
        raise StoreError(f"cannot read {path}: {exc.strerror}") from exc
    if not size_bytes:  # SQLite would remove its log, which the next start may need
        raise StoreError(f"{path}: not a store of the agent")
    errors = []
    # Without its log a file in a folder that we may not write needs immutable=1; with a log
    # that option would leave out what stands in it.
    modes = ["mode=ro"]
    if not has_log:
        modes.append("mode=ro&immutable=1")
    for mode in modes:
        connection = None
        try:
            connection = sqlite3.connect(f"file:{quote(bytes(path))}?{mode}", uri=True, timeout=5)
            connection.isolation_level = None
            connection.execute("BEGIN")  # all that is read is of one moment
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (application,) = connection.execute("PRAGMA application_id").fetchone()
        except sqlite3.Error as exc:
            if connection is not None:
                connection.close()
            errors.append(str(exc))
            continue
        try:
            if not version:
                raise StoreError(f"{path}: not a store of the agent")
            check_owner(version, application, str(path))
        except StoreError:
            connection.close()
            raise
        return connection
    raise StoreError(unreadable(path, errors[0]))
