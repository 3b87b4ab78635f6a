"""Any query has the answer that SQLite gives on a plain table with the same samples."""

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Value
from agent.store.sql.times import iso
from tests.store.laid import At, Laid
from tests.store.sql.asked import HOUR_MS, ask

START_MS = 1_795_176_000_000
NAMES = ("n", "x", "s", "b", "with.dots")
FORMS = ("block", "batch", "rows")
VALUES = {
    "n": st.none() | st.integers(-5, 5) | st.just(2**70) | st.just(-(2**63)),
    "x": st.none() | st.sampled_from([0.5, -1.25, 3.0, 1e300, -0.0]),
    "s": st.none() | st.sampled_from(["", "auto", "ä", "it's", "AUTO", "x\0y", "\ud83d"]),
    "b": st.none() | st.booleans(),
    "with.dots": st.none() | st.integers(0, 3) | st.sampled_from(["3", "a"]),
}
QUERIES = (
    "SELECT * FROM press WHERE ts_ms >= {a} AND ts_ms < {b}",
    'SELECT rowid, "with.dots", typeof(n) FROM press WHERE ts_ms > {a} AND b',
    "SELECT ts_ms FROM press WHERE ts_ms BETWEEN {a} AND {b} ORDER BY ts_ms",
    "SELECT time FROM press ORDER BY time DESC LIMIT 3",
    "SELECT ts_ms FROM press WHERE ts_ms < {b} ORDER BY ts_ms DESC, time DESC LIMIT 2 OFFSET 1",
    "SELECT count(*), total(n), min(x), max(x), total(b) FROM press WHERE time > '{ta}'",
    "SELECT min(ts_ms), max(ts_ms), min(time), max(time) FROM press WHERE ts_ms != {a}",
    "SELECT max(ts_ms) FROM press",
    "SELECT s, count(*), max(ts_ms) FROM press GROUP BY s HAVING count(*) > 1",
    "SELECT ts_ms, count(n) FROM press WHERE time <= '{tb}' GROUP BY ts_ms",
    "SELECT DISTINCT ts_ms FROM press ORDER BY ts_ms DESC",
    "SELECT p.ts_ms, (SELECT max(q.n) FROM press q WHERE q.ts_ms <= p.ts_ms "
    "AND q.ts_ms > p.ts_ms - {d}) FROM press p",
    "SELECT p.ts_ms, (SELECT q.ts_ms FROM press q WHERE q.ts_ms < p.ts_ms "
    "ORDER BY q.ts_ms DESC LIMIT 1) FROM press p",
    "SELECT p.ts_ms, q.n FROM press p JOIN press q ON q.ts_ms = p.ts_ms + {d}",
    "SELECT p.ts_ms, q.n FROM press p LEFT JOIN press q ON q.ts_ms BETWEEN p.ts_ms - 1000 "
    "AND p.ts_ms + 1000 AND q.n IS NOT NULL",
    "SELECT p.time, q.b FROM press p, press q WHERE q.time = p.time AND p.s = q.s COLLATE NOCASE",
    "SELECT ts_ms, count(*) OVER (ORDER BY ts_ms RANGE BETWEEN {d} PRECEDING AND CURRENT ROW), "
    "max(n) OVER (PARTITION BY s) FROM press",
    "WITH hours AS (SELECT ts_ms / 3600000 AS hour, max(x) AS most FROM press GROUP BY hour) "
    "SELECT * FROM hours WHERE most > (SELECT min(x) FROM press)",
    "WITH RECURSIVE steps(ms) AS (SELECT {a} UNION ALL SELECT ms + 3600000 FROM steps LIMIT 5) "
    "SELECT ms, (SELECT count(*) FROM press WHERE ts_ms >= ms AND ts_ms < ms + 3600000) FROM steps",
    "SELECT * FROM press WHERE ts_ms = (SELECT max(ts_ms) FROM press WHERE ts_ms <= {b})",
    "SELECT ts_ms FROM press WHERE ts_ms IN ({a}, {b}, (SELECT min(ts_ms) FROM press))",
    "SELECT ts_ms FROM press WHERE ts_ms < {a} OR ts_ms > {b} OR time = '{tb}'",
    "SELECT ts_ms FROM press WHERE time >= '{ta}' AND time <= '{tb}' AND NOT (n > 3)",
    "SELECT count(*) FROM press WHERE time LIKE '2026-11-20T1%' AND time NOT GLOB '*:00.*'",
    "SELECT count(*) FROM press WHERE time GLOB '2026-11-20T1[34]*' OR time LIKE '2026-11-20t12_%'",
    "SELECT count(*) FROM press WHERE ts_ms > {a}.5 AND ts_ms <= {b}.5 AND ts_ms < 9e999",
    "SELECT count(*) FROM press WHERE ts_ms > '{a}' AND time > 5 AND ts_ms < 'x' AND ts_ms > x'00'",
    "SELECT count(*) FROM press WHERE ts_ms > NULL OR time = NULL OR ts_ms IS NULL",
    "SELECT count(*) FROM press WHERE ts_ms IS {a} OR time IS NOT '{ta}'",
    "SELECT ts_ms FROM press WHERE time < '{tb}' COLLATE NOCASE EXCEPT SELECT {a}",
    "SELECT b, avg(b) FILTER (WHERE ts_ms > {a}) FROM press GROUP BY b",
)


