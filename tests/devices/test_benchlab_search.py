"""A BENCHLAB board is found by its UID, at whatever port, among others and beside other drivers."""

import errno
from contextlib import closing
from pathlib import Path

import pytest

from agent.clock import Deadline
from agent.devices.benchlab import Options
from agent.devices.benchlab.driver import Benchlab
from agent.devices.benchlab.search import Search, matching_ports, open_port
from agent.devices.links.link import Link
from agent.devices.links.serial_port import PortLockedError
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.benchlab import Fleet
from tests.devices.benchlab_fleet import error_of, pattern

TIMEOUT_S = 3.0


def test_a_board_is_found_by_its_uid_alone_in_any_case(boards: Fleet) -> None:
    wanted = boards.boards[2]
    driver = Benchlab(Options(uid=wanted.uid.lower(), search=pattern(boards)), TIMEOUT_S)

    with closing(driver):
        driver.read()

        assert f"UID {wanted.uid}, named 'bench 3', at {wanted.path}" in driver.describe()[0]


def test_the_port_is_looked_at_first_and_without_a_uid_alone(boards: Fleet) -> None:
    wanted = boards.boards[1]
    options = Options(port=str(wanted.path), search=pattern(boards))

    with closing(Benchlab(options, TIMEOUT_S)) as driver:
        driver.read()

    assert [bool(board.requests) for board in boards.boards] == [False, True, False]


def test_a_uid_leads_away_from_a_port_that_has_another_board(boards: Fleet) -> None:
    other, wanted = boards.boards[:2]
    options = Options(uid=wanted.uid, port=str(other.path), search=pattern(boards))

    with closing(Benchlab(options, TIMEOUT_S)) as driver:
        driver.read()

        assert f"at {wanted.path}" in driver.describe()[0]


@pytest.mark.parametrize("has_uid", [True, False], ids=["configured", "learnt"])
@pytest.mark.parametrize("has_port", [True, False], ids=["port", "search"])
def test_a_board_is_found_again_at_another_port(
    boards: Fleet, has_uid: bool, has_port: bool
) -> None:
    wanted = boards.boards[1]
    is_known = has_uid or has_port  # else whichever is found: there must be but one
    options = Options(
        uid=wanted.uid if has_uid else "",
        port=str(wanted.path) if has_port else "",
        search=pattern(boards) if is_known else f"{wanted.path}*",
    )
    with closing(Benchlab(options, TIMEOUT_S)) as driver:
        driver.read()
        before = driver.describe()

        wanted.set_fault("replug")
        with pytest.raises(DeviceError, match="it was unplugged"):
            driver.read()
        driver.read()
        after = driver.describe()

    assert wanted.path.name == "board1-2"
    assert [line.replace("board1", "board1-2") for line in before] == list(after)


def test_boards_that_change_places_are_told_apart(boards: Fleet) -> None:
    first, second = boards.boards[:2]
    drivers = [
        Benchlab(Options(port=str(board.path), search=pattern(boards)), TIMEOUT_S)
        for board in (first, second)
    ]
    paths = first.path, second.path
    for driver in drivers:
        driver.read()
        driver.close()
    first.unplug()
    second.plug(paths[0])
    first.plug(paths[1])

    for driver in drivers:
        driver.read()

    found = [driver.describe()[0] for driver in drivers]
    for driver in drivers:
        driver.close()
    assert f"{first.uid}, named 'bench 1', at {paths[1]}" in found[0]
    assert f"{second.uid}, named 'bench 2', at {paths[0]}" in found[1]


def test_another_board_at_the_port_is_never_read(boards: Fleet) -> None:
    board = boards.boards[0]
    driver = Benchlab(Options(port=str(board.path), search="/nowhere/*"), TIMEOUT_S)
    driver.read()
    driver.close()
    board.set_fault("other-board")

    error = error_of(driver)

    head = f"looking for board {board.uid}: {board.path}: wanted board {board.uid}, found board "
    assert str(error).startswith(head)
    assert str(error).endswith("; restart the agent to take this one, or set uid")
    assert error.reason is Reason.UNREACHABLE
    board.set_fault(None)
    with closing(driver):
        driver.read()


def test_of_several_ports_the_one_whose_board_can_be_taken_is_named(boards: Fleet) -> None:
    board = boards.boards[0]
    driver = Benchlab(Options(port=str(board.path), search=pattern(boards)), TIMEOUT_S)
    driver.read()
    driver.close()
    board.set_fault("other-board")
    exchanged = error_of(driver)
    board.set_fault("unplug")

    gone = error_of(driver)

    hint = f"; restart the agent to take the one at {board.path}, or set uid"
    assert str(exchanged).endswith(hint)
    assert "restart" not in str(gone)  # it would not find one at the port


def test_a_uid_that_is_set_asks_for_no_restart(boards: Fleet) -> None:
    board = boards.boards[0]
    options = Options(uid="0" * 24, port=str(board.path), search="/nowhere/*")

    error = error_of(Benchlab(options, TIMEOUT_S))

    assert str(error).endswith(f"found board {board.uid}")


