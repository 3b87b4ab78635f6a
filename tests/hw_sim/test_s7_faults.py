"""Each fault of the simulated PLC does what its line of help says."""

import errno
import threading
from collections.abc import Iterator

import pytest

from hw_sim.s7 import FAULTS, S7Simulator
from tests.hw_sim.raw_s7 import CONFIRM, CONNECT, DB1_IS, READ_DB1, RawClient, item, wanted


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with S7Simulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def client(plc: S7Simulator) -> Iterator[RawClient]:
    with RawClient(plc.port) as raw:
        yield raw.set_up()


@pytest.mark.parametrize("fault", FAULTS)
def test_after_every_fault_new_connections_are_served_again(plc: S7Simulator, fault: str) -> None:
    plc.set_fault(fault)

    plc.set_fault(None)

    with RawClient(plc.port) as client:
        assert client.set_up().ask(READ_DB1) == wanted(DB1_IS)
    assert plc.fault is None


@pytest.mark.parametrize("fault", FAULTS)
def test_stop_waits_for_no_fault(fault: str) -> None:
    before = set(threading.enumerate())
    plc = S7Simulator()
    plc.start()
    with RawClient(plc.port) as client:
        client.set_up()
        plc.set_fault(f"{fault}:3600" if fault in ("delay", "pieces", "trickle") else fault)
        if fault != "refuse":
            client.send(READ_DB1)

        plc.stop()

    assert set(threading.enumerate()) == before


def test_refuse_drops_sessions_and_keeps_the_port(plc: S7Simulator, client: RawClient) -> None:
    plc.set_fault("refuse")

    assert client.rest() == b""
    with pytest.raises(ConnectionRefusedError):
        RawClient(plc.port)


def test_a_fault_can_be_set_before_start() -> None:
    plc = S7Simulator()
    plc.set_fault("refuse")

    with plc, pytest.raises(OSError) as caught:
        RawClient(plc.port)

    assert caught.value.errno == errno.ECONNREFUSED


def test_blackhole_answers_not_even_a_connect(plc: S7Simulator) -> None:
    plc.set_fault("blackhole")

    with RawClient(plc.port) as client:
        client.send(CONNECT)

        assert client.is_quiet()


def test_full_refuses_the_iso_connection(plc: S7Simulator) -> None:
    plc.set_fault("full")

    with RawClient(plc.port) as client:
        assert client.ask(CONNECT) == "03 00 00 0b 06 80 00 01 00 00 00"
        assert client.rest() == b""


def test_silent_connects_but_answers_no_request(plc: S7Simulator) -> None:
    plc.set_fault("silent")

    with RawClient(plc.port) as client:
        client.set_up()
        client.send(READ_DB1)

        assert client.is_quiet()


def test_drop_closes_without_an_answer(plc: S7Simulator, client: RawClient) -> None:
    plc.set_fault("drop:2")

    first = client.ask(READ_DB1)
    client.send(READ_DB1)

    assert first == wanted(DB1_IS)
    assert client.rest() == b""


def test_half_close_sends_half_an_answer(plc: S7Simulator, client: RawClient) -> None:
    plc.set_fault("half-close")

    client.send(READ_DB1)

    assert client.rest() == bytes.fromhex(DB1_IS)[:18]


@pytest.mark.parametrize("fault", ["pieces:0.0001", "trickle:0.0001", "delay:0.0001"])
def test_slow_answers_are_whole_in_the_end(plc: S7Simulator, fault: str) -> None:
    plc.set_fault(fault)

    with RawClient(plc.port) as client:
        answers = client.ask(CONNECT), client.set_up().ask(READ_DB1)

    assert answers == (wanted(CONFIRM), wanted(DB1_IS))


@pytest.mark.parametrize("fault", ["delay:3600", "trickle:3600", "pieces:3600"])
def test_what_waits_goes_on_when_the_fault_ends(
    plc: S7Simulator, client: RawClient, fault: str
) -> None:
    plc.set_fault(fault)
    client.send(READ_DB1)

    plc.set_fault(None)

    assert client.packet() == wanted(DB1_IS)


