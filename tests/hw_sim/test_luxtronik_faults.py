"""Each fault of the simulated heat pump controller does what its line of help says."""

import contextlib
import struct
import threading
from collections.abc import Iterator

import pytest

from hw_sim.luxtronik import CALCULATIONS, FAULTS, VISIBILITIES, LuxtronikSimulator
from tests.hw_sim.raw_luxtronik import RawClient

SIZE = 12 + 4 * 275


@pytest.fixture
def pump() -> Iterator[LuxtronikSimulator]:
    with LuxtronikSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def client(pump: LuxtronikSimulator) -> Iterator[RawClient]:
    with RawClient(pump.port) as raw:
        yield raw


@pytest.mark.parametrize("fault", FAULTS)
def test_after_every_fault_new_connections_are_served_again(
    pump: LuxtronikSimulator, fault: str
) -> None:
    pump.set_fault(fault)

    pump.set_fault(None)

    with RawClient(pump.port) as client:
        assert list(client.numbers(3004)) == pump.values(CALCULATIONS)
    assert pump.fault is None


@pytest.mark.parametrize("fault", FAULTS)
def test_stop_waits_for_no_fault(fault: str) -> None:
    before = set(threading.enumerate())
    pump = LuxtronikSimulator(discovery_port=0)
    pump.start()
    with RawClient(pump.port) as client, RawClient(pump.port) as other:
        pump.set_fault(f"{fault}:3600" if fault in ("delay", "pieces", "trickle") else fault)
        with contextlib.suppress(OSError):  # dropped by the fault
            client.send(3004, 0)
            other.send(3004, 0)

        pump.stop()
        pump.stop()

    assert set(threading.enumerate()) == before


def test_a_fault_can_be_set_before_start() -> None:
    pump = LuxtronikSimulator()
    pump.set_fault("few:3")

    with pump, RawClient(pump.port) as client:
        assert len(client.numbers(3004)) == 3


def test_refuse_drops_connections_and_keeps_the_port(
    pump: LuxtronikSimulator, client: RawClient
) -> None:
    client.numbers(3005)
    pump.set_fault("refuse")

    assert client.rest() == b""
    with pytest.raises(ConnectionRefusedError):
        RawClient(pump.port)


def test_too_many_closes_new_connections(pump: LuxtronikSimulator, client: RawClient) -> None:
    client.numbers(3005)
    pump.set_fault("too-many")

    with RawClient(pump.port) as other:
        assert other.rest() == b""
    assert len(client.numbers(3004)) == 275


def test_restart_resets_connections(pump: LuxtronikSimulator, client: RawClient) -> None:
    client.numbers(3005)
    pump.set_fault("restart")

    client.send(3004, 0)

    with pytest.raises(ConnectionResetError):
        client.rest()


def test_a_restart_drops_connections_and_takes_new_ones(
    pump: LuxtronikSimulator, client: RawClient
) -> None:
    client.numbers(3005)

    pump.restart()

    assert client.rest() == b""
    with RawClient(pump.port) as other:
        assert len(other.numbers(3004)) == 275


def test_a_second_connection_is_refused(pump: LuxtronikSimulator, client: RawClient) -> None:
    client.numbers(3005)
    pump.set_fault("second-refused")

    with RawClient(pump.port) as other:
        assert other.rest() == b""
    assert len(client.numbers(3004)) == 275


def test_a_second_connection_waits_for_the_first(pump: LuxtronikSimulator) -> None:
    with RawClient(pump.port) as first:
        first.numbers(3005)
        pump.set_fault("second-queued")
        other = RawClient(pump.port).send(3004, 0)
        assert other.is_silent()

    with other:
        assert len(other.receive(SIZE)) == SIZE


def test_stall_sends_half_and_keeps_the_connection(
    pump: LuxtronikSimulator, client: RawClient
) -> None:
    pump.set_fault("stall")

    client.send(3004, 0)

    assert len(client.receive(SIZE // 2)) == SIZE // 2
    assert client.is_silent()


def test_half_close_sends_half_and_closes(pump: LuxtronikSimulator, client: RawClient) -> None:
    pump.set_fault("half-close")

    assert len(client.send(3004, 0).rest()) == SIZE // 2


@pytest.mark.parametrize("count", [0, -1, 12, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("command", [3003, 3004, 3005])
def test_a_wrong_count_is_stated(
    pump: LuxtronikSimulator, client: RawClient, command: int, count: int
) -> None:
    pump.set_fault(f"wrong-count:{count}")

    head = client.send(command, 0).receive(12 if command == 3004 else 8)

    assert struct.unpack(">i", head[-4:]) == (count,)


def test_few_values_are_whole_answers(pump: LuxtronikSimulator, client: RawClient) -> None:
    pump.set_fault("few")

    counts = [len(client.numbers(command)) for command in (3003, 3004, 3005)]

    assert counts == [12, 12, 12]


@pytest.mark.parametrize(("command", "echo"), [(3003, 3004), (3004, 3005), (3005, 3003)])
def test_a_wrong_command_is_echoed(
    pump: LuxtronikSimulator, client: RawClient, command: int, echo: int
) -> None:
    pump.set_fault("wrong-command")

    assert struct.unpack(">i", client.send(command, 0).receive(4)) == (echo,)


@pytest.mark.parametrize("status", [1, -1, 2**31 - 1])
def test_a_status_is_given(pump: LuxtronikSimulator, client: RawClient, status: int) -> None:
    pump.set_fault(f"status:{status}")

    assert struct.unpack(">iii", client.send(3004, 0).receive(12)) == (3004, status, 275)


def test_limits_are_sent(pump: LuxtronikSimulator, client: RawClient) -> None:
    pump.set_fault("limits")

    numbers, small = set(client.numbers(3004)), set(client.numbers(3005))

    assert {2**31 - 1, -(2**31)} <= numbers
    assert {127, -128} <= small


@pytest.mark.parametrize("fault", ["odd-pieces", "borders", "pieces:0"])
def test_pieces_make_up_the_answer(pump: LuxtronikSimulator, client: RawClient, fault: str) -> None:
    pump.set_fault(fault)

    assert list(client.numbers(3004)) == pump.values(CALCULATIONS)
    assert list(client.numbers(3005)) == pump.values(VISIBILITIES)
    assert len(client.numbers(3003)) == 1187


def test_the_first_piece_ends_inside_of_a_number(
    pump: LuxtronikSimulator, client: RawClient
) -> None:
    pump.set_fault("trickle:3600")

    client.send(3004, 0)

    assert client.piece() == b"\0"
