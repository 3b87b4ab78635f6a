"""A query reads what it needs of the store, and of the rest nothing."""

from datetime import UTC
from pathlib import Path

import pytest

from agent.store.sql.engine import Engine
from agent.store.sql.pages import Columns
from tests.store.laid import At, Laid, damage
from tests.store.sql.asked import DAY_MS, HOUR_MS, ask, at

BLOCKS = 6  # of a day each


def whole(number: int) -> list[At]:
    """The samples of a day's block."""
    return [at(number * DAY_MS + step * HOUR_MS, number + step / 100, "auto") for step in range(24)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level", "mode"])
    for number in range(BLOCKS):
        laid.block(whole(number))
    laid.close()
    return laid.path


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        (f"SELECT * FROM press WHERE ts_ms >= {2 * DAY_MS} AND ts_ms < {3 * DAY_MS}", {2}),
        ("SELECT avg(level) FROM press WHERE time LIKE '1970-01-04%'", {3}),
        ("SELECT * FROM press WHERE time > '1970-01-05T22' AND time < '1970-01-06T02'", {4, 5}),
        (f"SELECT * FROM press WHERE ts_ms = {DAY_MS + HOUR_MS}", {1}),
        (f"SELECT * FROM press WHERE ts_ms IN ({HOUR_MS}, {4 * DAY_MS})", {0, 4}),
        ("SELECT * FROM press ORDER BY ts_ms DESC LIMIT 1", {5}),
        ("SELECT * FROM press ORDER BY time LIMIT 24", {0}),
        ("SELECT max(ts_ms) FROM press", {5}),
        ("SELECT * FROM press WHERE ts_ms = (SELECT min(ts_ms) FROM press)", {0}),
        (f"SELECT * FROM press WHERE ts_ms < {DAY_MS} ORDER BY ts_ms DESC LIMIT 3", {0}),
        ("SELECT * FROM press WHERE ts_ms > NULL", set()),
        ("SELECT * FROM press WHERE ts_ms > 5 AND ts_ms < 5", set()),
        ("SELECT * FROM devices", {0, 5}),
        ("SELECT * FROM metrics", set()),
    ],
)
def test_blocks_outside_of_the_stretch_are_not_opened(
    path: Path, query: str, needed: set[int]
) -> None:
    # A damaged block is told of by whoever opens it.
    newest = {BLOCKS - 1}  # looked at to know where the samples end
    for number in {*range(BLOCKS)} - needed - newest:
        damage(path, "block", number + 1)

    with Engine(path, UTC) as engine:
        rows = [*engine.select(query).rows]
        met = [*engine.damaged]

    assert met == []
    assert bool(rows) == (bool(needed) or "metrics" in query)


def test_rows_come_while_the_rest_is_not_read_yet(path: Path) -> None:
    damage(path, "block", 2)

    with Engine(path, UTC) as engine:
        rows = engine.select("SELECT level FROM press").rows
        first = [next(rows) for _ in range(24)]
        met_by_then = [*engine.damaged]
        rest = sum(1 for _ in rows)

    assert first == [(step / 100,) for step in range(24)]
    assert met_by_then == []
    assert rest == (BLOCKS - 2) * 24


def test_a_damaged_block_is_left_out_and_named(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(path, "block", 2)

    with Engine(path, UTC) as engine:
        rows = [*engine.select("SELECT count(*) FROM press").rows]
        (met,) = engine.damaged

    assert rows == [((BLOCKS - 1) * 24,)]
    assert (met.device, met.first_ms, met.count) == ("press", DAY_MS, 24)
    assert "agent store repair" in caplog.text


def test_a_column_is_decoded_when_it_is_asked_for_and_once() -> None:
    asked = []

    def decode(number: int) -> list[int]:
        asked.append(number)
        return [number]

    columns = Columns(decode)
    found = [columns[2], columns[2], columns[5]]

    assert found == [[2], [2], [5]]
    assert asked == [2, 5]


@pytest.mark.parametrize("form", ["batch", "rows"])
def test_much_that_is_not_sealed_is_read_in_parts(tmp_path: Path, form: str) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level"])
    samples = [at(5 * HOUR_MS + number * 20, number) for number in range(50_000)]
    for start in range(0, len(samples), 10_000):
        getattr(laid, form)(samples[start : start + 10_000])
    laid.close()

    found = ask(laid.path, "SELECT level FROM press")
    newest = ask(laid.path, "SELECT level FROM press ORDER BY ts_ms DESC LIMIT 2")

    assert found == [(number,) for number in range(50_000)]
    assert newest == [(49_999,), (49_998,)]


def test_samples_that_all_have_one_time_are_read(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level"])
    laid.rows([At(1000 * 7 + number, 7, (0,), [number]) for number in range(25_000)])
    laid.close()

    assert ask(laid.path, "SELECT count(*), max(level) FROM press") == [(25_000, 24_999)]


@pytest.mark.parametrize("form", ["block", "batch", "rows"])
def test_a_query_sees_the_store_as_it_was_when_it_began(tmp_path: Path, form: str) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level"])
    getattr(laid, form)([at(7, 1), at(8, 2)])
    laid.close()

    with Engine(laid.path, UTC) as engine:
        before = [*engine.select("SELECT count(*) FROM press").rows]
        again = [*engine.select("SELECT count(*) FROM press").rows]

    assert before == again == [(2,)]
