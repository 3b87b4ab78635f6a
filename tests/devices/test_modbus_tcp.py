"""One TCP connection to a device: whole, in pieces, cut short, too long, late and garbage."""

import socket
import threading
from collections.abc import Iterator

import attrs
import pytest

from agent.clock import Deadline
from agent.devices.links.tcp import TcpLink
from agent.devices.modbus.connection import (
    SilentError,
    TcpConnection,
)
from agent.devices.modbus.plan import Request
from hw_sim.modbus.wire import tcp_frame

ASKED = Request(1, "HR", 0x6B, 3)
PDU = bytes.fromhex("03 06 022B 0000 0064")
CELLS = [0x22B, 0, 0x64]
REQUEST = bytes.fromhex("0001 0000 0006 01 03 006B 0003")
ANSWER = tcp_frame(1, 1, PDU)


@attrs.define
class Device:
    """The far end: what it received, and a way to send."""

    connection: TcpConnection
    far: socket.socket

    def ask(self, timeout_s: float = 2.0) -> list[int]:
        return list(self.connection.ask(ASKED, Deadline(timeout_s)))


@pytest.fixture
def device() -> Iterator[Device]:
    near, far = socket.socketpair()
    connection = TcpConnection(TcpLink(near))
    with far:
        yield Device(connection, far)
        connection.close()


def after_the_question(device: Device, *pieces: bytes) -> threading.Thread:
    """Send once asked: what comes before is thrown away."""

    def run() -> None:
        device.far.recv(100)
        for piece in pieces:
            device.far.sendall(piece)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_an_answer_is_read_whole(device: Device) -> None:
    answering = after_the_question(device, ANSWER)

    assert device.ask() == CELLS

    answering.join()


def test_an_answer_is_read_in_one_byte_pieces(device: Device) -> None:
    answering = after_the_question(device, *(bytes([byte]) for byte in ANSWER))

    assert device.ask() == CELLS

    answering.join()


def test_what_came_before_the_question_is_no_answer(device: Device) -> None:
    device.far.sendall(tcp_frame(1, 1, bytes.fromhex("03 06 0001 0002 0003")))
    answering = after_the_question(device, ANSWER)

    assert device.ask() == CELLS

    answering.join()


@pytest.mark.parametrize("size", range(1, len(ANSWER)))
def test_an_answer_that_is_cut_short_is_an_error(device: Device, size: int) -> None:
    answering = after_the_question(device, ANSWER[:size])
    answering.join(0)
    with pytest.raises(TimeoutError, match="no answer within") as caught:
        device.ask(0.05)

    answering.join()
    assert not isinstance(caught.value, SilentError)


def test_silence_is_told_from_an_answer_that_stops(device: Device) -> None:
    with pytest.raises(SilentError, match=r"no answer of unit 1 within 0\.02 s: check unit_id"):
        device.ask(0.02)


def test_a_device_that_hangs_up_is_an_error(device: Device) -> None:
    device.far.shutdown(socket.SHUT_WR)

    with pytest.raises(ConnectionAbortedError, match="closed the connection instead of answering"):
        device.ask()


def test_an_answer_that_is_late_is_not_taken_for_the_next(device: Device) -> None:
    with pytest.raises(SilentError):
        device.ask(0.02)
    device.far.recv(100)
    late = tcp_frame(1, 1, bytes.fromhex("03 06 0001 0002 0003"))
    answering = after_the_question(device, late + tcp_frame(2, 1, PDU))

    assert device.ask() == CELLS

    answering.join()


@pytest.mark.parametrize("pause_s", [0.0, 0.01])
@pytest.mark.parametrize("size", range(1, len(ANSWER)))
def test_a_late_answer_is_passed_over_whole_though_it_began_before_the_question(
    pause_s: float, size: int
) -> None:
    near, far = socket.socketpair()
    with far:
        device = Device(TcpConnection(TcpLink(near), pause_s), far)
        with pytest.raises(SilentError):
            device.ask(0.02)
        far.recv(100)
        far.sendall(ANSWER[:size])
        answering = after_the_question(device, ANSWER[size:] + tcp_frame(2, 1, PDU))

        assert device.ask() == CELLS

        answering.join()
        device.connection.close()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (tcp_frame(9, 1, PDU), "wanted the answer to request 1, got that to 9"),
        (tcp_frame(1, 2, PDU), "wanted an answer of unit 1, got one of unit 2"),
        (tcp_frame(1, 1, b"\4" + PDU[1:]), "wanted an answer to function 3, got one to 4"),
        (tcp_frame(1, 1, PDU[:1] + b"\x04" + PDU[2:]), "wanted 6 bytes of HR107 to HR109, got 4"),
        (bytes.fromhex("0001 0000 0000 01"), "wanted a length of 3 to 254 bytes, got 0"),
        (bytes.fromhex("0001 0000 0001 01"), "wanted a length of 3 to 254 bytes, got 1"),
        (bytes.fromhex("0001 0000 FFFF 01"), "wanted a length of 3 to 254 bytes, got 65535"),
        (bytes.fromhex("0001 0001 0006 01"), "wanted protocol 0, got 1"),
        (b"HTTP/1.1 400 Bad Request\r\n", "is this a Modbus TCP device"),
    ],
)
def test_what_is_no_answer_is_an_error(device: Device, answer: bytes, text: str) -> None:
    answering = after_the_question(device, answer)

    with pytest.raises(ValueError, match=text):
        device.ask()

    answering.join()


def test_transaction_numbers_start_again_at_one(device: Device) -> None:
    device.connection._transaction = 0xFFFE
    seen = []

    for number in (0xFFFF, 1):
        answering = after_the_question(device, tcp_frame(number, 1, PDU))
        device.ask()
        answering.join()
        seen.append(device.connection._transaction)

    assert seen == [0xFFFF, 1]


def test_a_deadline_that_is_over_sends_nothing(device: Device) -> None:
    with pytest.raises(TimeoutError):
        device.ask(-1.0)

    device.connection.close()
    assert device.far.recv(100) == b""
