"""Reading the store: read-only connections, a page at a time, while the agent runs or not."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import attrs

from agent.errors import StoreError
from agent.model import Gap, Metric, Reason, Sample, Stamp, Value
from agent.store.book import Entry, load_entries
from agent.store.rows import HOST_KIND, RawRow, layout_from
from agent.store.rows import Path as ValuePath
from agent.store.schema import check_owner
from agent.store.table import Table, columns_of, csv_rows
from agent.store.views import table_of


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


class Reader:
    """The store as it was when this was made, read-only; use as a context manager.

    Rows that come later are not seen: their metrics and layouts are not known here.

    Raises:
        StoreError: From the constructor and every method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_to_read(path)
        try:
            self._entries = load_entries(self._connection)
            (self._lag_ms,) = self._connection.execute(
                "SELECT coalesce((SELECT value FROM meta WHERE key = 'lag_ms'), 0)"
            ).fetchone()
            sql = "SELECT id, device, positions FROM layout"
            found = self._connection.execute(sql).fetchall()
        except sqlite3.Error as exc:
            self._connection.close()
            raise StoreError(f"cannot read {path}: {exc}") from exc
        self._layouts = {id_: layout_from(text) for id_, _, text in found}
        self._layouts_of: dict[int, list[int]] = {}
        for id_, device, _ in found:
            self._layouts_of.setdefault(device, []).append(id_)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

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

    def table(self, device: str, start_ms: int, end_ms: int) -> Table:
        """A device's samples with ``start_ms <= ts_ms < end_ms``, in the order they were read.

        Its columns are the metrics that were offered then; all that are known where there is no
        sample, so that a day without any has the columns that programs look for.
        """
        entry = self._entry(device)
        where, values = self._where(entry, start_ms, end_ms)
        sql = f"FROM {table_of(entry.kind)} WHERE {where}"
        known = {position: (path, metric) for position, path, metric in entry.metrics.values()}
        layouts = {id_: self._layouts[id_] for id_ in self._layouts_of.get(entry.id, ())}
        if [*layouts.values()] != [tuple(sorted(known))]:  # else the columns are these in any case
            found = self._rows(f"SELECT DISTINCT layout {sql}", values)
            layouts = {id_: self._layouts[id_] for (id_,) in found}
        rows = self._rows(f"SELECT ts_ms, layout, v {sql} ORDER BY rowid", values)
        columns = columns_of(layouts.values()) or sorted(known)
        return Table(
            tuple(known[position][1] for position in columns),
            csv_rows(rows, layouts, {position: path for position, (path, _) in known.items()}),
        )

    def first_ms(self, device: str, start_ms: int, end_ms: int) -> int | None:
        """When the first sample of a device in a stretch of time was read, if there is one."""
        entry = self._entry(device)
        where, values = self._where(entry, start_ms, end_ms)
        sql = f"SELECT ts_ms FROM {table_of(entry.kind)} WHERE {where} ORDER BY rowid LIMIT 1"
        return next((ts_ms for (ts_ms,) in self._rows(sql, values)), None)

    def has_data(self, start_ms: int, end_ms: int) -> bool:
        """Whether any device has samples in a stretch of time."""
        for kind in {entry.kind for entry in self._entries.values()}:
            where, values = self._stretch(kind, start_ms, end_ms)
            if any(self._rows(f"SELECT 1 FROM {table_of(kind)} WHERE {where} LIMIT 1", values)):
                return True
        return False

    def _raw_rows(self, device: str, start_ms: int, end_ms: int) -> Iterator[RawRow]:
        """Rows of a device with ``start_ms <= ts_ms < end_ms``, in the order they were read."""
        entry = self._entry(device)
        where, values = self._where(entry, start_ms, end_ms)
        sql = (
            f"SELECT rowid, ts_ms, layout, clock, v FROM {table_of(entry.kind)} "
            f"WHERE {where} ORDER BY rowid"
        )
        for id_, ts_ms, layout, clock, text in self._rows(sql, values):
            yield RawRow(id_, ts_ms, self._layouts[layout], clock, text)

    def samples(self, device: str, start_ms: int, end_ms: int) -> Iterator[Sample]:
        """Samples as they were read, exact to the digit and type."""
        eras = self._eras()
        places = self._places(device)
        name = self._entry(device).name
        for row in self._raw_rows(device, start_ms, end_ms):
            stamp = Stamp(row.ts_ms, row.ts_ms - eras[row.clock])
            yield Sample(name, stamp, row.values(places))

    def last(self, device: str, within_rows: int = 100_000) -> tuple[int, dict[str, Value]] | None:
        """Time and values of a device's newest sample, if it is among the newest rows."""
        entry = self._entry(device)
        table = table_of(entry.kind)
        # The table holds other devices' rows too: without a bound, a device that is gone for
        # long would cost a walk through all of it.
        sql = (
            "SELECT id, ts_ms, layout, clock, v FROM "
            f"(SELECT rowid AS id, * FROM {table} ORDER BY rowid DESC LIMIT ?) "
            "WHERE device = ? ORDER BY 1 DESC LIMIT 1"
        )
        if table == "row":
            sql = sql.replace("rowid AS id, *", "*")
        for id_, ts_ms, layout, clock, text in self._rows(sql, (within_rows, entry.id)):
            row = RawRow(id_, ts_ms, self._layouts[layout], clock, text)
            return ts_ms, row.values(self._places(device))
        return None

    def gaps(self, device: str, start_ms: int, end_ms: int) -> list[Gap]:
        """Gaps of a device that touch a stretch of time, oldest first."""
        entry = self._entry(device)
        sql = (
            "SELECT start_ms, end_ms, reason, detail FROM gap WHERE device = ? "
            "AND start_ms < ? AND coalesce(end_ms, ?) > ? ORDER BY start_ms, id"
        )
        rows = self._rows(sql, (entry.id, end_ms, end_ms, start_ms))
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
            for device, start, end, reason, detail in self._rows(sql, (ts_ms, ts_ms))
        ]

    def runs(self, newest: int = 10) -> list[Run]:
        """The newest runs of the agent, newest first."""
        sql = "SELECT version, start_ms, end_ms FROM run ORDER BY id DESC LIMIT ?"
        return [Run(*row) for row in self._rows(sql, (newest,))]

    def _eras(self) -> Mapping[int, int]:
        return dict(self._rows("SELECT id, ts_ms - monotonic_ms FROM clock", ()))

    def _entry(self, device: str) -> Entry:
        entry = self._entries.get(device.lower())
        if entry is None:
            raise StoreError(f"{self._path}: no device {device!r} has data")
        return entry

    def _places(self, device: str) -> dict[int, tuple[str, ValuePath]]:
        """Where a device's values lie in its rows: position to metric name and path."""
        metrics = self._entry(device).metrics
        return {position: (name, path) for name, (position, path, _) in metrics.items()}

    def _where(self, entry: Entry, start_ms: int, end_ms: int) -> tuple[str, tuple[int, ...]]:
        where, values = self._stretch(entry.kind, start_ms, end_ms)
        return f"{where} AND device = ?", (*values, entry.id)

    def _stretch(self, kind: str, start_ms: int, end_ms: int) -> tuple[str, tuple[int, ...]]:
        """Keys never lie before their times, and at most ``lag_ms`` behind them."""
        last_ms = end_ms + self._lag_ms
        keys = (start_ms * 1000, last_ms * 1000 + 999)
        if kind == HOST_KIND:
            keys = (start_ms // 1000, last_ms // 1000 + 1)
        return "rowid BETWEEN ? AND ? AND ts_ms >= ? AND ts_ms < ?", (*keys, start_ms, end_ms)

    def _rows(self, sql: str, values: tuple[int, ...]) -> Iterator[tuple]:  # type: ignore[type-arg]
        try:
            yield from self._connection.execute(sql, values)
        except sqlite3.Error as exc:
            raise StoreError(f"cannot read {self._path}: {exc}") from exc


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection in a transaction, on a file that is a store of ours.

    Raises:
        StoreError: There is none, or it can't be read.
    """
    try:
        path.stat()
        has_log = path.with_name(path.name + "-wal").exists()
    except FileNotFoundError as exc:
        text = f"{path}: there is no store yet, start the agent with: agent run"
        raise StoreError(text) from exc
    except OSError as exc:
        raise StoreError(f"cannot read {path}: {exc.strerror}") from exc
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
    raise StoreError(f"cannot read {path}: {errors[0]}")
