"""What is made on demand, beside what the schedule makes, and what is deleted."""

import logging
import os
from datetime import date

import pytest

from agent.errors import AgentError, ConfigError
from tests.reports.kept import Kept, at, made, manifest

DAY_MS = 86_400_000


def test_a_report_on_demand_does_not_stand_for_the_scheduled_one(kept: Kept) -> None:
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T06:00"))
    reports = kept.reports(weekly=False)
    early = reports.make("press", "daily", reports.period("daily"))
    kept.clock.set_wall(at("2026-11-20T07:00"))

    reports.make_due()

    assert early.path.name == "2026-11-20_daily.csv"
    assert manifest(early.path)["end"] == "2026-11-20T07:00:00.000+01:00"


def test_a_report_on_demand_leaves_the_scheduled_one_and_stands_beside_it(kept: Kept) -> None:
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T07:00"))
    reports = kept.reports(weekly=False)
    reports.make_due()
    scheduled = kept.folder / "reports" / "press" / "daily" / "2026-11-20_daily.csv"
    before = scheduled.read_bytes(), manifest(scheduled)
    kept.clock.set_wall(at("2026-11-20T09:30"))

    late = reports.make("press", "daily", reports.period("daily"))

    assert late.path == scheduled.with_name("2026-11-20T0930_daily.csv")
    assert (scheduled.read_bytes(), manifest(scheduled)) == before


@pytest.mark.parametrize("other", ["units", "zone"])
def test_another_form_of_the_scheduled_report_stands_beside_it(kept: Kept, other: str) -> None:
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T12:00"))
    reports = kept.reports(weekly=False, keep_days=1)
    reports.make_due()
    period = reports.period("daily", day=date(2026, 11, 20))

    if other == "units":
        reports.make("press", "daily", period, units=True)
    else:
        kept.reports_in("Europe/Paris").make("press", "daily", period)

    assert kept.csv_files() == ["2026-11-20T0700_daily.csv", "2026-11-20_daily.csv"]


def test_the_scheduled_report_may_be_made_again_on_demand(kept: Kept) -> None:
    kept.put_every("2026-11-18T00:00", 60)
    kept.clock.set_wall(at("2026-11-20T12:00"))
    reports = kept.reports(weekly=False)
    reports.make_due()
    before = kept.files()

    again = reports.make("press", "daily", reports.period("daily", day=date(2026, 11, 20)))

    assert again.path.name == "2026-11-20_daily.csv"
    assert kept.files() == before


def test_a_report_of_a_day_that_is_not_over_does_not_stand_for_the_scheduled_one(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept.put_every("2026-11-19T12:00", 12)
    kept.clock.set_wall(at("2026-11-20T06:00"))
    reports = kept.reports(weekly=False)
    reports.make("press", "daily", reports.period("daily", day=date(2026, 11, 20)))
    kept.clock.set_wall(at("2026-11-20T07:00"))

    reports.make_due()

    assert made(caplog) == ["2026-11-20_daily.csv"]


@pytest.mark.parametrize("other", ["units", "zone"])
def test_a_report_with_units_or_in_another_zone_does_not_stand_for_the_scheduled_one(
    kept: Kept, other: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept.put_every("2026-11-19T12:00", 12)
    kept.clock.set_wall(at("2026-11-20T12:00"))
    reports = kept.reports(weekly=False)
    period = reports.period("daily", day=date(2026, 11, 20))
    if other == "units":
        reports.make("press", "daily", period, units=True)
    else:
        kept.reports_in("Europe/Paris", weekly=False).make("press", "daily", period)
    foreign = manifest(kept.folder / "reports" / "press" / "daily" / "2026-11-20_daily.csv")

    reports.make_due()

    assert made(caplog) == ["2026-11-20_daily.csv"]
    assert (foreign["timezone"], foreign["units"]) in (
        ("Europe/Berlin", True),
        ("Europe/Paris", False),
    )


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
        reports.make("press", "daily", reports.period("daily"))


def test_a_report_waits_for_no_flush_to_have_all_there_is(kept: Kept) -> None:
    kept.put_every("2026-11-20T00:00", 3)
    kept.put(hour=99)
    kept.clock.advance(1)
    reports = kept.reports()

    (name,) = reports.devices(["PRESS"])
    roll_up = reports.make(name, "daily", reports.period("daily"))

    assert (roll_up.device, roll_up.rows) == ("press", 4)


def test_an_unknown_device_is_a_wrong_use_and_named_with_those_that_there_are(kept: Kept) -> None:
    kept.put()
    reports = kept.reports()

    with pytest.raises(ConfigError, match="no device 'oven', there is: press"):
        reports.devices(["oven"])


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
    old = [
        *("2026-10-20_daily.csv", "2026-10-20_daily.manifest.json", "2025-01-01_daily.csv"),
        *("2026-10-20T2359_daily.manifest.json", "2026-10-20T2359_daily.csv"),
    ]
    kept_names = [
        *("2026-10-21T0000_daily.csv", "2026-10-20T235900_daily.csv"),
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
