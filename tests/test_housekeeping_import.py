"""Old samples that were imported stay for a week, in which retention_days can be raised."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.housekeeping import Housekeeping
from agent.model import Metric
from agent.store.history import History
from tests.fakes import NOON_MS
from tests.reports.kept import Kept

DAY_S = 86_400
DAY_MS = DAY_S * 1000
SAID = (
    "samples older than 10 days were imported: they are deleted after 2026-12-11 12:00 UTC, "
    "unless retention_days in [store] is raised"
)


class Past(NamedTuple):
    """A sample from another logger."""

    ts_ms: int
    names: tuple[str, ...]
    values: list[int]


class House(Kept):
    """A store that keeps ten days, and has 15."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for number in range(15):
            if number:
                self.clock.advance(DAY_S)
            self.put(number=number)
        self.start()

    def start(self) -> None:
        """The agent, anew."""
        self.restart(in_order=True)
        reports = self.reports(keep_days=10)
        self.keeping = Housekeeping(self.store, reports, self.clock, 10)

    def take(self, days_ago: int, kept_days: int = 10) -> None:
        """Import a sample while the agent is stopped."""
        self.store.close()
        now_ms = self.clock.now_ms()
        history = History(
            self.path, self.clock, "plc", "s7", {"level": Metric("level")},
            plain=False, by_second=False, kept_ms=now_ms - kept_days * DAY_MS,
        )  # fmt: skip
        history.write([Past(now_ms - days_ago * DAY_MS, ("level",), [1])])
        history.close()
        self.start()

    def count(self) -> tuple[int, int]:
        """How many samples were polled and are there, and how many that were imported."""
        self.keeping.run()
        return len(self.samples()), len(self.samples("plc"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_for_a_week_nothing_is_deleted_and_it_is_said_once_in_each_run(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.take(1000)
    caplog.set_level(logging.WARNING)
    held = []

    for _ in range(7):
        held.append(house.count())
        house.clock.advance(DAY_S)
    texts, after = house.keeping.texts, house.count()

    assert house.clock.now_ms() == NOON_MS + 21 * DAY_MS
    assert held == [(15, 1)] * 7
    assert after == (4, 0)
    assert [r.getMessage() for r in caplog.records] == [f"store: {SAID}"]
    assert (texts, house.keeping.texts) == ([SAID], [])


def test_a_new_start_of_the_agent_goes_on_waiting(house: House) -> None:
    house.take(1000)
    house.clock.advance(6 * DAY_S)
    house.start()

    assert house.count() == (15, 1)


def test_an_import_of_what_is_kept_anyway_holds_nothing(house: House) -> None:
    house.take(9)

    assert house.count() == (11, 1)


def test_a_week_noted_by_a_clock_far_ahead_holds_nothing(house: House) -> None:
    now_ms = house.clock.now_ms()
    house.clock.set_wall(now_ms + 400 * DAY_MS)
    house.take(1000)
    house.clock.set_wall(now_ms)

    assert house.count()[0] == 11
