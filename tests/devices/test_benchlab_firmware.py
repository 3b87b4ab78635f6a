"""A BENCHLAB board that leaves the question for its firmware unanswered, once or for a while."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.devices.benchlab import Options
from agent.devices.benchlab.driver import ANEW_AFTER, Benchlab
from hw_sim.benchlab import BenchlabSimulator
from tests.devices.test_benchlab_layout import FRAME
from tests.devices.test_benchlab_stream import HANDSHAKE, LONG, VALUES, ScriptedLink, driver_on

WELCOME, VENDOR, UID, NAME = HANDSHAKE


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BenchlabSimulator]:
    with BenchlabSimulator(tmp_path / "board", "bl2") as simulator:
        simulator.freeze()
        yield simulator


@pytest.fixture
def driver(board: BenchlabSimulator) -> Iterator[Benchlab]:
    with closing(Benchlab(Options(port=str(board.path)), 2.0)) as made:
        yield made


@pytest.mark.parametrize("unanswered", [1, 2])
def test_the_firmware_is_asked_for_again(unanswered: int) -> None:
    link = ScriptedLink([LONG, *[b"", LONG] * unanswered, VENDOR, UID, NAME, FRAME])
    driver = driver_on(link)

    values = driver.read()

    assert values == VALUES
    assert link.sent.count(b"\x0e") == unanswered + 1
    assert driver.warnings() == []


def test_the_uid_is_asked_for_three_times() -> None:
    link = ScriptedLink([LONG, VENDOR, *[b"", LONG] * 2, UID, NAME, FRAME])

    values = driver_on(link).read()

    assert values == VALUES


def test_what_the_same_board_told_before_is_kept(
    board: BenchlabSimulator, driver: Benchlab
) -> None:
    before, metrics, told = driver.read(), driver.metrics, driver.describe()
    driver.close()
    board.set_fault("no-vendor")

    values = driver.read()

    assert values == before
    assert driver.metrics is metrics
    assert driver.describe() == told
    assert driver.warnings() == []


def test_what_was_told_before_is_not_kept_when_the_data_changed(tmp_path: Path) -> None:
    path = tmp_path / "board"
    driver = Benchlab(Options(port=str(path)), 2.0)
    with closing(driver):
        with BenchlabSimulator(path, "bl2", 7):
            driver.read()
            driver.close()
        with BenchlabSimulator(path, "bl2", 4) as older:  # the same UID
            older.set_fault("no-vendor")

            values = driver.read()

    assert len(values) == 127
    assert values["Chip_Temp"] is None


def test_a_board_that_tells_its_firmware_later_is_read_with_it_from_then_on(
    board: BenchlabSimulator, driver: Benchlab
) -> None:
    board.set_fault("no-vendor")
    unknown = driver.read()
    board.set_fault(None)

    values = [driver.read() for _ in range(ANEW_AFTER - 1)]

    assert unknown["Chip_Temp"] is None
    assert [each["Chip_Temp"] is None for each in values] == [True] * (ANEW_AFTER - 2) + [False]
    assert "firmware 7" in driver.describe()[0]
    assert driver.warnings() == []


def test_a_board_that_never_tells_its_firmware_is_read_on(
    board: BenchlabSimulator, driver: Benchlab
) -> None:
    board.set_fault("no-vendor")
    values = driver.read()
    board.requests.clear()

    again = [driver.read() for _ in range(2 * ANEW_AFTER)]

    assert again == [values] * 2 * ANEW_AFTER
    assert board.requests.count(b"\x0e") == 2
    assert len(driver.warnings()) == 1
