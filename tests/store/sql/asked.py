"""Short words for the tests of queries: a file of any forms, and what is answered about it."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from agent.store.sql.engine import Engine
from tests.store.laid import At

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def at(ts_ms: int, *values: Any) -> At:
    """A sample that offers the first metrics of its device."""
    return At(ts_ms * 1000, ts_ms, tuple(range(len(values))), values)


def ask(path: Path, sql: str, zone: tzinfo = UTC) -> list[tuple[Any, ...]]:
    """The rows of an answer."""
    with Engine(path, zone) as engine:
        return [*engine.select(sql).rows]


def columns(path: Path, sql: str) -> Sequence[str]:
    """The names of its columns."""
    with Engine(path, UTC) as engine:
        return engine.select(sql).columns
