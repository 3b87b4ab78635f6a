"""A whole year of local days, each set on the wall clock of a running agent."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent.app import App
from agent.config.schema import ReportsSection, StoreSection
from tests.agent_process import wait_for
from tests.proofs.fake_wall import BERLIN, SettableClock, berlin_ms
from tests.proofs.in_process import Counting, config_of, running
from tests.proofs.stored import Row, missed_and_doubled, rows_of

pytestmark = pytest.mark.timeout(600)  # the long forms take up to 2 minutes, others seconds

INTERVAL_S = 0.02
CHANGES = ("2027-03-28", "2027-10-31")
FIRST_DAY = date(2027, 1, 2)


def days_around_the_changes() -> list[date]:
    """Both changes of summer time with a day before and after each."""
    return [date.fromisoformat(day) + timedelta(days=n) for day in CHANGES for n in (-1, 0, 1)]


def all_days() -> list[date]:
    """A year of them."""
    return [FIRST_DAY + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize(
    "days",
    [
        pytest.param(days_around_the_changes(), id="short"),
        pytest.param(all_days(), id="long", marks=pytest.mark.slow),
    ],
)
def test_each_local_day_of_a_year_has_one_report_and_each_poll_is_in_one(
    days: Sequence[date], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SettableClock(berlin_ms(f"{days[0]} 06:59:58"))
    config = config_of(
        tmp_path,
        {"press": INTERVAL_S},
        store=StoreSection(flush_interval_s=0.1, retention_days=0),
        reports=ReportsSection(weekly=False, keep_days=0),
    )
    caplog.set_level("INFO")

    with running(config, {"press": Counting()}, clock) as app:
        for day in days:
            pass_the_time_of_the_report(app, clock, day, tmp_path)
        (health,) = app.health.devices()

    rows = rows_of(tmp_path / "telemetry.db", "press")
    missed, doubled = missed_and_doubled(rows, INTERVAL_S)
    assert doubled <= 1
    assert missed <= health.late + health.overruns + 1
    assert [row.key for row in rows] == sorted(row.key for row in rows)
    assert [row.monotonic_ms for row in rows] == sorted(row.monotonic_ms for row in rows)
    assert reported(tmp_path, days) == [rows_before_report(rows, day) for day in days]
    assert sum("report: " in text and "rows" in text for text in caplog.messages) == len(days)


def pass_the_time_of_the_report(app: App, clock: SettableClock, day: date, folder: Path) -> None:
    """The second change of a day comes first, then the last moments before 07:00."""
    for moment in ("01:59:59.950", "02:59:59.950", "06:59:59.950"):
        clock.set(berlin_ms(f"{day} {moment}"))
        wait_for_polls(app, 3)
    if (
        str(day) not in CHANGES
    ):  # the report comes at its time; a step of the clock brings it at once
        wait_for(lambda: clock.now_ms() >= berlin_ms(f"{day} 07:00:00.050"))
        clock.set(berlin_ms(f"{day} 07:00:10"))
    wait_for((report_folder(folder) / f"{day}_daily.manifest.json").exists)


def wait_for_polls(app: App, more: int) -> None:
    polls = app.health.devices()[0].polls
    wait_for(lambda: app.health.devices()[0].polls >= polls + more)


def report_folder(folder: Path) -> Path:
    return folder / "reports" / "press" / "daily"


def reported(folder: Path, days: Sequence[date]) -> list[tuple[str, int]]:
    """Day and rows of each report, which says in local time where it ends."""
    paths = sorted(report_folder(folder).glob("*.manifest.json"))
    assert len(paths) == len(days)
    manifests = [json.loads(path.read_text()) for path in paths]
    return [(manifest["end"][:16], manifest["rows"]) for manifest in manifests]


def rows_before_report(rows: Sequence[Row], day: date) -> tuple[str, int]:
    """What the report of a day should say, from the rows themselves."""
    start_ms = berlin_ms(f"{day - timedelta(days=1)} 07:00:00")
    end_ms = berlin_ms(f"{day} 07:00:00")
    return f"{day}T07:00", sum(start_ms <= row.ts_ms < end_ms for row in rows)


def test_berlin_changes_its_clocks_on_the_days_of_this_proof() -> None:
    for day in CHANGES:
        hours = (berlin_ms(f"{day} 12:00:00") - berlin_ms(f"{day} 00:00:00")) / 3_600_000

        assert hours in (11, 13), BERLIN
