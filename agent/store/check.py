"""Looks at the whole file for a check-up: is it sound, what is in it; bounded in time."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

from agent.clock import Deadline
from agent.errors import StoreError
from agent.store.codec import Block, Damaged
from agent.store.query import open_to_read
from agent.store.schema import SAMPLE_TABLES, VERSION

STEPS = 20_000  # instructions of SQLite between two looks at the deadline, well below 1 ms
FAULTS_LIMIT = 10  # a damaged file has thousands
ENDS_OF_BLOCKS = (
    "SELECT first_ms, min(first_key) FROM block GROUP BY device",
    "SELECT last_ms, max(last_ms) FROM block GROUP BY device",
)


@attrs.frozen
class Content:
    """How many samples of one device there are, and from when to when."""

    device: str
    kind: str
    rows: int
    first_ms: int | None
    last_ms: int | None


@attrs.frozen
class Summary:
    """What a file is; ``contents`` is ``None`` where counting took too long."""

    version: int
    page_bytes: int
    pages: int
    free_pages: int
    journal_mode: str
    schema: tuple[str, ...]
    contents: tuple[Content, ...] | None


def schema_version() -> int:
    """The number of the schema that this agent writes."""
    return VERSION


def quick_check(path: Path, timeout_s: float) -> list[str] | None:
    """What SQLite finds wrong with a file, or ``None``: it did not get to the end in time.

    Raises:
        StoreError: It can't be read.
    """
    with _bounded(path, timeout_s) as (connection, has_time):
        try:
            rows = connection.execute(f"PRAGMA quick_check({FAULTS_LIMIT})").fetchall()
        except sqlite3.DatabaseError as exc:
            if not has_time():
                return None
            return [str(exc)]
        # Interrupted, it says so in a row of its own or ends without one.
        if not has_time():
            return None
        return [str(text) for (text,) in rows if text != "ok"]


def time_span(path: Path, timeout_s: float) -> tuple[int, int] | None:
    """When the first and the last sample of all that are there were stored.

    Raises:
        StoreError: It can't be read.
    """
    with _bounded(path, timeout_s) as (connection, _):
        ends: list[list[int]] = [[], []]
        for order, found in zip(("", " DESC"), ends, strict=True):
            for table in SAMPLE_TABLES:
                sql = f"SELECT ts_ms FROM {table} ORDER BY rowid{order} LIMIT 1"
                found += [int(ts_ms) for (ts_ms,) in connection.execute(sql)]
        first, last = ends
        if _has_blocks(connection):
            # First by key: the earliest time may be of a clock that was not set.
            for sql, found in zip(ENDS_OF_BLOCKS, ends, strict=True):
                found += [int(ts_ms) for ts_ms, _ in connection.execute(sql)]
            batches = [*_batches(connection)]
            first += [batch.first_ms for batch in batches[:1]]
            last += [batch.last_ms for batch in batches[-1:]]
        return (min(first), max(last)) if first else None


def summary(path: Path, timeout_s: float) -> Summary:
    """What a file is and what is in it.

    Raises:
        StoreError: It can't be read.
    """
    with _bounded(path, timeout_s) as (connection, has_time):

        def pragma(name: str) -> object:
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        facts = [pragma(n) for n in ("user_version", "page_size", "page_count", "freelist_count")]
        schema = connection.execute(
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        ).fetchall()
        try:
            contents: tuple[Content, ...] | None = tuple(_contents(connection))
        except sqlite3.OperationalError:
            if has_time():
                raise
            contents = None
        version, size, pages, free = (int(str(fact)) for fact in facts)
        tables = tuple(str(sql) for (sql,) in schema)
        mode = str(pragma("journal_mode"))
        return Summary(version, size, pages, free, mode, tables, contents)


def _contents(connection: sqlite3.Connection) -> Iterator[Content]:
    found: dict[int, list[Sequence[int]]] = {}
    for device, *about in _counted(connection):
        found.setdefault(device, []).append(about)
    for id_, name, kind in connection.execute("SELECT id, name, kind FROM device ORDER BY name"):
        places = found.get(id_, [])
        rows = sum(count for count, _, _ in places)
        first_ms = min((first for _, first, _ in places), default=None)
        last_ms = max((last for _, _, last in places), default=None)
        yield Content(name, kind, rows, first_ms, last_ms)


def _counted(connection: sqlite3.Connection) -> Iterator[tuple[int, int, int, int]]:
    """Devices, how many samples they have in a place, and their first and last times."""
    for table in SAMPLE_TABLES:
        yield from connection.execute(
            f"SELECT device, count(*), min(ts_ms), max(ts_ms) FROM {table} GROUP BY device"
        )
    if _has_blocks(connection):
        yield from connection.execute(
            "SELECT device, sum(count), min(first_ms), max(last_ms) FROM block GROUP BY device"
        )
        for batch in _batches(connection):
            yield batch.device, batch.count, batch.first_ms, batch.last_ms


def _has_blocks(connection: sqlite3.Connection) -> bool:
    """Whether this is not the file of an older agent, which has rows only."""
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'block'").fetchone())


def _batches(connection: sqlite3.Connection) -> Iterator[Block]:
    """All that are sound; of none more than its heading is looked at."""
    for (data,) in connection.execute("SELECT data FROM batch ORDER BY id"):
        with suppress(Damaged):
            yield Block(data)


@contextmanager
def _bounded(
    path: Path, timeout_s: float
) -> Iterator[tuple[sqlite3.Connection, Callable[[], bool]]]:
    """A read-only connection that is interrupted at a deadline, and whether there is time left."""
    deadline = Deadline(timeout_s)

    def has_time() -> bool:
        try:
            return deadline.left_s() > 0
        except TimeoutError:
            return False

    connection = open_to_read(path)
    connection.set_progress_handler(lambda: int(not has_time()), STEPS)
    try:
        yield connection, has_time
    except sqlite3.Error as exc:
        why = str(exc) if has_time() else f"no end within {timeout_s:g} s"
        raise StoreError(f"cannot read {path}: {why}") from exc
    finally:
        connection.close()
