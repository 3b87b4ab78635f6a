"""The socket through which faults are switched from outside."""

import socket
from pathlib import Path

import pytest

from hw_sim.control import Control, ask


def test_a_socket_that_a_killed_program_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "faults.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    control = Control(path, lambda line: f"you said {line}")

    control.start()
    answer = ask(path, "hello")
    control.stop()
    control.stop()

    assert answer == "you said hello"
    assert not path.exists()


def test_a_socket_that_another_listens_at_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "faults.sock"
    first = Control(path, lambda _: "first")
    first.start()

    with pytest.raises(OSError, match="in use"):
        Control(path, lambda _: "second").start()

    answer = ask(path, "who")
    first.stop()
    assert answer == "first"


def test_whoever_stays_connected_holds_up_neither_others_nor_the_end(tmp_path: Path) -> None:
    path = tmp_path / "faults.sock"
    control = Control(path, lambda line: line)
    control.start()
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(path))

        answer = ask(path, "hello")
        control.stop()

    assert answer == "hello"


def test_an_answer_of_several_lines_comes_as_one(tmp_path: Path) -> None:
    path = tmp_path / "faults.sock"
    control = Control(path, lambda line: f"{line}\nand more")
    control.start()

    answer = ask(path, "one")

    control.stop()
    assert answer == "one | and more"


def test_several_lines_are_answered_on_one_connection(tmp_path: Path) -> None:
    path = tmp_path / "faults.sock"
    control = Control(path, lambda line: line.upper())
    control.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"one\ntwo\n")
        with client.makefile("rb") as stream:
            answers = [stream.readline(), stream.readline()]

    control.stop()
    assert answers == [b"ONE\n", b"TWO\n"]
