"""``python -m hw_sim benchlab``: several boards, faults that are typed, and its end."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent.config.structure import structure
from agent.devices.benchlab import Options
from agent.devices.benchlab.driver import Benchlab
from agent.errors import DeviceError
from hw_sim.benchlab import SIMULATED, Fleet

LINE = re.compile(r"(\d+): Port: (\S+)  UID: ([0-9A-F]{24})  FW: (\d+)  (.*)")


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "hw_sim", "benchlab", *words]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def type_line(process: subprocess.Popen[str], line: str) -> str:
    """Type it; the first line of what is said to that."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return next_line(process)


def test_two_boards_tell_where_they_are_and_obey(tmp_path: Path) -> None:
    words = ("--boards", "2", "--firmware", "5", "--product", "bl2", "--link", "bench")
    with running(tmp_path, *words) as process:
        assert next_line(process) == "BENCHLAB simulator ready; Ctrl+C ends it"
        found = [LINE.fullmatch(next_line(process)) for _ in range(2)]
        places = [(match[1], match[2], match[4], match[5]) for match in found if match]
        paths = [str(tmp_path / f"bench{number}") for number in range(2)]
        drivers = [Benchlab(Options(port=path), 2.0) for path in paths]
        for driver in drivers:
            driver.read()

        said = [type_line(process, line) for line in ("fault 2 unplug", "fault 3 unplug", "help")]
        drivers[0].read()
        with closing(drivers[0]), closing(drivers[1]), pytest.raises(DeviceError):
            drivers[1].read()
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        rest = process.stdout.read()

    assert places == [
        ("1", paths[0], "5", "BENCHLAB 2"),
        ("2", paths[1], "5", "BENCHLAB 2"),
    ]
    assert said[:2] == ["fault: 2 unplug", "error: no board 3: there are boards 1 to 2"]
    assert said[2].startswith('type "fault NAME", "fault 2 NAME" for the second board')
    assert re.search(r"stopped after \d+ requests, 0 of them to write\n$", rest)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_one_board_is_at_the_link_itself(tmp_path: Path) -> None:
    with running(tmp_path, "--seed", "7", "--fault", "no-uid") as process:
        first, board = next_line(process), LINE.fullmatch(next_line(process))
        type_line(process, "fault none")
        assert board is not None
        with closing(Benchlab(Options(uid=board[3], port=board[2]), 2.0)) as driver:
            driver.read()

    assert first == "BENCHLAB simulator ready, fault no-uid; Ctrl+C ends it"
    assert (board[2], board[4], board[5]) == (str(tmp_path / "benchlab"), "6", "BENCHLAB")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--fault", "nonsense"), "Error: no fault 'nonsense'"),
        (("--link", "taken"), "File exists: choose another with --link"),
        (("--link", "none/port"), "No such file or directory: choose another with --link"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(
    tmp_path: Path, words: tuple[str, ...], text: str
) -> None:
    (tmp_path / "taken").mkdir()
    with running(tmp_path, *words) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        code = process.wait()

    assert text in said.splitlines()[-1].replace("something else is there", "File exists")
    assert code != 0


def test_a_fault_of_all_boards_and_of_one(tmp_path: Path) -> None:
    with Fleet(tmp_path / "bench", 3, "original", None, 1) as fleet:
        fleet.set_fault("silent")
        fleet.set_fault("2 delay:3")
        fleet.set_fault("3 none")

        assert [board.fault for board in fleet.boards] == ["silent", "delay:3", None]
        for wrong in ("0 silent", "4 silent", "2 nonsense", "nonsense"):
            with pytest.raises(ValueError, match="no "):
                fleet.set_fault(wrong)
        assert [board.fault for board in fleet.boards] == ["silent", "delay:3", None]
        fleet.set_fault(None)
        assert [board.fault for board in fleet.boards] == [None] * 3
    assert len({board.uid for board in fleet.boards}) == 3


def test_the_table_finds_the_board_wherever_it_is_plugged_in(tmp_path: Path) -> None:
    board = SIMULATED.simulate(tmp_path, 1)

    table = SIMULATED.table("board", board.address)

    assert f'search = "{tmp_path}/board*"' in table
    assert structure({"search": f"{tmp_path}/board*"}, Options)[1] == []
