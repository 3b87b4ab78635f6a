"""Streams over real sockets."""

import socket
from collections.abc import Iterator

import pytest

from agent.clock import Deadline
from agent.devices.links.link import Stream
from agent.devices.links.tcp import TcpLink

LIMIT = 16
SHORT_S = 0.05
LONG_S = 2.0


@pytest.fixture
def ends() -> Iterator[tuple[Stream, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield Stream(TcpLink(near)), far


def test_a_real_socket_gives_lines_and_sizes(ends: tuple[Stream, socket.socket]) -> None:
    stream, far = ends
    far.sendall(b"one\r\n\x01\x02\x03rest")

    assert stream.line(LIMIT, Deadline(LONG_S)) == b"one"
    assert stream.exactly(3, Deadline(LONG_S)) == b"\x01\x02\x03"
    assert stream.drain(LIMIT) == b"rest"


def test_a_real_socket_keeps_the_deadline(ends: tuple[Stream, socket.socket]) -> None:
    stream, far = ends
    far.sendall(b"on")

    with pytest.raises(TimeoutError, match=r"no answer within 0.05 s, .* got 2 bytes: 6f 6e"):
        stream.line(LIMIT, Deadline(SHORT_S))


def test_a_real_socket_that_was_closed_says_so(ends: tuple[Stream, socket.socket]) -> None:
    stream, far = ends
    far.sendall(b"on")
    far.close()

    with pytest.raises(ConnectionAbortedError, match="closed the connection after 2 bytes"):
        stream.line(LIMIT, Deadline(LONG_S))
    assert stream.drain(LIMIT) == b""
