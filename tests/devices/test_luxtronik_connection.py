"""How the heat pump driver treats its connection: one, kept open, and seldom opened anew."""

import socket
from collections.abc import Iterator

import pytest

from agent.clock import Deadline
from agent.devices.links.link import Link
from agent.devices.links.tcp import LookUp, tcp_opener
from agent.devices.luxtronik import Options
from agent.devices.luxtronik.driver import Luxtronik
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.luxtronik import LuxtronikSimulator
from tests.devices.luxtronik_replay import Replay, answers
from tests.fakes import FakeClock

TIMEOUT_S = 5.0


@pytest.fixture
def pump() -> Iterator[LuxtronikSimulator]:
    with LuxtronikSimulator() as simulator:
        yield simulator


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def driver(pump: LuxtronikSimulator, clock: FakeClock) -> Iterator[Luxtronik]:
    made = waiting(pump, clock)
    yield made
    made.close()


def waiting(pump: LuxtronikSimulator, clock: FakeClock, timeout_s: float = TIMEOUT_S) -> Luxtronik:
    """A driver that waits on the clock of the test."""
    options = Options("127.0.0.1", pump.port)
    return Luxtronik(options, timeout_s, monotonic_s=clock.monotonic, wait=clock.advance)


def test_one_connection_serves_all_polls(pump: LuxtronikSimulator, driver: Luxtronik) -> None:
    for _ in range(3):
        driver.read()

    assert pump.connections == 1
    assert pump.requests == [3004, 3003, 3005] * 3


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(
    pump: LuxtronikSimulator, driver: Luxtronik, clock: FakeClock
) -> None:
    driver.read()
    clock.advance(10)
    pump.restart()

    values = driver.read()

    assert len(values) > 1000
    assert pump.connections == 2


def test_in_one_read_a_connection_is_opened_anew_once(
    pump: LuxtronikSimulator, driver: Luxtronik, clock: FakeClock
) -> None:
    driver.read()
    clock.advance(10)
    pump.set_fault("restart")

    with pytest.raises(DeviceError, match="closed the connection without an answer"):
        driver.read()

    assert pump.connections == 2


def test_a_young_connection_that_was_closed_is_opened_anew_when_it_is_ten_seconds_old(
    pump: LuxtronikSimulator, clock: FakeClock
) -> None:
    driver = waiting(pump, clock, 60.0)
    driver.read()
    opened_s = clock.monotonic()
    clock.advance(5)
    pump.restart()

    values = driver.read()

    driver.close()
    assert len(values) > 1000
    assert clock.monotonic() == opened_s + 10
    assert pump.connections == 2


def test_a_young_connection_is_not_opened_anew_where_there_is_no_time_to_wait(
    pump: LuxtronikSimulator, driver: Luxtronik, clock: FakeClock
) -> None:
    driver.read()
    clock.advance(5)
    pump.restart()

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value) == (
        f"reading {pump.address} (calculations): the controller closed the connection without an "
        "answer; raise interval_s to 10 or more"
    )
    assert caught.value.reason is Reason.UNREACHABLE
    assert pump.connections == 1


def test_it_really_waits(pump: LuxtronikSimulator, clock: FakeClock) -> None:
    options = Options("127.0.0.1", pump.port)
    driver = Luxtronik(options, TIMEOUT_S, monotonic_s=clock.monotonic)
    driver.read()
    clock.advance(9.7)
    pump.restart()
    deadline = Deadline(60.0)
    began_s = deadline.left_s()

    driver.read()

    driver.close()
    assert began_s - deadline.left_s() >= 0.3


def test_a_connection_that_is_closed_in_an_answer_is_not_opened_anew(
    pump: LuxtronikSimulator, driver: Luxtronik, clock: FakeClock
) -> None:
    driver.read()
    clock.advance(100)
    pump.set_fault("half-close")

    with pytest.raises(DeviceError, match=r"after \d+ of 1100 bytes"):
        driver.read()

    assert pump.connections == 1


def test_after_an_error_the_next_read_has_a_new_connection(
    pump: LuxtronikSimulator, driver: Luxtronik
) -> None:
    driver.read()
    pump.set_fault("wrong-command")
    with pytest.raises(DeviceError):
        driver.read()
    pump.set_fault(None)

    driver.read()

    assert pump.connections == 2


