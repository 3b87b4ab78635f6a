"""What metrics come to by the minute, hour and day, as SQL over the samples says it."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.store.laid import Laid
from tests.store.sql.asked import DAY_MS, HOUR_MS, ask, at, columns

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY_MS = 1_792_879_200_000  # 2026-10-25T00:00 in Berlin, a day of 25 hours
SPANS = {"minutes": 60_000, "hours": HOUR_MS, "days": DAY_MS}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Numbers, texts and nothing, some minutes apart, over three days, in each form."""
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level", "state", "on"])
    samples = [
        at(
            SUNDAY_MS - DAY_MS + number * 431_000,
            None if number % 7 == 0 else number / 4,
            "auto" if number % 2 else None,
            number % 3 == 0,
        )
        for number in range(650)
    ]
    for start in range(0, 500, 100):
        laid.block(samples[start : start + 100])
    laid.batch(samples[500:600])
    laid.rows(samples[600:])
    laid.close()
    return laid.path


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("metric", ["level", "on"])
def test_numbers_come_to_what_sql_over_the_samples_says(path: Path, span: str, metric: str) -> None:
    start = f"ts_ms / {SPANS[span]} * {SPANS[span]}"
    wanted = ask(
        path,
        f"SELECT DISTINCT {start}, count(level) OVER span, min(level) OVER span, max(level) "
        "OVER span, avg(level) OVER span, first_value(level) OVER span, last_value(level) "
        f'OVER span FROM (SELECT ts_ms, "{metric}" AS level FROM press WHERE "{metric}" NOTNULL) '
        f"WINDOW span AS (PARTITION BY {start} ORDER BY ts_ms "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY 1",
    )

    found = ask(
        path,
        'SELECT ts_ms, count, "min", "max", mean, first, last '
        f"FROM press_{span} WHERE metric = '{metric}' ORDER BY ts_ms",
    )

    assert rounded(found) == rounded(wanted)


def rounded(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """Sums may differ in the last digit: ours are exact for decimals."""
    return [[round(each, 9) for each in row] for row in rows]


def test_texts_have_a_count_a_first_and_a_last(path: Path) -> None:
    (row,) = ask(path, f"SELECT * FROM press_hours WHERE metric = 'state' AND ts_ms = {SUNDAY_MS}")

    assert row[3:] == (4, None, None, None, "auto", "auto")


def test_days_are_those_of_the_time_zone(path: Path) -> None:
    query = "SELECT day, time, count FROM press_days WHERE metric = 'on'"

    found = ask(path, query, BERLIN)

    assert found == [
        ("2026-10-24", "2026-10-23T22:00:00.000Z", 201),
        ("2026-10-25", "2026-10-24T22:00:00.000Z", 209),  # 25 hours
        ("2026-10-26", "2026-10-25T23:00:00.000Z", 200),
        ("2026-10-27", "2026-10-26T23:00:00.000Z", 40),
    ]
    assert sum(count for *_, count in ask(path, query)) == 650


@pytest.mark.parametrize("order", ["", "ORDER BY ts_ms DESC"])
@pytest.mark.parametrize(
    "where",
    [
        f"ts_ms >= {SUNDAY_MS} AND ts_ms < {SUNDAY_MS + 3 * HOUR_MS}",
        f"ts_ms > {SUNDAY_MS} AND time <= '2026-10-25T03:00:00.000Z'",
        "time LIKE '2026-10-25T0%'",
        f"ts_ms = {SUNDAY_MS + HOUR_MS}",
        "metric IN ('on', 'level')",
        "metric = 'no such'",
        "metric = NULL",
        "count > 8 AND metric >= 'o'",
    ],
)
def test_conditions_leave_the_same_as_they_would_of_all(path: Path, where: str, order: str) -> None:
    found = ask(path, f"SELECT * FROM press_hours WHERE {where} {order}")

    every = "(SELECT * FROM press_hours LIMIT -1 OFFSET 0)"
    wanted = ask(path, f"SELECT * FROM {every} WHERE {where} {order}")
    assert sorted(found, key=repr) == sorted(wanted, key=repr)
    assert [row[2] for row in found] == [row[2] for row in wanted] or not order


def test_the_columns_are_these(path: Path) -> None:
    common = ["metric", "time", "ts_ms", "count", "min", "max", "mean", "first", "last"]

    assert columns(path, "SELECT * FROM press_minutes") == common
    assert columns(path, "SELECT * FROM press_days") == [*common, "day"]


def test_a_device_without_samples_has_none(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level"])
    laid.close()

    assert ask(laid.path, "SELECT * FROM press_days") == []
    assert ask(laid.path, "SELECT * FROM press ORDER BY ts_ms DESC") == []
    assert ask(laid.path, "SELECT first_ms, last_time FROM devices") == [(None, None)]