def test_a_board_that_does_not_tell_its_uid_is_not_the_wanted_one(boards: Fleet) -> None:
    board = boards.boards[0]
    board.set_fault("no-uid")
    driver = Benchlab(Options(uid=board.uid, search=f"{board.path}*"), TIMEOUT_S)

    error = error_of(driver)

    assert "found a board that does not tell its UID" in str(error)


def test_no_matching_port_is_told_with_the_pattern(tmp_path: Path) -> None:
    (tmp_path / "board.txt").write_text("no port")

    error = error_of(Benchlab(Options(search=f"{tmp_path}/*"), TIMEOUT_S))

    pattern = f"{tmp_path}/*"
    assert str(error) == (
        f"looking for a BENCHLAB board: no serial port matches {pattern}; is it plugged in?"
    )
    assert error.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("options", [Options(port="\0"), Options(search="/dev/\0*")])
def test_paths_that_are_none_are_an_error(options: Options) -> None:
    error = error_of(Benchlab(options, TIMEOUT_S))

    assert str(error).startswith("looking for a BENCHLAB board: ")


def test_what_every_port_said_is_told(boards: Fleet) -> None:
    first, second, third = boards.boards
    second.set_fault("silent")
    third.set_fault("vendor")
    uid = "0" * 24

    error = error_of(Benchlab(Options(uid=uid, search=pattern(boards)), 1.0))

    assert str(error).startswith(f"looking for board {uid} at none of 3 ports: ")
    assert f"{first.path}: board {first.uid}; " in str(error)
    assert f"{second.path}: no answer within" in str(error)
    assert f"{third.path}: it is no BENCHLAB board: wanted vendor id 0xEE" in str(error)
    assert error.reason is Reason.UNREACHABLE


def test_ports_that_are_silent_leave_time_for_the_others(tmp_path: Path) -> None:
    with Fleet(tmp_path / "board", 5, "original", None, 1) as boards:
        for board in boards.boards[:4]:
            board.set_fault("silent")
        wanted = boards.boards[4]
        driver = Benchlab(Options(uid=wanted.uid, search=pattern(boards)), TIMEOUT_S)

        with closing(driver):
            driver.read()

            assert f"at {wanted.path}" in driver.describe()[0]


def test_a_device_with_other_usb_ids_gets_no_byte(boards: Fleet) -> None:
    printer, board, gadget = (str(each.path) for each in boards.boards)
    ids = {printer: (0x04F9, 0x0027), board: (0x0483, 0x5740), gadget: (0x2341, 0x0043)}
    search = Search(Options(search=pattern(boards)), usb=lambda path: ids[path])

    with closing(search.connect("", Deadline(TIMEOUT_S)).board):
        pass
    boards.boards[1].set_fault("unplug")
    with pytest.raises(DeviceError) as caught:
        search.connect("", Deadline(TIMEOUT_S))

    assert [bool(each.requests) for each in boards.boards] == [False, True, False]
    assert f"{printer}: left alone, it is another device (USB 04f9:0027)" in str(caught.value)


def test_a_port_where_the_board_was_may_be_another_device_by_now(boards: Fleet) -> None:
    was, now = boards.boards[:2]
    ids = dict.fromkeys((str(board.path) for board in boards.boards), (0x0483, 0x5740))
    search = Search(Options(search=pattern(boards)), usb=lambda path: ids[path])
    with closing(search.connect(was.uid, Deadline(TIMEOUT_S)).board):
        was.requests.clear()
    ids[str(was.path)] = (0x04F9, 0x0027)

    with closing(search.connect(now.uid, Deadline(TIMEOUT_S)).board):
        pass

    assert was.requests == []


def test_a_lock_that_is_gone_when_it_is_looked_at_is_tried_again(boards: Fleet) -> None:
    wanted = boards.boards[0]
    locks = [True, False]

    def opener(path: str, deadline: Deadline) -> Link:
        if locks.pop(0):
            raise PortLockedError(errno.EBUSY, "the port is locked")
        return open_port(path, deadline)

    search = Search(Options(port=str(wanted.path)), opener)

    with closing(search.connect("", Deadline(TIMEOUT_S)).board):
        assert locks == []


def test_a_port_that_is_named_is_asked_whatever_its_usb_ids(boards: Fleet) -> None:
    options = Options(port=str(boards.boards[0].path))
    search = Search(options, usb=lambda _: (0x04F9, 0x0027))

    with closing(search.connect("", Deadline(TIMEOUT_S)).board):
        pass

    assert boards.boards[0].requests


def test_a_link_and_its_port_are_one(boards: Fleet, tmp_path: Path) -> None:
    wanted = boards.boards[0]
    (tmp_path / "alias").symlink_to(wanted.path)
    uid = "0" * 24
    options = Options(uid=uid, port=str(tmp_path / "alias"), search=f"{wanted.path}*")

    error = error_of(Benchlab(options, TIMEOUT_S))

    assert str(error).count("found board") == 1
    assert wanted.requests.count(b"\x0d") == 1


def test_ports_are_counted_as_people_do(tmp_path: Path) -> None:
    with Fleet(tmp_path / "board", 11, "original", None, 1) as boards:
        found = matching_ports(pattern(boards))

    assert [Path(path).name for path in found] == [f"board{number}" for number in range(11)]