def test_garbage_is_noise_that_the_seed_repeats() -> None:
    heard = []
    for _ in range(2):
        with S7Simulator(seed=7) as plc, RawClient(plc.port) as client:
            client.set_up()
            plc.set_fault("garbage")
            client.send(READ_DB1)
            noise = client.first()
            plc.set_fault("drop")
            client.send(READ_DB1)
            heard.append(noise + client.rest())

    assert heard[0] == heard[1] != bytes.fromhex(DB1_IS)


def test_garbled_is_noise_in_a_correct_frame(plc: S7Simulator, client: RawClient) -> None:
    plc.set_fault("garbled")

    answer = bytes.fromhex(client.ask(READ_DB1))

    assert int.from_bytes(answer[2:4]) == len(answer)
    assert answer[4:7] != bytes.fromhex("02 F0 80")


def test_wrong_sequence_changes_only_that(plc: S7Simulator, client: RawClient) -> None:
    plc.set_fault("wrong-sequence")

    actual = client.ask(READ_DB1)

    assert actual == wanted(DB1_IS.replace("32 03 00 00 00 02", "32 03 00 00 00 03"))


@pytest.mark.parametrize(
    ("fault", "bits"), [("wrong-length", "00 80"), ("wrong-length:-4", "00 40")]
)
def test_wrong_length_states_more_or_less_than_it_carries(
    plc: S7Simulator, client: RawClient, fault: str, bits: str
) -> None:
    plc.set_fault(fault)

    actual = client.ask(READ_DB1)

    assert actual == wanted(DB1_IS.replace("FF 04 00 60", f"FF 04 {bits}"))


@pytest.mark.parametrize(
    ("fault", "told"), [("wrong-pdu", 0), ("wrong-pdu:65535", 65535), ("pdu240", 240)]
)
def test_pdu_faults_meet_new_connections(plc: S7Simulator, fault: str, told: int) -> None:
    plc.set_fault(fault)

    with RawClient(plc.port) as client:
        client.set_up()

    assert plc.pdus_agreed == [told]


def test_a_pdu_of_240_is_also_kept_to(plc: S7Simulator) -> None:
    plc.set_fault("pdu240")
    plc.set_bytes(4, 0, bytes(300))

    with RawClient(plc.port) as client:
        assert client.set_up().items(item(4, 0, 223)) == "85 00"


@pytest.mark.parametrize(
    ("fault", "answer"),
    [("put-get-off", "81 04"), ("access-denied", "03 00 00 00"), ("missing-db", "0a 00 00 00")],
)
def test_refusals_are_those_of_a_plc(
    plc: S7Simulator, client: RawClient, fault: str, answer: str
) -> None:
    plc.set_fault(fault)

    assert client.items(item(1, 0, 12)) == answer


def test_a_stopped_cpu_answers_with_frozen_values() -> None:
    now = [0.0]
    with S7Simulator(clock=lambda: now[0]) as plc, RawClient(plc.port) as client:
        client.set_up()
        plc.set_fault("stop")
        now[0] += 10
        stopped = client.items(item(1, 0, 4))
        plc.set_fault(None)
        now[0] += 1
        running = client.items(item(1, 0, 4))

    assert stopped == "ff 04 00 20 00 01 e2 40"
    assert running == "ff 04 00 20 00 01 e2 44"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("delya", "no fault 'delya': did you mean 'delay'?"),
        ("zzz", "no fault 'zzz': known are refuse, "),
        ("stop:1", "fault 'stop' has no argument, got '1'"),
        ("delay:soon", "fault 'delay' takes a number 0 to 86400, got 'soon'"),
        ("delay:nan", "fault 'delay' takes a number 0 to 86400, got 'nan'"),
        ("wrong-pdu:65536", "fault 'wrong-pdu' takes a number 0 to 65535, got '65536'"),
    ],
)
def test_an_unknown_fault_is_refused_with_what_to_say_instead(
    plc: S7Simulator, fault: str, text: str
) -> None:
    with pytest.raises(ValueError) as caught:
        plc.set_fault(fault)

    assert str(caught.value).startswith(text)
