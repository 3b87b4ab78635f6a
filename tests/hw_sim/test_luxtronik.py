"""The simulated heat pump controller, seen by raw bytes: protocol, profiles, physics."""

import socket
import struct
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from hw_sim.cli import main
from hw_sim.luxtronik import (
    CALCULATIONS,
    CAPTURED,
    PARAMETERS,
    PROFILES,
    VISIBILITIES,
    LuxtronikSimulator,
    Write,
)
from hw_sim.luxtronik.conversation import REQUESTS_KEPT, Controller
from hw_sim.luxtronik.faults import Fault
from hw_sim.luxtronik.memory import Memory
from tests.hw_sim.raw_luxtronik import RawClient

MODES = {0: {(0, 0, 0), (2, 1, 8)}, 1: {(0, 0, 5), (2, 1, 8)}, 4: {(4, 0, 7)}, 5: {(1, 0, 1)}}
COUNTERS = (56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 134, 151, 152, 153, 154, 161)


class Time:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pump() -> Iterator[LuxtronikSimulator]:
    with LuxtronikSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def client(pump: LuxtronikSimulator) -> Iterator[RawClient]:
    with RawClient(pump.port) as raw:
        yield raw


@pytest.mark.parametrize(
    ("profile", "counts", "sizes"),
    [
        ("new", (275, 1187, 398), (1112, 4756, 406)),
        ("old", (200, 1086, 336), (812, 4352, 344)),
        ("v1.80", (200, 1086, 336), (812, 4352, 344)),
        ("bench", (268, 1126, 355), (1084, 4512, 363)),
    ],
)
def test_a_profile_has_its_sizes(
    profile: str, counts: tuple[int, ...], sizes: tuple[int, ...]
) -> None:
    with LuxtronikSimulator(profile=profile) as pump, RawClient(pump.port) as client:
        for command, count, size in zip((3004, 3003, 3005), counts, sizes, strict=True):
            answer = client.send(command, 0).receive(size)

            at = 8 if command == 3004 else 4
            assert struct.unpack(">i", answer[:4]) == (command,)
            assert struct.unpack(">i", answer[at : at + 4]) == (count,)
            assert len(answer) == size
        assert client.is_silent()


def test_the_captured_unit_sends_the_heads_that_were_captured() -> None:
    with LuxtronikSimulator(profile="v1.80") as pump, RawClient(pump.port) as client:
        assert client.send(3003, 0).receive(4352)[:8].hex() == "00000bbb0000043e"
        assert client.send(3004, 0).receive(812)[:12].hex() == "00000bbc00000000000000c8"
        assert client.send(3005, 0).receive(344)[:8].hex() == "00000bbd00000150"
        found = dict(enumerate(client.numbers(3004)))
    assert {index: found[index] for index in CAPTURED} == CAPTURED
    assert found[20] == -500
    assert found[91] == -1062721020


def test_one_connection_may_ask_often_and_each_may_have_its_own(pump: LuxtronikSimulator) -> None:
    with RawClient(pump.port) as client:
        together = [client.numbers(command) for command in (3003, 3004, 3005, 3004)]
    apart = []
    for command in (3003, 3004, 3005, 3004):
        with RawClient(pump.port) as client:
            apart.append(client.numbers(command))

    assert apart == together
    assert pump.connections == 5
    assert pump.requests == [3003, 3004, 3005, 3004] * 2


def test_a_request_may_come_in_pieces(pump: LuxtronikSimulator, client: RawClient) -> None:
    client.send(3005).send(0)

    assert client.receive(406)[8:] == bytes(pump.values(VISIBILITIES))


def test_an_unknown_command_is_not_answered_and_costs_nothing(client: RawClient) -> None:
    client.send(3006, 0)

    assert client.is_silent()
    assert len(client.numbers(3004)) == 275


def test_a_write_is_counted_echoed_and_done(pump: LuxtronikSimulator) -> None:
    written: list[Write] = []
    with LuxtronikSimulator(on_write=written.append) as own, RawClient(own.port) as client:
        answer = client.send(3002, 1, -5).receive(8)
        values = client.numbers(3003)

        assert own.write_requests == 1
    assert answer == struct.pack(">ii", 3002, 1)
    assert written == [Write(1, -5)]
    assert values[1] == -5


def test_the_write_of_the_vectors_is_understood() -> None:
    with LuxtronikSimulator() as pump, RawClient(pump.port) as client:
        client.send_bytes(bytes.fromhex("00 00 0B BA 00 00 00 01 FF FF FF FB")).receive(8)

        assert pump.writes == [Write(1, -5)]
        assert pump.values(PARAMETERS)[1] == -5


def test_of_many_requests_the_latest_are_kept_and_all_are_counted() -> None:
    controller = Controller(Memory(PROFILES["old"], 1, 0.0, Time()), None, Fault(""))
    for command in (3004, *(3003,) * REQUESTS_KEPT):
        controller.note(command)

    assert controller.requests == [3003] * 1000
    assert controller.request_count == 1001


