"""Which stretch of time a report is about, over days of 23 and 25 hours too."""

from collections.abc import Callable
from datetime import date, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from agent.reports import periods
from agent.reports.periods import Period
from tests.reports.kept import BERLIN, at

HOUR_MS = 3_600_000
SEVEN = time(7)


def scheduled(span: str, day: date, zone: tzinfo) -> Period:
    return periods.up_to(span, day, SEVEN, zone)


def in_the_night(span: str, day: date, zone: tzinfo) -> Period:
    return periods.up_to(span, day, time(2, 30), zone)


@pytest.mark.parametrize(
    ("make", "day", "hours"),
    [
        (periods.calendar_days, date(2026, 3, 28), 24),
        (periods.calendar_days, date(2026, 3, 29), 23),
        (periods.calendar_days, date(2026, 10, 25), 25),
        (scheduled, date(2026, 3, 29), 23),
        (scheduled, date(2026, 10, 25), 25),
        (scheduled, date(2026, 10, 24), 24),
    ],
)
def test_a_day_has_as_many_hours_as_it_has(
    make: Callable[[str, date, tzinfo], Period], day: date, hours: int
) -> None:
    daily, weekly = make("daily", day, BERLIN), make("weekly", day, BERLIN)

    assert daily.end_ms - daily.start_ms == hours * HOUR_MS
    assert weekly.end_ms - weekly.start_ms == (hours + 144) * HOUR_MS
    assert (daily.stem, weekly.stem) == (f"{day}_daily", f"{day}_weekly")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("make", [periods.calendar_days, scheduled, in_the_night])
@pytest.mark.parametrize("span", ["daily", "weekly"])
def test_reports_that_follow_each_other_leave_nothing_out_and_hold_nothing_twice(
    make: Callable[[str, date, tzinfo], Period], zone: str, span: str
) -> None:
    step = timedelta(days=periods.DAYS[span])
    days = [date(2026, 1, 1) + number * step for number in range(366 // step.days)]

    made = [make(span, day, ZoneInfo(zone)) for day in days]

    assert [each.end_ms for each in made[:-1]] == [each.start_ms for each in made[1:]]
    assert all(each.start_ms < each.end_ms for each in made)


def test_the_last_hours_end_now() -> None:
    now_ms = at("2026-03-29T12:34:56")

    period = periods.last_hours("daily", now_ms, BERLIN)

    assert period == Period(now_ms - 24 * HOUR_MS, now_ms, "2026-03-29_daily")


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-20T06:59:59", date(2026, 11, 19)),
        ("2026-11-20T07:00:00", date(2026, 11, 20)),
        ("2026-11-20T23:59:59", date(2026, 11, 20)),
        ("2026-11-21T00:00:00", date(2026, 11, 20)),
        ("2026-03-29T07:00:00", date(2026, 3, 29)),
    ],
)
def test_the_newest_day_that_is_due_is_the_one_whose_time_has_come(now: str, day: date) -> None:
    assert periods.latest_due(at(now), SEVEN, BERLIN) == day


@pytest.mark.parametrize(
    ("start", "end", "stem"),
    [
        ("2026-11-20", "2026-11-21", "2026-11-20_2026-11-21"),
        ("2026-11-20T07:00", "2026-11-21", "2026-11-20T070000_2026-11-21"),
    ],
)
def test_a_stretch_that_the_user_names_is_the_name(start: str, end: str, stem: str) -> None:
    start_ms, end_ms = (periods.parse_moment(text, BERLIN) for text in (start, end))

    assert periods.between(start_ms, end_ms, BERLIN).stem == stem


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2026-11-20", "2026-11-20T00:00"),
        (" 2026-11-20T07:00 ", "2026-11-20T07:00"),
        ("2026-11-20T07:00:00Z", "2026-11-20T08:00"),
        ("2026-11-20T07:00+05:00", "2026-11-20T03:00"),
    ],
)
def test_a_moment_is_local_unless_it_says_otherwise(text: str, local: str) -> None:
    assert periods.parse_moment(text, BERLIN) == at(local)


def test_only_names_of_the_own_pattern_have_dates() -> None:
    stems = [
        *("2026-11-20_daily", "2026-11-20_weekly", "20261120_daily", "2026-W47-5_daily"),
        *("2026-11-20T0930_daily", "2026-11-20T093000_daily", "2026-11-20T09:30_daily"),
        *("2026-11-20_daily_copy", "2026-11-31_daily", "_daily", "daily", "2026-11-20"),
    ]

    found = list(periods.dates_of(iter(stems), "daily"))

    day = date(2026, 11, 20)
    assert found == [(day, "2026-11-20_daily"), (day, "2026-11-20T0930_daily")]
