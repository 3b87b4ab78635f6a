"""When jobs are due: the triggers, on fake time."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.schedule import DailyTrigger, GridTrigger
from agent.zones import MonotonicZone
from tests.fakes import FakeClock

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def local_ms(text: str, zone: ZoneInfo) -> int:
    """A local time as UTC ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


@pytest.mark.parametrize("interval_s", [0.01, 0.1, 1 / 3, 1.0, 5.0, 86400.0])
def test_ticks_lie_on_an_exact_grid(interval_s: float) -> None:
    clock = FakeClock()
    line = MonotonicZone(clock)
    start = line.at(1000.123456)
    trigger = GridTrigger(start, interval_s)

    ticks = [start]
    for _ in range(10_000):  # woken late by a tenth each time
        ticks.append(trigger.get_next_fire_time(ticks[-1], ticks[-1] + trigger.interval / 10))

    step = timedelta(microseconds=round(interval_s * 1e6))
    assert ticks == [start + number * step for number in range(10_001)]


@pytest.mark.parametrize("days", [1, 365, 100_000])
def test_what_is_late_is_left_out_in_one_step(days: int) -> None:
    start = MonotonicZone(FakeClock()).at(0.0)
    trigger = GridTrigger(start, 0.01)
    now = start + timedelta(days=days, microseconds=1)

    following = trigger.get_next_fire_time(start, now)

    assert following == start + timedelta(days=days, milliseconds=10)
    assert trigger.missed(start, now) == days * 8_640_000


def test_the_first_tick_is_the_start_or_the_next_on_its_grid() -> None:
    line = MonotonicZone(FakeClock())
    trigger = GridTrigger(line.at(100.0), 10.0)

    early = trigger.get_next_fire_time(None, line.at(50.0))
    late = trigger.get_next_fire_time(None, line.at(123.0))

    assert (early, late) == (line.at(100.0), line.at(130.0))


def test_after_a_back_off_ticks_are_on_the_grid_again() -> None:
    line = MonotonicZone(FakeClock())
    trigger = GridTrigger(line.at(100.0), 10.0)

    following = trigger.get_next_fire_time(line.at(104.2), line.at(104.3))

    assert following == line.at(110.0)


class Daily:
    """A daily trigger that is asked as APScheduler asks, on a fake clock."""

    def __init__(self, start: str, zone: ZoneInfo, at: str) -> None:
        self.clock = FakeClock(local_ms(start, zone))
        self.zone = zone
        self.line = MonotonicZone(self.clock)
        self.trigger = DailyTrigger(self.clock, zone, time.fromisoformat(at), 0.0)
        self.next = self.trigger.get_next_fire_time(None, self._now())
        self.fired: list[datetime] = []

    def _now(self) -> datetime:
        return self.line.at(self.clock.monotonic())

    def run_until(self, end: str, early_s: float = 0.0) -> None:
        """Fires what is due until a local time; each wake-up may be a little early."""
        end_ms = local_ms(end, self.zone)
        while True:
            wait_s = (self.next - self._now()).total_seconds()
            if self.clock.now_ms() + wait_s * 1000 > end_ms:
                self.clock.advance((end_ms - self.clock.now_ms()) / 1000)
                return
            self.clock.advance(max(0.0, wait_s - early_s))
            self.fired.append(datetime.fromtimestamp(self.clock.now_ms() / 1000, self.zone))
            due = self.next
            self.trigger.get_next_fire_time(due, self._now())  # is there another one due?
            self.next = self.trigger.get_next_fire_time(due, self._now())

    def set_wall(self, text: str) -> None:
        """The clock is set, and the schedule sees it."""
        self.clock.set_wall(local_ms(text, self.zone))
        self.next = self.trigger.get_next_fire_time(None, self._now())

    def days(self) -> list[date]:
        """The local days on which it fired."""
        return [moment.date() for moment in self.fired]


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
@pytest.mark.parametrize("at", ["07:00", "02:30", "00:00", "23:59"])
@pytest.mark.parametrize("early_s", [0.0, 0.002])
def test_a_time_of_day_comes_once_on_each_day_of_a_year(
    zone: ZoneInfo, at: str, early_s: float
) -> None:
    daily = Daily("2025-12-31T23:59:59", zone, at)

    daily.run_until("2027-01-01T00:00", early_s)

    by_rule = [round(moment.timestamp() + 1) // 60 * 60 for moment in daily.fired]
    days = [datetime.fromtimestamp(seconds, zone).date() for seconds in by_rule]
    assert days[:365] == days_from(date(2026, 1, 1), 365)


def test_a_time_that_a_day_lacks_comes_an_hour_later() -> None:
    daily = Daily("2026-03-28T12:00", BERLIN, "02:30")

    daily.run_until("2026-03-30T12:00")

    assert [moment.isoformat() for moment in daily.fired] == [
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_a_day_has_twice_comes_the_first_time() -> None:
    daily = Daily("2026-10-24T12:00", BERLIN, "02:30")

    daily.run_until("2026-10-26T12:00")

    assert [moment.isoformat() for moment in daily.fired] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_a_clock_that_is_set_back_before_the_time_of_day_brings_it_when_it_comes() -> None:
    daily = Daily("2026-11-20T05:00", BERLIN, "07:00")
    daily.run_until("2026-11-20T06:30")
    daily.set_wall("2026-11-20T05:30")

    daily.run_until("2026-11-22T12:00")

    assert daily.days() == days_from(date(2026, 11, 20), 3)
    assert {moment.time() for moment in daily.fired} == {time(7)}


def test_a_clock_that_is_set_back_a_little_after_the_time_of_day_does_not_repeat_it() -> None:
    daily = Daily("2026-11-20T05:00", BERLIN, "07:00")
    daily.run_until("2026-11-20T07:00:10")
    daily.set_wall("2026-11-20T06:59:30")

    daily.run_until("2026-11-22T12:00")

    assert daily.days() == days_from(date(2026, 11, 20), 3)


def test_a_clock_that_is_set_forward_by_days_fires_at_the_next_time_of_day() -> None:
    daily = Daily("2026-11-20T05:00", BERLIN, "07:00")
    daily.run_until("2026-11-20T12:00")
    daily.set_wall("2026-11-23T12:00")

    daily.run_until("2026-11-25T12:00")

    assert daily.days() == [date(2026, 11, 20), date(2026, 11, 24), date(2026, 11, 25)]


def test_a_board_that_learns_the_time_fires_at_the_next_time_of_day() -> None:
    daily = Daily("1970-01-01T01:00", BERLIN, "07:00")
    daily.run_until("1970-01-01T01:01")
    daily.set_wall("2026-11-20T06:59")

    daily.run_until("2026-11-21T12:00")

    assert daily.days() == days_from(date(2026, 11, 20), 2)
