"""A port that isn't there: sessions, plugging and unplugging, resets, and what is in its way."""

import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.clock import Deadline
from agent.devices.links.serial_port import Line, SerialLink
from hw_sim.serial_line import SerialLine, SerialSession
from tests.devices.kinds import open_files

Serve = Callable[[SerialSession], None]
Make = Callable[[Serve], SerialLine]
WITHIN_S = 5.0


def echo(session: SerialSession) -> None:
    """Give back each five bytes, for ever."""
    while True:
        session.send(session.receive(5))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes plugged lines at ``port``."""
    lines: list[SerialLine] = []

    def made(serve: Serve) -> SerialLine:
        lines.append(SerialLine(tmp_path / "port", serve))
        lines[-1].plug()
        return lines[-1]

    yield made
    for line in lines:
        line.unplug()


def open_link(line: SerialLine) -> SerialLink:
    return SerialLink(str(line.path), Line(), Deadline(WITHIN_S))


def receive(link: SerialLink, size: int) -> bytes:
    data, deadline = b"", Deadline(WITHIN_S)
    while len(data) < size:
        data += link.receive(size - len(data), deadline)
    return data


def test_whoever_opens_the_port_is_served(make: Make) -> None:
    with closing(open_link(make(echo))) as link:
        link.send(b"helloworld", Deadline(WITHIN_S))

        assert receive(link, 10) == b"helloworld"


def test_an_exact_size_is_received_from_pieces(make: Make) -> None:
    def serve(session: SerialSession) -> None:
        first = session.receive_some(3, None) or b""
        session.send(b".")
        session.send(first + session.receive(5))
        session.receive(1)

    with closing(open_link(make(serve))) as link:
        link.send(b"hellow", Deadline(WITHIN_S))
        receive(link, 1)
        link.send(b"or", Deadline(WITHIN_S))

        assert receive(link, 8) == b"hellowor"


def test_every_byte_passes_unchanged(make: Make) -> None:
    every_byte = bytes(range(255))
    with closing(open_link(make(echo))) as link:
        link.send(every_byte, Deadline(WITHIN_S))

        assert receive(link, 255) == every_byte


def test_a_session_begins_with_each_opening(make: Make) -> None:
    ended = threading.Semaphore(0)
    number = iter(range(100))

    def serve(session: SerialSession) -> None:
        session.send(b"session %d" % next(number))
        try:
            session.receive(1)
        finally:
            ended.release()

    line = make(serve)
    heard = []
    for _ in range(3):
        with closing(open_link(line)) as link:
            heard.append(receive(link, 9))
        assert ended.acquire(timeout=WITHIN_S)

    assert heard == [b"session 0", b"session 1", b"session 2"]


def test_what_comes_is_given_at_once_or_none_in_time(make: Make) -> None:
    got: list[bytes | None] = []
    done = threading.Event()

    def serve(session: SerialSession) -> None:
        got.append(session.receive_some(10, 0.0))
        session.send(b"go")
        got.append(session.receive_some(2, None))
        got.append(session.receive_some(10, WITHIN_S))
        got.append(session.receive_some(10, 0.01))
        done.set()
        session.receive(1)

    with closing(open_link(make(serve))) as link:
        receive(link, 2)
        link.send(b"abc", Deadline(WITHIN_S))
        assert done.wait(WITHIN_S)

    assert got == [None, b"ab", b"c", None]


def test_unplugging_takes_the_port_away_from_its_program(make: Make) -> None:
    line = make(echo)
    with closing(open_link(line)) as link:
        line.unplug()
        line.unplug()

        with pytest.raises(ConnectionAbortedError):
            link.receive(1, Deadline(WITHIN_S))
    assert not line.is_plugged
    assert not line.path.is_symlink()


def test_a_port_comes_back_at_its_path_or_another(make: Make, tmp_path: Path) -> None:
    line = make(echo)
    heard = []
    for path in (None, tmp_path / "elsewhere", None):
        line.unplug()
        line.plug(path)
        line.plug(tmp_path / "nowhere, it is plugged in")
        with closing(open_link(line)) as link:
            link.send(b"hello", Deadline(WITHIN_S))
            heard.append((line.path.name, receive(link, 5)))

    assert heard == [(name, b"hello") for name in ("port", "elsewhere", "elsewhere")]
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]


def test_a_device_that_resets_is_there_again_at_once(make: Make) -> None:
    resets = threading.Semaphore(0)

    def serve(session: SerialSession) -> None:
        session.receive(1)
        resets.release()

    line = make(serve)
    port = line.path.readlink()
    with closing(open_link(line)) as link:
        link.send(b"!", Deadline(WITHIN_S))
        with pytest.raises(ConnectionAbortedError):
            link.receive(1, Deadline(WITHIN_S))

        with closing(open_link(line)) as again:
            again.send(b"!", Deadline(WITHIN_S))
            with pytest.raises(ConnectionAbortedError):
                again.receive(1, Deadline(WITHIN_S))

        assert line.path.readlink() != port
    assert resets.acquire(timeout=0)
    assert resets.acquire(timeout=0)


def test_sending_ends_when_nobody_reads_any_more(make: Make) -> None:
    ended = threading.Event()

    def serve(session: SerialSession) -> None:
        try:
            while True:
                session.send(bytes(4096))
        finally:
            ended.set()

    line = make(serve)
    with closing(open_link(line)) as link:
        receive(link, 10_000)
        assert not ended.is_set()

    assert ended.wait(WITHIN_S)


def test_unplugging_ends_a_session_that_sends_or_waits(make: Make) -> None:
    def serve(session: SerialSession) -> None:
        while True:
            session.send(bytes(4096))

    line = make(serve)
    with closing(open_link(line)):
        line.unplug()

    assert not line.is_plugged


def test_a_link_that_a_killed_simulator_left_is_replaced(make: Make, tmp_path: Path) -> None:
    (tmp_path / "port").symlink_to("/dev/pts/no-longer-there")

    with closing(open_link(make(echo))) as link:
        link.send(b"hello", Deadline(WITHIN_S))

        assert receive(link, 5) == b"hello"


@pytest.mark.parametrize("make_other", [Path.mkdir, Path.touch], ids=["folder", "file"])
def test_what_else_is_at_the_path_stays_there(
    tmp_path: Path, make_other: Callable[[Path], None]
) -> None:
    path = tmp_path / "port"
    make_other(path)
    before = open_files()
    line = SerialLine(path, echo)

    with pytest.raises(FileExistsError):
        line.plug()

    assert path.exists()
    assert not path.is_symlink()
    assert not line.is_plugged
    assert open_files() == before


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SerialLine(tmp_path / "none" / "port", echo).plug()


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    files, threads = open_files(), threading.enumerate()
    line = SerialLine(tmp_path / "port", echo)
    line.plug()
    with closing(open_link(line)):
        pass

    line.unplug()

    assert open_files() == files
    assert threading.enumerate() == threads
    assert list(tmp_path.iterdir()) == []


def test_it_is_a_terminal_without_echo(make: Make) -> None:
    def serve(session: SerialSession) -> None:
        session.receive(1_000_000)

    line = make(serve)
    port = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        os.write(port, b"not echoed\r\n\x03")
        readable, _, _ = select.select([port], [], [], 0.05)
    finally:
        os.close(port)

    assert os.path.realpath(line.path).startswith("/dev/pts/")
    assert readable == []
