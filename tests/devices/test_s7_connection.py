"""One connection to a scripted PLC: whole, in pieces, cut short, too long, and garbage."""

import socket
import threading
from collections.abc import Iterator

import attrs
import pytest

from agent.clock import Deadline
from agent.devices.links.tcp import TcpLink
from agent.devices.s7.connection import Connection
from agent.devices.s7.wire import Item, parse_read, read_request

CONNECTED = bytes.fromhex("03000016 11D00001000100 C0010A C1020100 C2020101")
SET_UP = bytes.fromhex("0300001B 02F080 320300000001000800000000 F000000100 0101E0")
READ = bytes.fromhex("0300001F 02F080 320100000002000E0000 0401 120A1002000C000184000000")
BLOCK = bytes.fromhex("0001E240FF293FA00000015A")
ANSWER = bytes.fromhex("03000025 02F080 320300000002000200100000 0401 FF040060") + BLOCK


def data_packet(pdu: bytes, *, is_last: bool = True) -> bytes:
    cotp = bytes.fromhex("02F080" if is_last else "02F000")
    return b"\3\0" + (7 + len(pdu)).to_bytes(2) + cotp + pdu


@attrs.define
class Plc:
    """The far end: what it received, and a way to send."""

    connection: Connection
    far: socket.socket
    deadline: Deadline


@pytest.fixture
def plc() -> Iterator[Plc]:
    near, far = socket.socketpair()
    connection = Connection(TcpLink(near))
    with far:
        yield Plc(connection, far, Deadline(2.0))
        connection.close()


def connect(plc: Plc) -> None:
    """The far end answers the handshake, each answer after its request."""
    answering = threading.Thread(target=_answer_handshake, args=(plc.far,))
    answering.start()
    plc.connection.handshake(0x0100, 0x0101, 480, plc.deadline)
    answering.join()


def _answer_handshake(far: socket.socket) -> None:
    far.recv(100)
    far.sendall(CONNECTED)
    far.recv(100)
    far.sendall(SET_UP)


def read_block(plc: Plc, deadline: Deadline | None = None) -> bytes:
    request = read_request([Item(0x84, 1, 0, 12)])
    pdu = plc.connection.ask(request, deadline or plc.deadline)
    (start,) = parse_read(pdu, [12])
    return pdu[start : start + 12]


def test_an_answer_is_read_whole(plc: Plc) -> None:
    connect(plc)
    plc.far.sendall(ANSWER)

    assert read_block(plc) == BLOCK
    assert plc.far.recv(100) == READ


def test_an_answer_is_read_in_one_byte_pieces(plc: Plc) -> None:
    connect(plc)
    sending = threading.Thread(target=_send_bytewise, args=(plc.far, ANSWER))
    sending.start()

    assert read_block(plc) == BLOCK

    sending.join()


def _send_bytewise(far: socket.socket, data: bytes) -> None:
    for byte in data:
        far.sendall(bytes([byte]))


def test_an_answer_is_put_together_from_data_packets(plc: Plc) -> None:
    connect(plc)
    pdu = ANSWER[7:]
    plc.far.sendall(data_packet(pdu[:9], is_last=False) + data_packet(pdu[9:]))

    assert read_block(plc) == BLOCK


@pytest.mark.parametrize("piece", [b"", bytes(400)])
def test_an_answer_of_endless_pieces_is_refused(plc: Plc, piece: bytes) -> None:
    connect(plc)
    plc.far.sendall(data_packet(piece, is_last=False) * 3)

    with pytest.raises(ValueError, match="got more pieces"):
        read_block(plc)


@pytest.mark.parametrize("size", range(0, len(ANSWER), 6))
def test_an_answer_that_is_cut_short_is_an_error(plc: Plc, size: int) -> None:
    connect(plc)
    plc.far.sendall(ANSWER[:size])
    plc.far.shutdown(socket.SHUT_WR)

    with pytest.raises(ConnectionError, match=f"after {size} bytes of answer"):
        read_block(plc)


def test_an_answer_that_stops_ends_at_the_deadline_and_says_what_came(plc: Plc) -> None:
    connect(plc)
    plc.far.sendall(ANSWER[:10])

    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s, got 10 of 37 bytes"):
        read_block(plc, Deadline(0.05))


def test_bytes_that_nobody_asked_for_are_no_answer(plc: Plc) -> None:
    connect(plc)
    plc.far.sendall(ANSWER + ANSWER)
    read_block(plc)

    with pytest.raises(ValueError, match="wanted nothing, got 03 00 00 25"):
        read_block(plc)


def test_a_late_answer_is_not_taken_for_the_next_one(plc: Plc) -> None:
    connect(plc)
    plc.far.sendall(ANSWER)
    read_block(plc)
    plc.far.sendall(ANSWER)

    with pytest.raises(ValueError, match="wanted the answer to request 3, got that to 2"):
        read_block(plc)


@pytest.mark.parametrize(
    ("packet", "error", "text"),
    [
        (b"HTTP/1.1 400".hex(), ValueError, "is this an S7"),
        ("0300FFFF 02F080", ValueError, "wanted a packet of 7 to 487 bytes, got one of 65535"),
        ("0300000B 06800001000002", ConnectionAbortedError, "the PLC ended the connection"),
        ("03000007 02E080", ValueError, "wanted a data packet"),
        ("03000007 02F080", ValueError, "wanted an S7 answer"),
    ],
)
def test_garbage_is_an_error(plc: Plc, packet: str, error: type[Exception], text: str) -> None:
    connect(plc)
    plc.far.sendall(bytes.fromhex(packet))

    with pytest.raises(error, match=text):
        read_block(plc)


def test_sequence_numbers_start_again_at_one(plc: Plc) -> None:
    connect(plc)
    plc.connection._sequence = 0xFFFE
    seen = []

    for sequence in (0xFFFF, 1):
        plc.far.sendall(ANSWER[:11] + sequence.to_bytes(2) + ANSWER[13:])
        read_block(plc)
        seen.append(int.from_bytes(plc.far.recv(100)[11:13]))

    assert seen == [0xFFFF, 1]


def test_a_deadline_that_is_over_sends_nothing(plc: Plc) -> None:
    with pytest.raises(TimeoutError):
        plc.connection.handshake(0x0100, 0x0101, 480, Deadline(-1.0))

    plc.connection.close()
    assert plc.far.recv(100) == b""
