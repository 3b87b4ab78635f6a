"""What the schedule asks for: made once, at its time or when the agent is there again."""

import json
import logging
from datetime import date, timedelta

import pytest

from tests.reports.kept import Kept, at, made, table

DAY_MS = 86_400_000


def test_what_is_due_is_made_once(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kept.put_every("2026-11-21T07:00", 24 * 2 + 10)
    reports = kept.reports()

    for now in ("2026-11-23T06:59", "2026-11-23T07:00", "2026-11-23T07:01", "2026-11-23T20:00"):
        kept.clock.set_wall(at(now))
        reports.make_due()

    assert made(caplog) == ["2026-11-22_daily.csv", "2026-11-23_daily.csv", "2026-11-23_weekly.csv"]
    assert kept.files() == [
        f"press/{span}/{day}_{span}{ending}"
        for span, days in (("daily", ("2026-11-22", "2026-11-23")), ("weekly", ("2026-11-23",)))
        for day in days
        for ending in (".csv", ".manifest.json")
    ]


def test_what_was_due_while_the_agent_was_down_is_made_at_the_next_start(kept: Kept) -> None:
    kept.put_every("2026-11-19T07:00", 23)  # up to Friday 06:00
    kept.clock.set_wall(at("2026-11-23T08:00"))  # a Monday
    kept.put()
    kept.store.flush()

    kept.reports().make_due()

    assert kept.csv_files() == ["2026-11-20_daily.csv", "2026-11-23_weekly.csv"]


def test_a_weekly_report_is_made_on_any_later_day_of_the_week(kept: Kept) -> None:
    kept.put_every("2026-11-22T08:00", 24 * 8 + 10)
    kept.clock.set_wall(at("2026-11-24T12:00"))  # a Tuesday

    kept.reports(daily=False).make_due()

    assert kept.csv_files() == ["2026-11-23_weekly.csv"]


@pytest.mark.parametrize(("keep_days", "days"), [(0, 7), (30, 7), (7, 7), (3, 3), (1, 1)])
@pytest.mark.parametrize("calendar", [False, True])
def test_no_more_than_a_week_is_made_up_for_and_nothing_that_would_be_deleted(
    kept: Kept, keep_days: int, days: int, *, calendar: bool
) -> None:
    kept.put_every("2026-11-01T00:00", 24 * 20)
    kept.clock.set_wall(at("2026-11-20T08:00"))
    reports = kept.reports(weekly=False, keep_days=keep_days, calendar=calendar)

    reports.make_due()
    found = kept.csv_files()
    reports.delete_old()

    assert len(found) == days
    assert kept.csv_files() == found


def test_what_would_be_deleted_at_once_is_not_made(kept: Kept) -> None:
    kept.put_every("2026-11-17T00:00", 24 * 4)
    kept.clock.set_wall(at("2026-11-20T06:00"))  # due is the report made on the 19th, of the 18th

    kept.reports(weekly=False, keep_days=1, calendar=True).make_due()

    assert kept.files() == []


def test_a_report_of_an_older_agent_is_not_made_again(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T07:00"))
    reports = kept.reports(weekly=False)
    reports.make_due()
    for path in (kept.folder / "reports").rglob("*.manifest.json"):
        facts = json.loads(path.read_text())
        for new in ("timezone", "units", "scheduled"):
            del facts[new]
        path.write_text(json.dumps(facts))
    caplog.clear()

    reports.make_due()

    assert made(caplog) == []


def test_reports_before_the_newest_stay_as_they_are_after_a_change_of_settings(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T07:00"))
    kept.reports(weekly=False).make_due()
    caplog.clear()

    kept.reports(weekly=False, units=True).make_due()

    assert made(caplog) == ["2026-11-20_daily.csv"]


def test_the_report_of_one_device_that_fails_stops_none_of_the_others(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    kept.clock.set_wall(at("2026-11-20T00:00"))
    kept.put_values("host", {"cpu_total": 1})
    kept.put_every("2026-11-20T00:00", 3)
    kept.clock.set_wall(at("2026-11-20T07:00"))
    (kept.folder / "reports").mkdir()
    (kept.folder / "reports" / "host").write_text("in the way")

    kept.reports(weekly=False).make_due()

    assert kept.csv_files() == ["2026-11-20_daily.csv"]
    assert len([r for r in caplog.records if "/reports/host/" in r.getMessage()]) == 1


@pytest.mark.parametrize("calendar", [True, False])
@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_daily_reports_over_a_change_of_the_clock_hold_each_hour_once(
    kept: Kept, change: str, *, calendar: bool
) -> None:
    day = date.fromisoformat(change)
    kept.put_every(f"{day - timedelta(days=3)}T00:00", 24 * 6)
    reports = kept.reports(calendar=calendar, weekly=False, keep_days=1)

    for number in (0, 1, 2):
        kept.clock.set_wall(at(f"{day + timedelta(days=number)}T07:00"))
        reports.make_due()

    paths = [kept.folder / "reports" / name for name in kept.files() if name.endswith(".csv")]
    hours = [int(row[1]) for path in paths for row in table(path)[1:]]
    assert len(paths) == 3
    assert hours == list(range(hours[0], hours[0] + 72 + (1 if change > "2026-06" else -1)))


def test_a_report_without_its_manifest_is_made_again(kept: Kept) -> None:
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T07:00"))
    reports = kept.reports(weekly=False)
    reports.make_due()
    before = kept.files()
    (kept.folder / "reports" / before[1]).unlink()  # power went between the two files

    reports.make_due()

    assert kept.files() == before


def test_while_the_clock_is_not_set_nothing_is_made(kept: Kept) -> None:
    kept.clock.set_wall(0)
    kept.put()
    kept.clock.set_wall(2 * DAY_MS)

    kept.reports().make_due()

    assert kept.files() == []


def test_without_a_store_or_samples_nothing_is_made(kept: Kept) -> None:
    kept.reports().make_due()
    kept.put()
    kept.store.flush()
    kept.clock.advance(10 * 86400)

    kept.reports().make_due()
    kept.reports().delete_old()

    assert kept.files() == []


@pytest.mark.parametrize(
    ("options", "spans"),
    [
        ({"daily": False}, {"weekly"}),
        ({"weekly": False}, {"daily"}),
        ({"weekly_day": "thursday"}, {"daily"}),
        ({"weekly_day": "every"}, {"daily", "weekly"}),
    ],
)
def test_only_what_the_settings_ask_for_is_made(
    kept: Kept, options: dict[str, object], spans: set[str]
) -> None:
    kept.put_every("2026-11-20T00:00", 80)
    kept.clock.set_wall(at("2026-11-23T07:00"))  # a Monday

    kept.reports(**options).make_due()

    assert {name.split("/")[1] for name in kept.files()} == spans
