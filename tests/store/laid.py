"""A file of the store laid down by hand: samples as rows, batches and blocks, cut anywhere."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import attrs

from agent.model import Value
from agent.store.book import path_text
from agent.store.codec import Piece, encode
from agent.store.rows import Layout, arrange, layout_text, place
from agent.store.rows import Path as ValuePath
from agent.store.rows import encode as encode_row
from agent.store.schema import migrate
from agent.store.views import table_of

LAG_MS = 10_000_000  # by how much keys may be ahead of times
OFFSET_MS = 400  # by how much the wall clock is ahead of the monotonic one


@attrs.frozen
class At:
    """A sample of one device; a layout has its number behind those of the layouts before it."""

    key: int
    ts_ms: int
    layout: Layout
    values: Sequence[Value]


class Laid:
    """A file with one device; what is laid down first has the lower number."""

    def __init__(self, path: Path, kind: str, names: Sequence[str]) -> None:
        self.path = path
        self._table = table_of(kind)
        self._layouts: dict[Layout, int] = {}
        taken: list[ValuePath] = []
        for name in names:
            taken.append(place(kind, name, taken))
        self.paths = taken
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = OFF")
        migrate(self._connection, str(path))
        self._connection.execute("BEGIN")
        self._add("device", 1, "press", kind)
        self._add("clock", 1, "boot", 0, OFFSET_MS, None, None)
        self._add("meta", "lag_ms", LAG_MS)
        for position, name in enumerate(names):
            self._add("metric", 1, position, path_text(taken[position]), name, "", "float", "")

    def close(self) -> None:
        """All is laid down."""
        self._connection.execute("COMMIT")
        self._connection.close()

    def _add(self, table: str, *values: object) -> None:
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} VALUES({marks})", values)

    def layout(self, positions: Layout) -> int:
        """The number of a layout."""
        if positions not in self._layouts:
            self._layouts[positions] = len(self._layouts) + 1
            self._add("layout", self._layouts[positions], 1, layout_text(positions))
        return self._layouts[positions]

    def rows(self, samples: Iterable[At]) -> None:
        """Plain rows, each of a key that no other row has."""
        for each in samples:
            text = arrange(encode_row(each.values), [self.paths[p] for p in each.layout])
            self._add(self._table, each.key, 1, each.ts_ms, self.layout(each.layout), 1, text)

    def batch(self, samples: Sequence[At]) -> None:
        """One batch; no other may begin with the same key."""
        self._add("batch", samples[0].key, 1, self._encoded(samples, small=True))

    def block(self, samples: Sequence[At]) -> None:
        """One block."""
        times = [each.ts_ms for each in samples]
        bounds = min(times), max(times), samples[0].key, samples[-1].key
        data = self._encoded(samples, small=False)
        self._add("block", None, 1, *bounds, len(samples), data)

    def _encoded(self, samples: Sequence[At], *, small: bool) -> bytes:
        columns: dict[int, list[Value]] = {}
        for each in samples:
            for position, value in zip(each.layout, each.values, strict=True):
                columns.setdefault(position, []).append(value)
        layouts = [self.layout(each.layout) for each in samples]
        positions = {self.layout(each.layout): each.layout for each in samples}
        keys, times = [each.key for each in samples], [each.ts_ms for each in samples]
        piece = Piece(1, keys, times, [1] * len(samples), layouts, positions, columns)
        return encode(piece, small=small)


def damage(path: Path, table: str, id_: int, at: int = -1) -> None:
    """Flip a bit in a block or a batch."""
    with closing(sqlite3.connect(path)) as connection, connection:
        sql = f"SELECT data FROM {table} WHERE id = ?"
        ((data,),) = connection.execute(sql, (id_,)).fetchall()
        flipped = bytearray(data)
        flipped[at] ^= 4
        sql = f"UPDATE {table} SET data = ? WHERE id = ?"
        connection.execute(sql, (bytes(flipped), id_))
