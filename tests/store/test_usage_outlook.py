"""How large the store will be, and which limit it meets first."""

import pytest

from agent.store.outlook import ROOM, SIZE, Limits, Outlook, outlook_of
from agent.store.room import Held, Room
from agent.store.usage import DAY_MS, DeviceUsage, Form, Usage
from tests.fakes import NOON_MS

MB = 1_000_000
PLENTY = Room(10**13, 10**13, 10**13)


def device(
    name: str, days: float, mb_a_day: float, *, ended: float = 0, rows_mb: float = 0.0
) -> DeviceUsage:
    """Blocks of so many days, the last of them so many days ago."""
    last_ms = NOON_MS - round(ended * DAY_MS)
    first_ms = last_ms - round(days * DAY_MS)
    since_ms = max(first_ms, last_ms - 7 * DAY_MS)
    size = days * mb_a_day * MB
    recent = (last_ms - since_ms) / DAY_MS * mb_a_day * MB
    blocks = Form(1000, 1000, size, first_ms, last_ms, recent, since_ms)
    return DeviceUsage(name, "s7", Form(bytes=rows_mb * MB), Form(), blocks, Form())


def usage(*devices: DeviceUsage, beside_mb: int = 0) -> Usage:
    size = sum(each.bytes for each in devices) + beside_mb * MB
    return Usage(2, 1024, Held(1024, size, size, 0, 0), devices, is_exact=True)


def outlook(
    found: Usage, room: Room = PLENTY, days: int = 365, max_mb: int | None = None
) -> Outlook:
    max_bytes = None if max_mb is None else max_mb * MB
    return outlook_of(found, room, Limits(days, max_bytes, 90))


def test_what_all_devices_come_to_is_added_up() -> None:
    found = outlook(usage(device("press", 30, 1), device("host", 30, 2, rows_mb=40), beside_mb=5))

    assert found.a_day == pytest.approx(3 * MB)
    assert found.at_retention == pytest.approx((3 * 365 + 40 + 5) * MB)
    assert (found.days_left, found.limit) == (None, "")


def test_a_device_without_samples_for_days_does_not_count() -> None:
    found = outlook(usage(device("press", 30, 1), device("gone", 30, 9, ended=3)))

    assert found.a_day == pytest.approx(1 * MB)
    assert found.at_retention == pytest.approx(365 * MB)


def test_the_limit_that_is_met_first_is_told() -> None:
    found = usage(device("press", 100, 1))
    room = Room(1000 * MB, 1000 * MB, 150 * MB)

    assert outlook(found, room).limit == ROOM
    assert outlook(found, room).days_left == pytest.approx(50)
    assert outlook(found, room, max_mb=120).limit == SIZE
    assert outlook(found, room, max_mb=120).days_left == pytest.approx(20)


def test_what_goes_by_age_before_that_meets_no_limit() -> None:
    found = usage(device("press", 100, 1))
    room = Room(1000 * MB, 1000 * MB, 150 * MB)

    assert outlook(found, room, days=120).days_left is None


def test_for_ever_needs_more_than_there_is_some_day() -> None:
    found = outlook(usage(device("press", 100, 1)), Room(1000 * MB, 1000 * MB, 200 * MB), days=0)

    assert found.at_retention is None
    assert found.days_left == pytest.approx(100)


def test_a_limit_that_is_met_already_is_met_today() -> None:
    found = outlook(usage(device("press", 100, 1)), Room(1000 * MB, 1000 * MB, 50 * MB))

    assert found.days_left == 0


def test_without_growth_there_is_nothing_to_tell() -> None:
    assert outlook(usage()) == Outlook(None, None, None, "")
