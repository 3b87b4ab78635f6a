"""The simulated PLC from start to stop."""

import socket
import threading
from collections.abc import Iterator

import pytest

from hw_sim.contract import Simulator
from hw_sim.s7 import S7Simulator
from tests.hw_sim.raw_s7 import CONFIRM, CONNECT, DB1_IS, READ_DB1, RawClient, wanted


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with S7Simulator(frozen=True) as simulator:
        yield simulator


def test_several_clients_are_served_at_once(plc: S7Simulator) -> None:
    with RawClient(plc.port) as first, RawClient(plc.port) as second:
        first.set_up()
        second.set_up()
        answers = [first.ask(READ_DB1), second.ask(READ_DB1), first.ask(READ_DB1)]

    assert answers == [wanted(DB1_IS)] * 3


def test_two_simulators_cannot_have_one_port(plc: S7Simulator) -> None:
    other = S7Simulator(port=plc.port)

    with pytest.raises(OSError, match="in use"):
        other.start()


def test_a_port_of_another_program_is_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plc = S7Simulator(port=listener.getsockname()[1])

        with pytest.raises(OSError, match="in use"):
            plc.start()


def test_stop_drops_sessions_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    plc = S7Simulator()
    plc.start()
    with RawClient(plc.port) as idle, RawClient(plc.port) as client:
        client.set_up()

        plc.stop()
        plc.stop()

        assert (idle.rest(), client.rest()) == (b"", b"")
        assert set(threading.enumerate()) == before
        with pytest.raises(ConnectionRefusedError):
            RawClient(plc.port)


def test_it_starts_again_on_the_port_it_had(plc: S7Simulator) -> None:
    port = plc.port

    plc.stop()
    plc.start()

    with RawClient(port) as client:
        assert client.ask(CONNECT) == wanted(CONFIRM)


def test_it_keeps_the_contract_of_simulators(plc: S7Simulator) -> None:
    simulator: Simulator = plc

    assert simulator.address == f"127.0.0.1:{plc.port}"
    assert simulator.write_requests == 0
