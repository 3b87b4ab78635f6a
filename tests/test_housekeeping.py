"""What is deleted by age, and that nothing is while the clock is in doubt."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from agent.clock import CLOCK_SET_MS
from agent.health import Health
from agent.housekeeping import Housekeeping
from agent.model import Reason
from agent.poller import Pace, Poller
from tests.fakes import NOON_MS, ScriptedDriver, as_driver
from tests.reports.kept import Kept

DAY_S = 86_400
HOUR_MS = 3_600_000
DAY_MS = DAY_S * 1000


@attrs.frozen
class Night:
    """When it ends, and how far the clock is behind then: ``None`` is 1970."""

    end_ms: int
    behind_ms: int | None


class House(Kept):
    """A store that keeps ten days."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.keeping = self._housekeeping(10)

    def _housekeeping(self, retention_days: int) -> Housekeeping:
        return Housekeeping(self.store, self.reports(keep_days=10), self.clock, retention_days)

    def keep(self, days: int) -> None:
        """Another setting, and a new start."""
        self.keeping = self._housekeeping(days)

    def put_daily(self, days: int) -> None:
        """A sample a day, the last one now."""
        for number in range(days):
            if number:
                self.clock.advance(DAY_S)
            self.put(number=number)
        self.store.flush()

    def spend_a_day(self, night: Night, on_h: int) -> None:
        """Switched on after a night, polled hourly after the clock is set, and switched off."""
        now_ms = 1000 if night.behind_ms is None else night.end_ms - night.behind_ms
        self.clock.reboot(f"boot at {night.end_ms}", now_ms)
        self.restart()
        self.keep(10)
        driver = as_driver(ScriptedDriver({"number": 1}))
        health = Health(self.clock)
        health.add_device("press", "s7", 1.0)
        pace = Pace(1.0, 1.0)
        poller = Poller("press", driver, pace, self.clock, self.store, health)
        poller.poll()
        self.clock.advance(10)
        poller.poll()
        if night.behind_ms is None:
            self.keeping.run()
        step_ms = night.end_ms - self.clock.now_ms()
        self.clock.set_wall(night.end_ms)
        self.keeping.clock_stepped(step_ms)
        for _ in range(on_h):
            poller.poll()
            self.store.flush()
            self.keeping.run()
            self.clock.advance(3600)

    def numbers(self) -> list[object]:
        """Which samples are there."""
        return [values["number"] for values in self.values()]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_samples_older_than_the_setting_are_deleted_and_it_is_said(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house.put_daily(15)

    house.keeping.run()
    house.keeping.run()

    assert house.numbers() == list(range(4, 15))
    assert [r.getMessage() for r in caplog.records] == [
        "store: deleted 4 samples older than 10 days: "
        "4 of press from 2026-11-20T12:00:00+00:00 to 2026-11-23T12:00:00+00:00"
    ]


def test_with_no_limit_all_samples_stay(house: House) -> None:
    house.keep(0)
    house.put_daily(15)

    house.keeping.run()

    assert house.numbers() == list(range(15))


@pytest.mark.parametrize("step_ms", [-8 * DAY_MS, 8 * DAY_MS, 400 * DAY_MS])
def test_after_a_long_step_of_the_clock_nothing_is_deleted_for_a_week(
    house: House, step_ms: int
) -> None:
    house.put_daily(15)
    house.keeping.clock_stepped(step_ms)

    held = []
    for _ in range(8):
        house.keeping.run()
        held.append(len(house.numbers()))
        house.clock.advance(DAY_S)

    assert held == [15] * 7 + [4]


@pytest.mark.parametrize(
    ("step_ms", "text"), [(-2500, "back by 2.5 s"), (10 * HOUR_MS, "forward by 10.0 h")]
)
def test_a_step_of_less_than_a_week_is_said_and_changes_nothing(
    house: House, caplog: pytest.LogCaptureFixture, step_ms: int, text: str
) -> None:
    house.put_daily(15)

    house.keeping.clock_stepped(step_ms)
    house.keeping.run()

    assert caplog.records[0].getMessage() == f"the clock was set {text}"
    assert len(house.numbers()) == 11


@pytest.mark.parametrize(
    "is_kept", [False, True], ids=["from 1970", "from when it was switched off"]
)
def test_a_board_that_is_off_at_night_keeps_no_more_than_it_should(
    house: House, *, is_kept: bool
) -> None:
    """Takes two seconds: 60 starts, and after each 14 hours with a sample and a clean-up."""
    first_ms = house.clock.now_ms()
    kept_days = []

    for day in range(60):
        night = Night(first_ms + day * DAY_MS, 10 * HOUR_MS if is_kept else None)
        house.spend_a_day(night, on_h=14)
        oldest_ms = min(s.stamp.ts_ms for s in house.samples() if s.stamp.ts_ms > CLOCK_SET_MS)
        kept_days.append((house.clock.now_ms() - oldest_ms) / DAY_MS)

    assert max(kept_days) < 11
    assert min(kept_days[20:]) > 9


def test_a_board_that_is_off_at_night_loses_nothing_when_its_clock_is_a_year_ahead(
    house: House,
) -> None:
    first_ms = house.clock.now_ms()
    for day in range(12):
        house.spend_a_day(Night(first_ms + day * DAY_MS, None), on_h=2)
    before = len(house.samples())

    for day in range(12, 15):
        house.spend_a_day(Night(first_ms + (365 + day) * DAY_MS, None), on_h=2)

    added = len(house.samples()) - before
    assert added == 3 * (2 + 2)


def test_a_new_device_at_a_start_without_the_time_holds_nothing(house: House) -> None:
    house.put_daily(15)
    house.clock.advance(3 * 3600)
    now_ms = house.clock.now_ms()
    house.store.open_gap("host", 1000, Reason.CLOCK)
    house.store.close_gap("host", now_ms)

    house.keeping.run()

    assert house.numbers() == list(range(4, 15))


def test_the_first_time_that_is_set_holds_when_the_newest_data_is_old(house: House) -> None:
    house.put_daily(15)
    house.clock.set_wall(1000)
    house.clock.set_wall(NOON_MS + 400 * DAY_MS)
    house.keeping.clock_stepped(house.clock.now_ms() - 1000)

    house.keeping.run()

    assert house.numbers() == list(range(15))


def test_a_time_set_at_the_start_does_not_end_the_hold_of_a_step_before(house: House) -> None:
    house.put_daily(15)
    house.clock.advance(7200)

    house.keeping.clock_stepped(-400 * DAY_MS)
    house.keeping.clock_stepped(house.clock.now_ms() - 1000)
    house.keeping.run()

    assert house.numbers() == list(range(15))


@pytest.mark.parametrize("reason", [Reason.CLOCK, Reason.AGENT_DOWN])
def test_after_a_long_pause_in_the_data_nothing_is_deleted_for_a_week_by_any_run(
    house: House, reason: Reason
) -> None:
    house.put_daily(15)
    end_ms = house.clock.now_ms() + 400 * DAY_MS
    house.store.open_gap("press", house.clock.now_ms(), reason)
    house.store.close_gap("press", end_ms)
    house.clock.set_wall(end_ms)
    house.keeping.run()
    during = len(house.numbers())
    house.clock.advance(8 * DAY_S)

    house.keeping.run()

    assert (during, len(house.numbers())) == (15, 0)


def test_a_pause_of_a_failing_device_keeps_nothing(house: House) -> None:
    house.put_daily(15)
    house.store.open_gap("press", NOON_MS, Reason.TIMEOUT)

    house.keeping.run()

    assert house.numbers() == list(range(4, 15))


def test_a_restart_with_a_wrong_clock_deletes_nothing(house: House) -> None:
    house.put_daily(15)
    house.clock.reboot("boot 2", house.clock.now_ms() + 4000 * DAY_MS)
    house.restart(in_order=False)
    house.keep(10)

    house.keeping.run()

    assert house.numbers() == list(range(15))


def test_old_reports_are_deleted_too_unless_the_clock_is_in_doubt(house: House) -> None:
    house.put_daily(2)
    path = house.folder / "reports" / "press" / "daily" / "2026-01-01_daily.csv"
    path.parent.mkdir(parents=True)
    path.touch()
    house.keeping.clock_stepped(8 * DAY_MS)
    house.keeping.run()
    in_doubt = path.exists()
    house.clock.advance(8 * DAY_S)

    house.keeping.run()

    assert (in_doubt, path.exists()) == (True, False)


def test_a_store_that_can_not_be_written_is_left_alone(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.put_daily(5)
    house.keep(2)
    other = sqlite3.connect(house.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    house.keeping.run()

    other.execute("ROLLBACK")
    other.close()
    assert len(house.numbers()) == 5
    assert [r.getMessage().split(":")[0] for r in caplog.records] == ["deleting by age"]