def test_an_error_closes_the_link() -> None:
    link = Replay({})
    driver = Luxtronik(Options("pump"), TIMEOUT_S, lambda _: link)

    with pytest.raises(DeviceError):
        driver.read()

    assert link.is_closed


def test_a_request_is_sent_only_when_nothing_is_unread() -> None:
    class Chatty(Replay):
        def receive_now(self, limit: int) -> bytes:
            return b"\1\2" if self.sent else b""

    link = Chatty(answers(range(200)))
    driver = Luxtronik(Options("pump"), TIMEOUT_S, lambda _: link)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value) == (
        "reading pump:8889 (parameters): wanted silence before a request, got 01 02"
    )
    assert link.sent.hex() == "00000bbc00000000"


def test_the_next_request_waits_for_the_whole_answer() -> None:
    events: list[str] = []

    class Told(Replay):
        def send(self, data: bytes, deadline: Deadline) -> None:
            events.append(f"ask {int.from_bytes(data[:4])}")
            super().send(data, deadline)

        def receive(self, limit: int, deadline: Deadline) -> bytes:
            data = super().receive(limit, deadline)
            events.append("last" if not self._left else "piece")
            return data

    link = Told(answers(range(200)), 500)
    Luxtronik(Options("pump"), TIMEOUT_S, lambda _: link).read()

    asked = [at for at, event in enumerate(events) if event.startswith("ask")]
    assert [events[at] for at in asked] == ["ask 3004", "ask 3003", "ask 3005"]
    assert [events[at - 1] for at in asked[1:]] == ["last", "last"]


def test_a_refused_connection_names_the_other_port_and_other_programs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    driver = Luxtronik(Options("127.0.0.1", port), TIMEOUT_S)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value) == (
        f"connecting to 127.0.0.1:{port}: connection refused: older controllers listen at 8888, "
        "newer at 8889; or another program may hold its only connection"
    )
    assert caught.value.reason is Reason.REFUSED


@pytest.mark.parametrize(("timeout_s", "within_s"), [(60.0, 5.0), (2.0, 2.0)])
def test_connecting_may_take_five_seconds_of_the_time_out(
    timeout_s: float, within_s: float
) -> None:
    asked = []

    def open_link(deadline: Deadline) -> Link:
        asked.append(deadline.timeout_s)
        raise TimeoutError("timed out")

    with pytest.raises(DeviceError) as caught:
        Luxtronik(Options("pump"), timeout_s, open_link).read()

    assert asked[0] == pytest.approx(within_s, abs=0.1)
    assert str(caught.value) == (
        f"connecting to pump:8889: no connection within {within_s:g} s; "
        "check host, network and firewall"
    )
    assert caught.value.reason is Reason.TIMEOUT


def test_a_stall_in_an_answer_says_what_came(pump: LuxtronikSimulator) -> None:
    pump.set_fault("stall")
    driver = Luxtronik(Options("127.0.0.1", pump.port), 0.2)

    with pytest.raises(DeviceError, match=r"\(calculations\): no answer within 0.2 s, wanted 1100"):
        driver.read()


def test_a_second_program_is_waited_for(pump: LuxtronikSimulator, driver: Luxtronik) -> None:
    other = tcp_opener(LookUp("127.0.0.1", pump.port))(Deadline(TIMEOUT_S))
    other.send(bytes.fromhex("00000BBC00000000"), Deadline(TIMEOUT_S))
    other.receive(1, Deadline(TIMEOUT_S))
    pump.set_fault("second-queued")
    hasty = Luxtronik(Options("127.0.0.1", pump.port), 0.2)

    with pytest.raises(DeviceError, match="wanted 4 bytes, got none"):
        hasty.read()
    other.close()

    assert len(driver.read()) > 1000


@pytest.mark.parametrize("fault", ["odd-pieces", "borders", "pieces:0", "limits", "status"])
def test_it_reads_on_in_spite_of(pump: LuxtronikSimulator, driver: Luxtronik, fault: str) -> None:
    pump.freeze()
    before = driver.read()
    pump.set_fault(fault)

    after = driver.read()

    assert list(after) == list(before)
    assert fault == "limits" or after == before
