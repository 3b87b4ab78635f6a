"""The line for ``systemctl status``."""

from collections.abc import Callable

import attrs
import pytest

from agent.errors import DeviceError
from agent.health import DeviceHealth, Health
from agent.model import Reason
from agent.service.summary import summary
from agent.store import StoreState
from tests.fakes import NOON_MS, FakeClock

Change = Callable[[Health], None]


@pytest.fixture
def store() -> StoreState:
    from pathlib import Path

    from agent.store import Store

    state = Store(Path("/nowhere/telemetry.db"), FakeClock()).state()
    return attrs.evolve(state, last_commit_ms=NOON_MS)


def devices_of(well: int, ill: int = 0, starting: int = 0) -> list[DeviceHealth]:
    """Records of devices, each well one polled ten times."""
    health = Health(FakeClock())
    for number in range(well + ill + starting):
        health.add_device(f"plc{number}", "s7", 1.0)
        if number < well:
            for _ in range(10):
                health.well(f"plc{number}", NOON_MS, 3, 0.01)
        elif number < well + ill:
            error = DeviceError("connection refused", Reason.REFUSED)
            health.ill(f"plc{number}", NOON_MS, error)
    return health.devices()


@pytest.mark.parametrize(
    ("devices", "text"),
    [
        (devices_of(0), "no device is configured and enabled; 0 rows stored, 0 waiting"),
        (devices_of(1), "1 of 1 device well; 10 rows stored, 0 waiting"),
        (devices_of(0, 0, 1), "0 of 1 device well (1 starting); 0 rows stored, 0 waiting"),
        (
            devices_of(5, 1),
            "5 of 6 devices well (plc5: connection refused); 50 rows stored, 0 waiting",
        ),
        (
            devices_of(0, 5),
            "0 of 5 devices well (plc0: connection refused, plc1: connection refused, "
            "plc2: connection refused, 2 more); 0 rows stored, 0 waiting",
        ),
    ],
)
def test_the_line_says_who_is_well(
    devices: list[DeviceHealth], text: str, store: StoreState
) -> None:
    assert summary(devices, store) == text


def test_rows_that_wait_or_are_lost_are_not_stored(store: StoreState) -> None:
    full = attrs.evolve(store, waiting=12, dropped=3)

    assert summary(devices_of(2), full).endswith("; 5 rows stored, 12 waiting, 3 dropped")


def test_a_store_that_cannot_be_written_is_said(store: StoreState) -> None:
    full = attrs.evolve(store, error="cannot write it: the disk is full")

    assert "; NOT STORED: cannot write it: the disk is full; " in summary(devices_of(1), full)


def test_a_store_that_was_never_open_is_said(store: StoreState) -> None:
    slow = attrs.evolve(store, last_commit_ms=None)

    assert "; the store is not open yet; " in summary(devices_of(1), slow)


def test_what_hangs_comes_first(store: StoreState) -> None:
    text = summary(devices_of(1), store, ["scheduler HANGS"])

    assert text.startswith("scheduler HANGS; 1 of 1 device well; ")