def test_a_write_beyond_the_parameters_changes_nothing(
    pump: LuxtronikSimulator, client: RawClient
) -> None:
    before = client.numbers(3003)

    client.send(3002, 5000, 1).receive(8)

    assert client.numbers(3003) == before
    assert pump.write_requests == 1


def test_values_can_be_set(pump: LuxtronikSimulator, client: RawClient) -> None:
    pump.set_value(CALCULATIONS, 10, -123)
    pump.set_value(VISIBILITIES, 397, -1)

    assert client.numbers(3004)[10] == -123
    assert client.numbers(3005)[397] == -1
    with pytest.raises(IndexError, match="the table has 275 values, no 275"):
        pump.set_value(CALCULATIONS, 275, 0)


def test_frozen_values_stay_and_thawed_ones_move_on() -> None:
    time = Time()
    pump = LuxtronikSimulator(frozen=True, clock=time)
    before = pump.values(CALCULATIONS)
    time.now += 5000

    frozen = pump.values(CALCULATIONS)
    pump.thaw()
    thawed = pump.values(CALCULATIONS)
    time.now += 60

    assert frozen == thawed == before
    assert pump.values(CALCULATIONS)[134] == before[134] + 60


def test_the_same_seed_gives_the_same_values_and_another_one_others() -> None:
    def values(seed: int) -> list[list[int]]:
        time = Time()
        pump = LuxtronikSimulator(seed=seed, clock=time)
        return [
            pump.values(table)
            for _ in range(20)
            for table in (CALCULATIONS, PARAMETERS, VISIBILITIES)
            if (time := _later(time))
        ]

    def _later(time: Time) -> Time:
        time.now += 30
        return time

    assert values(1) == values(1)
    assert values(1) != values(2)


def history(profile: str = "new", steps: int = 2500, step_s: float = 17) -> Iterator[list[int]]:
    """Calculations over half a day and more."""
    time = Time()
    pump = LuxtronikSimulator(profile=profile, clock=time)
    for _ in range(steps):
        yield pump.values(CALCULATIONS) + [0] * 100
        time.now += step_s


@pytest.mark.parametrize("profile", ["new", "old"])
def test_the_display_says_what_the_operation_mode_says(profile: str) -> None:
    seen = set()
    for values in history(profile):
        lines = (values[117], values[118], values[119])
        assert lines in MODES[values[80]]
        assert 0 <= values[120] <= 2700
        seen.add(values[80])

    assert seen == set(MODES)


def test_counters_only_rise_and_fit_together() -> None:
    before = [0] * 400
    for values in history():
        assert all(values[index] >= before[index] for index in COUNTERS)
        assert values[56] >= values[57] * 60
        assert values[64] + values[65] <= values[63] == values[56]
        assert values[154] == values[151] + values[152] + values[153]
        before = values


def test_outputs_and_temperatures_fit_the_compressor() -> None:
    for values in history():
        runs = values[44]
        assert runs == (values[80] in (0, 1, 4) and values[117] != 2)
        assert (values[231] > 0) == bool(runs)
        assert values[37] == (values[80] == 4)
        assert 200 <= values[11] <= values[10] + 1 <= 560
        assert 450 <= values[17] <= 530
        assert -100 <= values[15] <= 150
        assert values[180] > values[181] > 0


def test_the_compressor_starts_as_often_as_it_is_counted() -> None:
    starts, before = 0, None
    first = last = 0
    for values in history():
        first = first or values[57]
        last = values[57]
        starts += before == 0 and values[44] == 1
        before = values[44]

    assert starts == last - first > 10


def test_the_last_defrost_is_in_the_past_and_rises() -> None:
    time = Time()
    pump = LuxtronikSimulator(clock=time)
    before = 0
    for _ in range(500):
        last = pump.values(PARAMETERS)[1119]
        now = pump.values(CALCULATIONS)[134]
        assert before <= last <= now < last + 6 * 2700
        before = last
        time.now += 61


def test_it_answers_calls_with_its_port_and_nothing_else() -> None:
    with (
        LuxtronikSimulator(discovery_port=0) as pump,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller,
    ):
        caller.settimeout(5.0)
        caller.sendto(b"2000;111;2;\0", ("127.0.0.1", pump.discovery_port))
        caller.sendto(b"2000;111;1;\0", ("127.0.0.1", pump.discovery_port))

        assert caller.recv(100) == f"2500;111;{pump.port};".encode()
        caller.settimeout(0.05)
        with pytest.raises(TimeoutError):
            caller.recv(100)


def test_help_and_faults_are_shown_on_the_command_line() -> None:
    help_text = CliRunner().invoke(main, ["luxtronik", "--help"])
    faults = CliRunner().invoke(main, ["luxtronik", "--faults"])

    assert help_text.exit_code == 0
    assert "python -m hw_sim luxtronik" in help_text.output
    assert all(profile in help_text.output for profile in PROFILES)
    assert [line.split()[0] for line in faults.output.splitlines()] == list(
        LuxtronikSimulator.FAULTS
    )
