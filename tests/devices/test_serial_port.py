"""Serial links: bytes both ways, in time, until the port is unplugged."""

import fcntl
import os
import struct
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.clock import Deadline
from agent.devices.links.serial_port import (
    Line,
    SerialLink,
    serial_opener,
)
from tests.devices.far_end import FarEnd
from tests.devices.kinds import open_files

LINE = Line(9600, "even", 2)
TIOCGPTN = 0x80045430  # which pseudo-terminal belongs to a master
TIOCSPTLCK = 0x40045431


@pytest.fixture
def far() -> Iterator[FarEnd]:
    end = FarEnd()
    yield end
    end.unplug()


@pytest.fixture
def link(far: FarEnd) -> Iterator[SerialLink]:
    with closing(SerialLink(far.path, LINE, Deadline(1.0))) as opened:
        yield opened


def test_bytes_go_both_ways_unchanged(far: FarEnd, link: SerialLink) -> None:
    every_byte = bytes(range(256))
    link.send(every_byte, Deadline(1.0))
    sent = far.read()

    far.write(every_byte)
    received = b""
    while len(received) < 256:
        received += link.receive(4096, Deadline(1.0))

    assert sent == every_byte
    assert received == every_byte


def test_no_more_than_the_limit_is_received(far: FarEnd, link: SerialLink) -> None:
    far.write(b"abcdef")

    pieces = [link.receive(4, Deadline(1.0)), link.receive(4, Deadline(1.0))]

    assert pieces == [b"abcd", b"ef"]


def test_what_has_come_is_received_at_once_or_nothing(far: FarEnd, link: SerialLink) -> None:
    nothing = link.receive_now(10)
    far.write(b"abc")
    first = link.receive(1, Deadline(1.0))

    rest = link.receive_now(10)

    assert (nothing, first, rest) == (b"", b"a", b"bc")


def test_silence_ends_with_the_deadline(link: SerialLink) -> None:
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        link.receive(1, Deadline(0.05))


def test_a_line_that_takes_nothing_ends_with_the_deadline(link: SerialLink) -> None:
    with pytest.raises(TimeoutError):
        link.send(bytes(1 << 20), Deadline(0.1))


def test_what_came_before_it_was_opened_is_thrown_away(far: FarEnd) -> None:
    with closing(SerialLink(far.path, LINE, Deadline(1.0))):
        far.write(b"for an earlier reader")

    with closing(SerialLink(far.path, LINE, Deadline(1.0))) as link:
        assert link.receive_now(100) == b""


@pytest.mark.parametrize(
    "step",
    [
        lambda link: link.send(b"a", Deadline(1.0)),
        lambda link: link.receive(1, Deadline(1.0)),
        lambda link: link.receive_now(1),
    ],
    ids=["send", "receive", "receive_now"],
)
def test_an_unplugged_port_is_told_at_the_next_step(
    far: FarEnd, link: SerialLink, step: Callable[[SerialLink], object]
) -> None:
    far.unplug()

    with pytest.raises(ConnectionAbortedError, match="it was unplugged"):
        step(link)


def test_unplugging_wakes_whoever_waits(far: FarEnd, link: SerialLink) -> None:
    unplugging = threading.Thread(target=far.unplug)
    unplugging.start()

    with pytest.raises(ConnectionAbortedError, match="it was unplugged"):
        link.receive(1, Deadline(10.0))

    unplugging.join()


def test_close_works_twice_and_lets_go_of_everything(far: FarEnd) -> None:
    before = open_files()
    link = SerialLink(far.path, LINE, Deadline(1.0))

    link.close()
    link.close()

    assert open_files() == before
    with pytest.raises(ConnectionAbortedError):
        link.receive_now(1)


def test_closing_throws_away_what_the_device_has_not_taken() -> None:
    """Else the kernel waits until it takes it, 30 s by default."""
    before = open_files()
    link = SerialLink("/dev/ptmx", LINE, Deadline(1.0))  # a terminal device, but no pty
    (opened,) = (int(fd) for fd, path in open_files() - before if path == "/dev/ptmx")
    fcntl.ioctl(opened, TIOCSPTLCK, bytes(4))
    (number,) = struct.unpack("i", fcntl.ioctl(opened, TIOCGPTN, bytes(4)))
    device = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(device)
    still_open = os.dup(opened)  # the device keeps what it has
    sent = bytes(6000)

    link.send(sent, Deadline(1.0))
    link.close()

    os.write(still_open, b"end")
    received = b""
    while not received.endswith(b"end"):
        received += os.read(device, 4096)
    os.close(device)
    os.close(still_open)
    assert len(received) < len(sent)


def test_what_was_sent_to_a_pseudo_terminal_stays_there(far: FarEnd, link: SerialLink) -> None:
    link.send(b"hello", Deadline(1.0))

    link.close()

    assert far.read() == b"hello"


def test_the_opener_opens_its_port(far: FarEnd) -> None:
    open_link = serial_opener(far.path, LINE)

    with closing(open_link(Deadline(1.0))) as link:
        link.send(b"hello", Deadline(1.0))

    assert far.read() == b"hello"


def test_a_link_to_the_port_leads_there(far: FarEnd, tmp_path: Path) -> None:
    path = tmp_path / "by-id"
    path.symlink_to(far.path)

    with closing(SerialLink(str(path), LINE, Deadline(1.0))) as link:
        link.send(b"hello", Deadline(1.0))

    assert far.read() == b"hello"
