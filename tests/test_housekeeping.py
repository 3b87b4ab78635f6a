"""What is deleted by age, and that nothing is while the clock is in doubt."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.housekeeping import Housekeeping
from agent.model import Reason
from tests.fakes import NOON_MS
from tests.reports.kept import Kept

DAY_S = 86_400
DAY_MS = DAY_S * 1000


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
        "store: deleted 4 samples older than 10 days"
    ]


def test_with_no_limit_all_samples_stay(house: House) -> None:
    house.keep(0)
    house.put_daily(15)

    house.keeping.run()

    assert house.numbers() == list(range(15))


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000, 400 * DAY_MS])
def test_after_a_step_of_the_clock_nothing_is_deleted_for_a_week(
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


def test_a_small_step_of_the_clock_is_said_and_changes_nothing(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.put_daily(15)

    house.keeping.clock_stepped(-2500)
    house.keeping.run()

    assert caplog.records[0].getMessage() == "the clock was set back by 2.5 s"
    assert len(house.numbers()) == 11


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
    house.keeping.clock_stepped(DAY_MS)
    house.keeping.run()
    in_doubt = path.exists()
    house.clock.advance(8 * DAY_S)

    house.keeping.run()

    assert (in_doubt, path.exists()) == (True, False)


def test_a_store_that_can_not_be_written_is_left_alone(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.path.write_text("in the way")

    house.keeping.run()

    assert [r.getMessage().split(":")[0] for r in caplog.records] == [f"cannot open {house.path}"]
