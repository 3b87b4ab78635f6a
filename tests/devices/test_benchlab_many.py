"""Ports of BENCHLAB boards that others hold: programs, other devices, eight searches at once."""

import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from agent.clock import Deadline
from agent.devices.benchlab import Options
from agent.devices.benchlab.driver import Benchlab
from agent.devices.benchlab.search import LINE, Search, open_port
from agent.devices.links.link import Link
from agent.devices.links.serial_port import PortLockedError, SerialLink, pause
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.benchlab import Fleet
from tests.devices.benchlab_fleet import error_of, pattern
from tests.devices.far_end import held_by_a_program
from tests.devices.kinds import open_files

TIMEOUT_S = 3.0
FEW_READS = 6


def reads_until_found(driver: Benchlab) -> int:
    """How many reads it took; after too many the last error is raised."""
    for number in range(1, FEW_READS):
        try:
            driver.read()
        except DeviceError:
            continue
        return number
    driver.read()
    return FEW_READS


def test_a_port_that_another_program_holds_is_skipped_and_it_is_named(boards: Fleet) -> None:
    held = boards.boards[0]
    with held_by_a_program(str(held.path)) as process:
        first_two = f"{str(held.path)[:-1]}[01]"
        any_board = Benchlab(Options(search=first_two), TIMEOUT_S)
        this_board = Benchlab(Options(uid=held.uid, search=f"{held.path}*"), TIMEOUT_S)

        with closing(any_board):
            any_board.read()
        error = error_of(this_board)

    assert "the port is locked by python" in str(error)
    assert f"(process {process}): stop it, a port serves one program at a time" in str(error)
    assert error.reason is Reason.REFUSED


def test_of_two_boards_none_is_taken_by_chance(boards: Fleet) -> None:
    files = open_files()

    error = error_of(Benchlab(Options(search=pattern(boards)), TIMEOUT_S))

    first, second = boards.boards[:2]
    assert str(error) == (
        f"looking for a BENCHLAB board: found more than one, {first.uid} at {first.path} and "
        f"{second.uid} at {second.path}: set uid, and give each board a table of its own"
    )
    assert open_files() == files


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


def test_a_lock_of_ours_that_is_gone_by_the_end_is_still_told_as_ours(boards: Fleet) -> None:
    path = str(boards.boards[0].path)
    looking = SerialLink(path, LINE, Deadline(1.0))
    tries: list[str] = []

    def opener(path: str, deadline: Deadline) -> Link:
        tries.append(path)
        if len(tries) == 1:
            return open_port(path, deadline)
        while pause(0.01, deadline):
            pass
        looking.close()  # between the try and the look at who holds it
        raise PortLockedError(errno.EBUSY, "the port is locked")

    with pytest.raises(DeviceError) as caught:
        Search(Options(port=path), opener).connect("", Deadline(0.3))

    assert len(tries) == 2
    assert str(caught.value).endswith(": the port is in use by another device of this agent")


def test_a_port_that_is_free_between_two_looks_of_ours_is_tried_on(boards: Fleet) -> None:
    path = str(boards.boards[0].path)
    held = [True, False, True, False, None]

    def opener(path: str, deadline: Deadline) -> Link:
        is_held = held.pop(0)
        if is_held is None:
            return open_port(path, deadline)
        if is_held:
            looking.append(SerialLink(path, LINE, Deadline(1.0)))
        else:
            looking.pop().close()
        raise PortLockedError(errno.EBUSY, "the port is locked")

    looking: list[SerialLink] = []

    with closing(Search(Options(port=path), opener).connect("", Deadline(TIMEOUT_S)).board):
        assert held == []


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


@pytest.mark.parametrize(("drivers", "delay_s"), [(8, 0.04), (1, 0.06)])
def test_slow_boards_of_old_firmware_are_found_within_a_few_reads(
    tmp_path: Path, drivers: int, delay_s: float
) -> None:
    """Takes seconds: all answers of eight boards are slow."""
    with ExitStack() as stack:
        boards = stack.enter_context(Fleet(tmp_path / "board", 8, "original", 3, 1))
        boards.set_fault(f"delay:{delay_s}")
        made = [
            stack.enter_context(
                closing(Benchlab(Options(uid=board.uid, search=pattern(boards)), 2.0))
            )
            for board in boards.boards[:drivers]
        ]

        with ThreadPoolExecutor(drivers) as pool:
            reads = list(pool.map(reads_until_found, made))

        found = [driver.describe()[0] for driver in made]
    assert max(reads) <= FEW_READS
    for board, line in zip(boards.boards, found, strict=False):
        assert f"UID {board.uid}, " in line


def test_a_board_that_greets_and_falls_silent_takes_the_time_of_others_but_once(
    boards: Fleet,
) -> None:
    dumb, wanted = boards.boards[:2]
    options = Options(uid=wanted.uid, port=str(dumb.path), search=f"{wanted.path}*")

    def opener(path: str, deadline: Deadline) -> Link:
        link = open_port(path, deadline)
        return Greeter(link) if path == str(dumb.path) else link

    search = Search(options, opener)
    with pytest.raises(DeviceError, match="no answer within"):
        search.connect(wanted.uid, Deadline(0.5))

    with closing(search.connect(wanted.uid, Deadline(0.5)).board):
        assert wanted.requests


class Greeter:
    """A link to a board that answers nothing but the first request to greet."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sent = 0

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._sent += 1
        if self._sent == 1:
            self._link.send(data, deadline)

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        return self._link.receive(limit, deadline)

    def receive_now(self, limit: int) -> bytes:
        return self._link.receive_now(limit)

    def close(self) -> None:
        self._link.close()
