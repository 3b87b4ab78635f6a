"""What is made on time and on demand, and what is deleted."""

import logging
import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent.errors import AgentError, StoreError
from tests.reports.kept import Kept, at, manifest, table

DAY_MS = 86_400_000


def made(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The names of the reports that were logged as made."""
    texts = [r.getMessage() for r in caplog.records if " rows" in r.getMessage()]
    return [Path(text.split(": ")[1].split(", ")[0]).name for text in texts]


def test_what_is_due_is_made_once(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kept.put_every("2026-11-15T00:00", 24 * 8 + 10)
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


@pytest.mark.parametrize("calendar", [True, False])
@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_daily_reports_over_a_change_of_the_clock_hold_each_hour_once(
    kept: Kept, change: str, *, calendar: bool
) -> None:
    day = date.fromisoformat(change)
    kept.put_every(f"{day - timedelta(days=3)}T00:00", 24 * 6)
    reports = kept.reports(calendar=calendar, weekly=False)

    for number in (0, 1, 2):
        kept.clock.set_wall(at(f"{day + timedelta(days=number)}T07:00"))
        reports.make_due()

    paths = [kept.folder / "reports" / name for name in kept.files() if name.endswith(".csv")]
    hours = [int(row[1]) for path in paths for row in table(path)[1:]]
    assert len(paths) == 3
    assert hours == list(range(hours[0], hours[0] + 72 + (1 if change > "2026-06" else -1)))


def test_a_report_on_demand_does_not_stand_for_the_scheduled_one(kept: Kept) -> None:
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T06:00"))
    reports = kept.reports(weekly=False)
    (early,) = reports.make([], "daily", reports.period("daily"))
    kept.clock.set_wall(at("2026-11-20T07:00"))

    reports.make_due()

    assert early.path.name == "2026-11-20_daily.csv"
    assert manifest(early.path)["end"] == "2026-11-20T07:00:00.000+01:00"


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
        ({"weekly_day": "sunday"}, {"daily"}),
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


def test_a_folder_that_can_not_be_written_is_an_error_that_is_logged(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T07:00"))
    (kept.folder / "reports").write_text("in the way")
    reports = kept.reports(weekly=False)

    reports.make_due()

    assert [r.getMessage()[:20] for r in caplog.records] == ["report: cannot write"]
    with pytest.raises(AgentError, match="cannot write"):
        list(reports.make(["press"], "daily", reports.period("daily")))


def test_a_report_waits_for_no_flush_to_have_all_there_is(kept: Kept) -> None:
    kept.put_every("2026-11-20T00:00", 3)
    kept.put(hour=99)
    kept.clock.advance(1)
    reports = kept.reports()

    (roll_up,) = reports.make(["PRESS"], "daily", reports.period("daily"))

    assert (roll_up.device, roll_up.rows) == ("press", 4)


def test_a_device_without_data_is_named_with_those_that_have_some(kept: Kept) -> None:
    kept.put()
    reports = kept.reports()

    with pytest.raises(StoreError, match="no device 'oven' has data, there is: press"):
        list(reports.make(["oven"], "daily", reports.period("daily")))


@pytest.mark.parametrize(
    ("options", "stem", "start", "end"),
    [
        ({}, "2026-11-20_daily", "2026-11-19T12:00", "2026-11-20T12:00"),
        ({"calendar": True}, "2026-11-19_daily", "2026-11-19", "2026-11-20"),
        ({"day": date(2026, 11, 3)}, "2026-11-03_daily", "2026-11-02T07:00", "2026-11-03T07:00"),
    ],
)
def test_the_period_on_demand_is_the_newest_or_of_a_day(
    kept: Kept, options: dict[str, object], stem: str, start: str, end: str
) -> None:
    kept.clock.set_wall(at("2026-11-20T12:00"))

    period = kept.reports().period("daily", **options)  # type: ignore[arg-type]

    assert (period.stem, period.start_ms, period.end_ms) == (stem, at(start), at(end))


def test_old_reports_are_deleted_by_the_date_in_their_names_and_nothing_else_is(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept.put_every("2026-11-20T00:00", 3)
    kept.clock.set_wall(at("2026-11-20T12:00"))
    folder = kept.folder / "reports" / "press" / "daily"
    folder.mkdir(parents=True)
    old = ["2026-10-20_daily.csv", "2026-10-20_daily.manifest.json", "2025-01-01_daily.csv"]
    kept_names = [
        *("2026-10-21_daily.csv", "2026-11-20_daily.csv", "20250101_daily.csv", "notes.csv"),
        *("2025-01-01_weekly.csv", "2025-01-01_daily.txt", "2025-01-01_daily copy.csv"),
    ]
    for name in old + kept_names:
        (folder / name).touch()

    kept.reports(keep_days=30).delete_old()

    assert sorted(path.name for path in folder.iterdir()) == sorted(kept_names)
    assert [r.getMessage() for r in caplog.records] == [
        f"report: deleting {folder / name}, older than 30 days" for name in sorted(old[::2])
    ]


def test_with_keep_days_0_reports_stay(kept: Kept) -> None:
    kept.put_every("2026-11-20T00:00", 1)
    path = kept.folder / "reports" / "press" / "daily" / "2000-01-01_daily.csv"
    path.parent.mkdir(parents=True)
    path.touch()

    kept.reports(keep_days=0).delete_old()

    assert path.exists()


def test_what_a_power_cut_left_of_a_report_is_deleted_after_a_day(kept: Kept) -> None:
    kept.put_every("2026-11-20T00:00", 1)
    folder = kept.folder / "reports" / "press" / "daily"
    folder.mkdir(parents=True)
    names = [".2026-11-18_daily.csv.x1.tmp", ".2026-11-20_daily.csv.x2.tmp", ".other.tmp"]
    for name, age_ms in zip(names, (2 * DAY_MS, 1000, 2 * DAY_MS), strict=True):
        (folder / name).touch()
        seconds = (kept.clock.now_ms() - age_ms) / 1000
        os.utime(folder / name, (seconds, seconds))

    kept.reports().delete_old()

    assert sorted(path.name for path in folder.iterdir()) == sorted(names[1:])
