"""The S7 driver and what PLCs, and other servers, do wrong."""

import socket
import threading
from collections.abc import Iterator

import pytest

from agent.devices.s7 import Options, Tag
from agent.devices.s7.driver import S7
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.s7 import DB1_TAGS, S7Simulator

TIMEOUT_S = 2.0
COURSE = tuple(Tag(tag.name, tag.address, tag.type) for tag in DB1_TAGS)


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with S7Simulator(frozen=True) as simulator:
        yield simulator


def make(plc: S7Simulator, timeout_s: float = TIMEOUT_S) -> S7:
    return S7(Options(plc.host, plc.port, tag=COURSE), timeout_s)


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("refuse", Reason.REFUSED, "connection refused: nothing listens at this port"),
        ("blackhole", Reason.TIMEOUT, "no answer within 0.2 s, got 0 bytes"),
        ("full", Reason.REFUSED, "check rack 0 and slot 1 (TSAP 0201)"),
        ("silent", Reason.TIMEOUT, "no answer within 0.2 s"),
        ("trickle:0.05", Reason.TIMEOUT, "no answer within 0.2 s"),
        ("drop", Reason.UNREACHABLE, "the PLC closed the connection after 0 bytes"),
        ("half-close", Reason.UNREACHABLE, "the PLC closed the connection after 18 bytes"),
        ("garbage", Reason.BAD_DATA, "wanted a packet (03 00), got"),
        ("garbled", Reason.BAD_DATA, "wanted a data packet (02 F0), got"),
        ("wrong-sequence", Reason.BAD_DATA, "wanted the answer to request 2, got that to 3"),
        ("wrong-length", Reason.BAD_DATA, "wanted an item of 12 bytes, got"),
        ("wrong-length:-4", Reason.BAD_DATA, "wanted an item of 12 bytes, got"),
        ("wrong-pdu", Reason.BAD_DATA, "wanted a PDU of 64 to 480 bytes, got 0"),
        ("wrong-pdu:9000", Reason.BAD_DATA, "wanted a PDU of 64 to 480 bytes, got 9000"),
        ("put-get-off", Reason.REFUSED, "tick 'Permit access with PUT/GET communication"),
        ("access-denied", Reason.REFUSED, "access denied (03)"),
        ("missing-db", Reason.REFUSED, "object does not exist (0A)"),
    ],
)
def test_each_fault_is_an_error_that_helps(
    plc: S7Simulator, fault: str, reason: Reason, text: str
) -> None:
    driver = make(plc, timeout_s=0.2 if reason is Reason.TIMEOUT else TIMEOUT_S)
    plc.set_fault(fault)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert text in str(caught.value)
    assert plc.address in str(caught.value)
    assert caught.value.reason is reason


@pytest.mark.parametrize("fault", ["pieces:0.001", "pdu240", "stop", "delay:0.01"])
def test_what_a_slow_small_or_stopped_plc_does_is_no_error(plc: S7Simulator, fault: str) -> None:
    driver = make(plc)
    plc.set_fault(fault)

    assert driver.read()["counter"] == 123456

    driver.close()


def test_a_wrong_tsap_names_those_that_were_given() -> None:
    with S7Simulator(frozen=True, tsaps={0x0302}) as plc:
        given = Options(plc.host, plc.port, local_tsap="0100", remote_tsap="0200", tag=COURSE)
        driver = S7(given, TIMEOUT_S)

        with pytest.raises(DeviceError, match=r"check local_tsap and remote_tsap \(0200\)"):
            driver.read()


def test_another_server_at_the_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        driver = S7(Options("127.0.0.1", port, tag=COURSE), TIMEOUT_S)
        serving = threading.Thread(target=_serve_http, args=(listener,))
        serving.start()

        with pytest.raises(DeviceError, match=r"got 48 54 54 50 .* is this an S7"):
            driver.read()

        serving.join()


def _serve_http(listener: socket.socket) -> None:
    with listener.accept()[0] as accepted:
        accepted.recv(100)
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_tags_that_can_only_be_read_alone_are_not_merged_again() -> None:
    tags = (Tag("a", "IW0:INT"), Tag("b", "IW2:INT"))
    requests: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        driver = S7(Options("127.0.0.1", listener.getsockname()[1], tag=tags), TIMEOUT_S)
        serving = threading.Thread(target=_serve_words, args=(listener, requests))
        serving.start()

        polls = [driver.read(), driver.read()]
        driver.close()

        serving.join()
    assert polls == [{"a": 7, "b": 7}] * 2
    assert requests == [1, 2, 2]


def _serve_words(listener: socket.socket, requests: list[int]) -> None:
    """A PLC whose items may have two bytes; notes how many items each request has."""
    with listener.accept()[0] as accepted:
        accepted.recv(100)
        accepted.sendall(bytes.fromhex("0300001611D00001000100C0010AC1020100C2020101"))
        accepted.recv(100)
        accepted.sendall(bytes.fromhex("0300001B02F080320300000001000800000000F0000001000101E0"))
        while request := accepted.recv(1000):
            count = request[18]
            requests.append(count)
            sizes = [request[23 + 12 * number + 1] for number in range(count)]
            items = b"".join(
                bytes.fromhex("FF0400100007" if size == 2 else "05000000") for size in sizes
            )
            head = b"\x32\x03\0\0" + request[11:13] + b"\0\2" + len(items).to_bytes(2) + b"\0\0"
            pdu = head + bytes([4, count]) + items
            accepted.sendall(b"\3\0" + (7 + len(pdu)).to_bytes(2) + b"\x02\xf0\x80" + pdu)
