"""Ports of BENCHLAB boards that others hold: programs, other devices, eight searches at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from agent.clock import Deadline
from agent.devices.benchlab import Benchlab, Options
from agent.devices.benchlab.search import LINE
from agent.devices.links.serial_port import SerialLink
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.benchlab import Fleet
from tests.devices.far_end import held_by_a_program

TIMEOUT_S = 3.0


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Fleet]:
    """Three boards, at board0 to board2."""
    with Fleet(tmp_path / "board", 3, "original", None, 1) as fleet:
        yield fleet


def pattern(boards: Fleet) -> str:
    return f"{boards.address}*"


def error_of(driver: Benchlab) -> DeviceError:
    with closing(driver), pytest.raises(DeviceError) as caught:
        driver.read()
    return caught.value


def test_a_port_that_another_program_holds_is_skipped_and_it_is_named(boards: Fleet) -> None:
    held = boards.boards[0]
    with held_by_a_program(str(held.path)) as process:
        any_board = Benchlab(Options(search=pattern(boards)), TIMEOUT_S)
        this_board = Benchlab(Options(uid=held.uid, search=f"{held.path}*"), TIMEOUT_S)

        with closing(any_board):
            any_board.read()
        error = error_of(this_board)

    assert "the port is locked by python" in str(error)
    assert f"(process {process}): stop it, a port serves one program at a time" in str(error)
    assert error.reason is Reason.REFUSED


def test_two_devices_for_one_board_are_told_so(boards: Fleet) -> None:
    options = Options(search=f"{boards.boards[0].path}*")

    with closing(Benchlab(options, TIMEOUT_S)) as first:
        first.read()
        error = error_of(Benchlab(options, 0.3))

    assert "the port is in use by another device of this agent" in str(error)
    assert error.reason is Reason.REFUSED


def test_a_port_that_another_of_ours_holds_for_a_moment_is_waited_for(boards: Fleet) -> None:
    wanted = boards.boards[0]
    looking = SerialLink(str(wanted.path), LINE, Deadline(1.0))
    driver = Benchlab(Options(uid=wanted.uid, search=pattern(boards)), 10.0)
    reading = threading.Thread(target=driver.read)
    reading.start()
    while not (boards.boards[1].requests and boards.boards[2].requests):
        assert reading.is_alive()

    looking.close()
    reading.join(10.0)

    with closing(driver):
        assert f"at {wanted.path}" in driver.describe()[0]


def test_eight_boards_and_eight_drivers_all_find_their_own(tmp_path: Path) -> None:
    with ExitStack() as stack:
        boards = stack.enter_context(Fleet(tmp_path / "board", 8, "bl2", None, 1))
        drivers = [
            stack.enter_context(
                closing(Benchlab(Options(uid=board.uid, search=pattern(boards)), 20.0))
            )
            for board in boards.boards
        ]
        for board in boards.boards:
            board.freeze()

        with ThreadPoolExecutor(8) as pool:
            values = list(pool.map(lambda driver: driver.read(), drivers))

        expected = [sum(r[2] for r in board.freeze().rails[:11]) / 1000 for board in boards.boards]
        found = [driver.describe()[0] for driver in drivers]
    assert [each["SYS_Power"] for each in values] == expected
    assert len(set(expected)) == 8
    for board, line in zip(boards.boards, found, strict=True):
        assert f"UID {board.uid}, " in line
    assert boards.write_requests == 0
