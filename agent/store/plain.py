"""The rows of a file: found by device and time, read in chunks."""

from collections.abc import Iterator, Mapping

from agent.store.asked import OpenFile
from agent.store.book import Entry
from agent.store.chunks import Chunk, Rows, StoredRow
from agent.store.rows import Layout
from agent.store.schema import SAMPLE_TABLES
from agent.store.segments import Place
from agent.store.views import table_of


class Plain:
    """Reads what lies in plain rows; ``layouts`` are all of the file, by number."""

    def __init__(self, file: OpenFile, layouts: Mapping[int, Layout]) -> None:
        self._file = file
        self._layouts = layouts
        sql = "SELECT coalesce((SELECT value FROM meta WHERE key = 'lag_ms'), 0)"
        ((self._lag_ms,),) = file.rows(sql)

    def places(self, entry: Entry, start_ms: int, end_ms: int) -> Iterator[Place]:
        """Rows of a stretch of time, in key order."""
        where, values = self._where(entry, start_ms, end_ms)
        found = self._file.rows(
            f"SELECT rowid, ts_ms, layout, clock, v FROM {table_of(entry.kind)} "
            f"WHERE {where} ORDER BY rowid",
            *values,
        )
        return self._common(entry).places(found)

    def layouts(self, entry: Entry, start_ms: int, end_ms: int) -> set[Layout]:
        """The layouts that occur in a stretch of time."""
        where, values = self._where(entry, start_ms, end_ms)
        sql = f"SELECT DISTINCT layout FROM {table_of(entry.kind)} WHERE {where}"
        return {self._layouts[id_] for (id_,) in self._file.rows(sql, *values)}

    def has_any(self, table: str, start_ms: int, end_ms: int) -> bool:
        """Whether a table has rows of a stretch of time."""
        where, values = self._stretch(table, start_ms, end_ms)
        return any(self._file.rows(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", *values))

    def newest(self, entry: Entry, since_key: int, within_rows: int) -> Chunk | None:
        """The newest row of a device, if it is among the newest of its table."""
        # The table holds other devices' rows too: without a bound, a device that is gone for
        # long would cost a walk through all of it.
        sql = (
            "SELECT key, ts_ms, layout, clock, v FROM "
            f"(SELECT rowid AS key, * FROM {table_of(entry.kind)} WHERE rowid >= ? "
            "ORDER BY rowid DESC LIMIT ?) WHERE device = ? ORDER BY key DESC LIMIT 1"
        )
        found: list[StoredRow] = [*self._file.rows(sql, since_key, within_rows, entry.id)]
        return Chunk(found, self._common(entry)) if found else None

    def _common(self, entry: Entry) -> Rows:
        return Rows(self._layouts, {position: path for position, path, _ in entry.metrics.values()})

    def _where(self, entry: Entry, start_ms: int, end_ms: int) -> tuple[str, tuple[int, ...]]:
        where, values = self._stretch(table_of(entry.kind), start_ms, end_ms)
        return f"{where} AND device = ?", (*values, entry.id)

    def _stretch(self, table: str, start_ms: int, end_ms: int) -> tuple[str, tuple[int, ...]]:
        """Keys never lie before their times, and at most ``lag_ms`` behind them."""
        scale = SAMPLE_TABLES[table]
        keys = (start_ms * 1000 // scale, ((end_ms + self._lag_ms) * 1000 + 999) // scale)
        return "rowid BETWEEN ? AND ? AND ts_ms >= ? AND ts_ms < ?", (*keys, start_ms, end_ms)
