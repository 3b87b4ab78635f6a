"""Serial ports: which are asked, and what becomes of those that fail."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from agent.clock import Deadline
from agent.devices.contract import Found, SerialProbe, device_errors
from agent.devices.links.serial_port import Line, SerialLink
from agent.discovery import Result, Search, Wish
from agent.discovery.serial_ports import SerialPort
from agent.errors import ConfigError
from tests.discovery.fakes import BoardOptions, kind, kinds, surroundings

BOARD, OTHER = (0x0483, 0x5740), (0x1A86, 0x7523)


@attrs.define
class Ports:
    """Pseudo-terminals under names of their own."""

    folder: Path
    stack: ExitStack

    def add(self, name: str) -> str:
        master, slave = os.openpty()
        self.stack.callback(os.close, master)
        self.stack.callback(os.close, slave)
        path = self.folder / name
        path.symlink_to(os.ttyname(slave))
        return str(path)


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[Ports]:
    with ExitStack() as stack:
        yield Ports(tmp_path, stack)


@attrs.define
class Board:
    """A probe that opens the port, and finds a board with a number of its own."""

    asked: list[str] = attrs.Factory(list)

    def __call__(self, path: str, timeout_s: float) -> Found | None:
        self.asked.append(path)
        with device_errors(f"opening {path}"):
            SerialLink(path, Line(), Deadline(min(timeout_s, 0.2))).close()
        name = Path(path).name
        return None if "none" in name else Found(path, {"port": path}, {"uid": name})


def search(board: Board, wish: Wish, *there: SerialPort) -> Result:
    known = kinds(board=kind(SerialProbe(board, (BOARD,)), options=BoardOptions))
    return Search(known, wish, surroundings(serial_ports=there)).run()


def test_only_ports_with_the_usb_id_of_a_board_are_opened(ports: Ports) -> None:
    board, mine = Board(), ports.add("ttyACM0")
    others = [SerialPort(ports.add("ttyUSB0"), OTHER), SerialPort(ports.add("ttyS0"))]

    result = search(board, Wish(), SerialPort(mine, BOARD), *others)

    assert board.asked == [mine]
    assert [(each.way, each.found.facts["uid"]) for each in result.findings] == [
        ("serial", "ttyACM0")
    ]
    assert result.searched.serial_ports == [mine]


def test_eight_boards_are_found_in_the_order_of_their_ports(ports: Ports) -> None:
    there = [SerialPort(ports.add(f"ttyACM{number}"), BOARD) for number in range(12)]

    result = search(Board(), Wish(), *reversed(there))

    assert [each.found.where for each in result.findings] == [each.path for each in there]


def test_ports_that_are_named_are_asked_whatever_they_are(ports: Ports) -> None:
    board = Board()
    names = [ports.add(name) for name in ("a0", "a1", "b0")]

    result = search(board, Wish(ports=[str(ports.folder / "a*"), names[1]]))

    assert sorted(board.asked) == names[:2]
    assert len(result.findings) == 2


def test_a_port_that_is_named_twice_is_asked_once(ports: Ports) -> None:
    board, path = Board(), ports.add("a0")

    search(board, Wish(ports=[path, os.path.realpath(path)]))

    assert board.asked == [path]


def test_a_port_that_fails_is_a_warning_and_no_stop(ports: Ports) -> None:
    good, bad, none = ports.add("a0"), ports.add("a1"), ports.add("none2")
    with ExitStack() as stack:
        stack.callback(SerialLink(bad, Line(), Deadline(1.0)).close)

        result = search(Board(), Wish(ports=[good, bad, none, "/dev/nowhere", "/tmp/x*x"]))

    assert [each.found.where for each in result.findings] == [good]
    missing = "there is no such serial port; is the device plugged in?"
    assert set(result.warnings) == {
        f"/dev/nowhere: {missing}",
        f"/tmp/x*x: {missing}",
        f"{none}: no known device answered",
        f"opening {bad}: the port is in use by another device of this agent",
    }


def test_a_file_is_not_opened_as_a_port(tmp_path: Path) -> None:
    board, file = Board(), tmp_path / "notes.txt"
    file.write_text("")

    result = search(board, Wish(ports=[str(file), "/dev/null"]))

    assert board.asked == []
    assert result.warnings == ["/dev/null: it is no serial port", f"{file}: it is no serial port"]


def test_a_port_needs_a_kind_that_looks_there() -> None:
    with pytest.raises(ConfigError, match="none of these kinds is searched for at serial ports"):
        Search(kinds(lamp=kind()), Wish(ports=["/dev/ttyACM0"]), surroundings())