@attrs.frozen
class Case:
    """Samples in the order they were read, cut into forms, and two moments."""

    pieces: Sequence[tuple[str, Sequence[At]]]
    a: int
    b: int
    d: int

    def filled(self, query: str) -> str:
        """A query about these moments."""
        return query.format(a=self.a, b=self.b, d=self.d, ta=iso(self.a), tb=iso(self.b))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """The clock goes on, mostly, over some hours."""
    steps = st.sampled_from(
        [0, 1, 1000, 1000, 5000, HOUR_MS // 2, 3 * HOUR_MS, -1500, -2 * HOUR_MS]
    )
    ts_ms, key = START_MS, 0
    times, pieces = [START_MS], []
    for form in draw(st.lists(st.sampled_from(FORMS), min_size=1, max_size=5)):
        samples = []
        layout = draw(st.sampled_from([(0, 1, 2, 3, 4), (0, 2), (1, 3, 4)]))
        for _ in range(draw(st.integers(1, 6))):
            ts_ms += draw(steps)
            key = max(ts_ms * 1000, key + 1)
            values = [draw(VALUES[NAMES[position]]) for position in layout]
            samples.append(At(key, ts_ms, layout, values))
            times.append(ts_ms)
        pieces.append((form, samples))
    moments = st.sampled_from(times).flatmap(lambda ms: st.sampled_from([ms - 1, ms, ms + 700]))
    a, b = sorted([draw(moments), draw(moments)])
    return Case(pieces, a, b, draw(st.sampled_from([0, 1000, 5000, HOUR_MS])))


def plain(value: Value) -> Value:
    """A value as a table of SQLite has it."""
    if isinstance(value, str):
        return value.replace("\ud83d", "?")
    return float(value) if isinstance(value, int) and abs(value) > 2**63 else value


def answers(case: Case, queries: Sequence[str]) -> list[list[tuple[Any, ...]]]:
    """What SQLite says."""
    names = ", ".join(f'"{name}"' for name in NAMES)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE press(time TEXT, ts_ms INTEGER, {names})")
        for _, samples in case.pieces:
            for each in samples:
                cells = {p: plain(v) for p, v in zip(each.layout, each.values, strict=True)}
                row = [each.key, iso(each.ts_ms), each.ts_ms, *map(cells.get, range(len(NAMES)))]
                marks = ", ".join("?" * len(row))
                connection.execute(
                    f"INSERT INTO press(rowid, time, ts_ms, {names}) VALUES({marks})", row
                )
        return [connection.execute(query).fetchall() for query in queries]


def check(case: Case, queries: Sequence[str]) -> None:
    queries = [case.filled(query) for query in queries]
    with tempfile.TemporaryDirectory() as folder:
        laid = Laid(Path(folder) / "telemetry.db", "s7", NAMES)
        for form, samples in case.pieces:
            getattr(laid, form)(samples)
        laid.close()
        note_lag(laid.path, case)
        for query, wanted in zip(queries, answers(case, queries), strict=True):
            is_ordered = "ORDER BY ts_ms" in query or "ORDER BY time" in query
            in_order = list if is_ordered else by_text
            assert repr(in_order(ask(laid.path, query))) == repr(in_order(wanted)), query


def note_lag(path: Path, case: Case) -> None:
    """By how much keys are ahead of times, as the writer notes it."""
    samples = [each for _, found in case.pieces for each in found]
    lag_ms = max(each.key // 1000 - each.ts_ms for each in samples)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'lag_ms'", (lag_ms,))


def by_text(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in an order that does not depend on where they came from."""
    return sorted(rows, key=repr)


@settings(max_examples=25)
@given(case=cases())
def test_the_answer_is_that_of_a_plain_table(case: Case) -> None:
    """Takes seconds: 25 files are made, and each query is asked of each."""
    check(case, QUERIES)


@pytest.mark.slow
@settings(max_examples=1500)
@given(case=cases())
def test_the_answer_is_that_of_a_plain_table_long(case: Case) -> None:
    check(case, QUERIES)
