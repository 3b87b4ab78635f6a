"""What lies in a store's file, read past the agent's own reader: rows, batches and blocks."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from operator import attrgetter
from pathlib import Path

import attrs

from agent.model import Value
from agent.store.codec import Block
from agent.store.rows import encode

MONOTONIC = "r.ts_ms - (c.ts_ms + coalesce(c.moved_ms, 0) - c.monotonic_ms)"
ROWS = {
    "row": f"SELECT r.id, d.name, r.ts_ms, {MONOTONIC}, r.v FROM row r",
    "host_row": f"SELECT r.ts, d.name, r.ts_ms, {MONOTONIC}, r.v FROM host_row r",
}
JOINS = "JOIN device d ON d.id = r.device JOIN clock c ON c.id = r.clock"
BLOCKS = """
    SELECT data FROM batch WHERE id > :key - 86400000000 AND device {of_kind}
    UNION ALL SELECT data FROM block WHERE last_key > :key AND device {of_kind}
"""
OF_KIND = {
    "row": "NOT IN (SELECT id FROM device WHERE kind = 'host')",
    "host_row": "IN (SELECT id FROM device WHERE kind = 'host')",
}


@attrs.frozen
class Row:
    """A sample of a device, with the time on both clocks."""

    key: int
    device: str
    ts_ms: int
    monotonic_ms: int
    text: str


@attrs.frozen
class StoredGap:
    """A gap of a device; ``end_ms`` is ``None`` while it lasts."""

    device: str
    start_ms: int
    end_ms: int | None
    reason: str
    detail: str


@contextmanager
def reading(path: Path, mode: str = "ro") -> Iterator[sqlite3.Connection]:
    """A connection of our own."""
    connection = sqlite3.connect(f"file:{path}?mode={mode}", uri=True, timeout=5)
    with closing(connection):
        connection.isolation_level = None
        yield connection


def rows_after(connection: sqlite3.Connection, key: int, table: str = "row") -> list[Row]:
    """Samples with a larger key than ``key``, by key, of hosts or of all others."""
    connection.execute("BEGIN")
    sql = f"{ROWS[table]} {JOINS} WHERE r.rowid > ?"
    rows = [Row(*row) for row in connection.execute(sql, (key,))]
    names = dict(connection.execute("SELECT id, name FROM device"))
    eras = dict(
        connection.execute("SELECT id, ts_ms + coalesce(moved_ms, 0) - monotonic_ms FROM clock")
    )
    sql = BLOCKS.format(of_kind=OF_KIND[table])
    for (data,) in connection.execute(sql, {"key": key}):
        block = Block(data)
        rows += [
            Row(one, names[block.device], ts_ms, ts_ms - eras[clock], text)
            for one, ts_ms, clock, text in zip(
                block.keys(), block.times(), block.clocks(), texts_of(block), strict=True
            )
            if one > key
        ]
    connection.execute("COMMIT")
    return sorted(rows, key=attrgetter("key"))


def texts_of(block: Block) -> Iterator[str]:
    """Its samples as rows have them."""
    offered = sorted({position for layout in block.positions.values() for position in layout})
    cells = {position: block.cells(position) for position in offered}
    for number, layout in enumerate(block.layouts()):
        positions = block.positions[layout]
        values: list[Value] = [None] * (max(positions, default=-1) + 1)
        for position in positions:
            values[position] = cells[position][number]
        yield encode(values)


def rows_of(path: Path, device: str = "", table: str = "row") -> list[Row]:
    """All samples of a device, or of all, by key; none while there is no file."""
    if not path.exists():
        return []
    with reading(path) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'batch'").fetchone():
            return []
        rows = rows_after(connection, -(2**62), table)
    return [row for row in rows if not device or row.device == device]


def gaps_of(path: Path, device: str = "") -> list[StoredGap]:
    """All gaps of a device, or of all, in the order they were noted."""
    sql = (
        "SELECT d.name, g.start_ms, g.end_ms, g.reason, g.detail "
        "FROM gap g JOIN device d ON d.id = g.device ORDER BY g.id"
    )
    with reading(path) as connection:
        gaps = [StoredGap(*row) for row in connection.execute(sql)]
    return [gap for gap in gaps if not device or gap.device == device]


def run_starts(path: Path) -> list[int]:
    """When each run of the agent began, UTC ms."""
    with reading(path) as connection:
        return [ms for (ms,) in connection.execute("SELECT start_ms FROM run ORDER BY id")]


def is_sound(path: Path, mode: str = "ro") -> bool:
    """Whether SQLite finds no fault in the file."""
    with reading(path, mode) as connection:
        found: Sequence[tuple[str]] = connection.execute("PRAGMA integrity_check").fetchall()
    return found == [("ok",)]


def missed_and_doubled(rows: Sequence[Row], interval_s: float) -> tuple[int, int]:
    """How many polls of a grid are missing between the first row and the last, or too many."""
    if not rows:
        return 0, 0
    lasted_ms = rows[-1].monotonic_ms - rows[0].monotonic_ms
    expected = round(lasted_ms / (interval_s * 1000)) + 1
    return max(0, expected - len(rows)), max(0, len(rows) - expected)
