"""Serial ports that are held, missing, forbidden or no ports: errors that say what to do."""

import fcntl
import grp
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.clock import Deadline
from agent.devices.contract import device_errors
from agent.devices.links.holders import is_ours, locked_text
from agent.devices.links.serial_port import Line, PortLockedError, SerialLink, pause
from agent.errors import DeviceError
from agent.model import Reason
from tests.devices.far_end import FarEnd, held_by_a_program
from tests.devices.kinds import open_files

LINE = Line(9600, "even", 2)
TIOCGEXCL = 0x80045440  # whether a terminal is closed to others
NOBODY = 65534


@pytest.fixture
def far() -> Iterator[FarEnd]:
    end = FarEnd()
    yield end
    end.unplug()


@pytest.fixture
def link(far: FarEnd) -> Iterator[SerialLink]:
    with closing(SerialLink(far.path, LINE, Deadline(1.0))) as opened:
        yield opened


def error_at(path: str, timeout_s: float = 1.0) -> DeviceError:
    with pytest.raises(DeviceError) as caught, device_errors(f"connecting to {path}"):
        SerialLink(path, LINE, Deadline(timeout_s))
    return caught.value


def test_a_port_that_another_program_holds_names_it(far: FarEnd) -> None:
    with held_by_a_program(far.path) as process:
        error = error_at(far.path, 20.0)  # it is not waited for
        name = Path(f"/proc/{process}/comm").read_text().strip()
        is_held_by_us = is_ours(far.path)

    assert str(error) == (
        f"connecting to {far.path}: the port is locked by {name} (process {process}): "
        "stop it, a port serves one program at a time"
    )
    assert error.reason is Reason.REFUSED
    assert not is_held_by_us


def test_a_port_that_a_running_agent_has_says_so(far: FarEnd, tmp_path: Path) -> None:
    program = tmp_path / "agent"  # as it is called when it is installed
    program.write_text(
        "import serial, sys\nport = serial.Serial(sys.argv[2])\nprint(flush=True)\ninput()"
    )
    command = [sys.executable, str(program), "run", far.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        agent.stdout.readline()

        text = locked_text(far.path)

        agent.communicate(b"\n")
    assert text == (f"the agent (process {agent.pid}) polls what is at the port, see: agent status")


def test_a_port_that_nobody_seems_to_hold_says_how_to_look(far: FarEnd) -> None:
    text = locked_text(far.path)

    assert text == (
        "the port is locked by another program, perhaps of another user: "
        f"look with: sudo fuser -v {far.path}"
    )


def test_a_port_of_ours_is_waited_for(far: FarEnd, link: SerialLink) -> None:
    opened: list[SerialLink] = []
    opening = threading.Thread(
        target=lambda: opened.append(SerialLink(far.path, LINE, Deadline(10.0)))
    )
    opening.start()

    link.close()
    opening.join(10.0)

    assert len(opened) == 1
    opened[0].close()


def test_a_port_that_stays_ours_is_an_error_in_time(far: FarEnd, link: SerialLink) -> None:
    error = error_at(far.path, 0.12)

    assert str(error).endswith(": the port is in use by another device of this agent")
    assert error.reason is Reason.REFUSED
    link.send(b"still works", Deadline(1.0))
    assert far.read() == b"still works"


def test_who_is_not_patient_is_told_at_once(far: FarEnd, link: SerialLink) -> None:
    assert link.path == far.path
    with pytest.raises(PortLockedError, match="the port is locked"):
        SerialLink(far.path, LINE, Deadline(60.0), is_patient=False)
    assert is_ours(far.path)


def test_a_pseudo_terminal_is_not_closed_to_others_for_ever(far: FarEnd, link: SerialLink) -> None:
    with open(far.path, "rb", buffering=0, opener=without_control) as other:
        (is_exclusive,) = struct.unpack("i", fcntl.ioctl(other, TIOCGEXCL, bytes(4)))

    assert link.path == far.path
    assert not is_exclusive


def test_any_other_terminal_is_closed_to_programs_that_know_no_lock() -> None:
    before = open_files()
    with closing(SerialLink("/dev/ptmx", LINE, Deadline(1.0))):  # a terminal device, but no pty
        (opened,) = (int(fd) for fd, path in open_files() - before if path == "/dev/ptmx")
        (is_exclusive,) = struct.unpack("i", fcntl.ioctl(opened, TIOCGEXCL, bytes(4)))

    assert is_exclusive


def without_control(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOCTTY | os.O_NONBLOCK)


@pytest.mark.parametrize(
    ("make", "text", "reason"),
    [
        (
            lambda path: None,
            "no such serial port; is the device plugged in? see: agent discover",
            Reason.UNREACHABLE,
        ),
        (lambda path: path.write_bytes(b""), "it is no serial port", Reason.BAD_DATA),
        (os.mkfifo, "it is no serial port", Reason.BAD_DATA),
        (Path.mkdir, "it can't be opened: Is a directory", Reason.BAD_DATA),
        (lambda path: path.symlink_to("/dev/null"), "it is no serial port", Reason.BAD_DATA),
        (
            lambda path: path.symlink_to(path),
            "it can't be opened: Too many levels",
            Reason.BAD_DATA,
        ),
    ],
    ids=["missing", "file", "fifo", "folder", "null", "loop"],
)
def test_what_is_no_port_says_so(make: object, text: str, reason: Reason, tmp_path: Path) -> None:
    assert callable(make)
    path = tmp_path / "port"
    make(path)
    before = open_files()

    error = error_at(str(path))

    assert str(error).startswith(f"connecting to {path}: {text}")
    assert error.reason is reason
    assert open_files() == before


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (
            0o660,
            "serial ports belong to the group {group!r}; run: sudo usermod -aG {group} $USER, "
            "then log in again",
        ),
        (0o600, "only its owner may use it; see: ls -l {path}"),
    ],
)
def test_a_port_without_permission_says_who_has_it(far: FarEnd, mode: int, text: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("another user's port is needed")
    Path(far.path).chmod(mode)
    ours = {os.getegid(), *os.getgroups()}
    group = next(each.gr_name for each in grp.getgrall() if each.gr_gid not in ours)
    shutil.chown(far.path, group=group)
    os.seteuid(NOBODY)  # root may open everything
    try:
        error = error_at(far.path)
    finally:
        os.seteuid(0)

    expected = text.format(group=group, path=far.path)
    assert str(error) == f"connecting to {far.path}: permission denied: {expected}"
    assert error.reason is Reason.REFUSED


def test_settings_that_a_port_refuses_are_told(far: FarEnd) -> None:
    seven_bits = Line(9600, "even", 1, 7)  # a pseudo-terminal has eight
    with closing(SerialLink(far.path, seven_bits, Deadline(1.0))):
        pass  # the speed could be set; now there is nothing that can

    with pytest.raises(OSError, match="it can't be set to 9600 baud 7E1"):
        SerialLink(far.path, seven_bits, Deadline(1.0))


def test_a_pause_ends_with_the_time() -> None:
    assert pause(0.01, Deadline(10.0))
    assert not pause(0.5, Deadline(0.1))
    assert not pause(0.01, Deadline(0.0))
