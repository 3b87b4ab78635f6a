"""Between two connections to one controller there is its pause."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from agent.devices.contract import Found, TcpProbe
from agent.discovery.hosts import Hosts
from agent.discovery.notes import Notes
from agent.discovery.pool import Pace
from agent.discovery.targets import Target
from agent.discovery.turns import Turns
from agent.errors import DeviceError
from tests.discovery.fakes import lamp
from tests.fakes import FakeClock
from tests.peers import free_port

HOST = "127.7.2.1"
PAUSE_S = 10.0


class Patience(threading.Event):
    """Waits in no time, on a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(monotonic_s=0.0)

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.advance(timeout or 0.0)
        return False


class Asked:
    """Probes that note when they were asked, and for what port."""

    def __init__(self) -> None:
        self.stop = Patience()
        self.times: list[tuple[str, int, int]] = []

    def probe(self, name: str, answer: Found | DeviceError | None, *ports: int) -> TcpProbe:
        def ask(_host: str, port: int, _timeout_s: float) -> Found | None:
            self.times.append((name, port, round(self.stop.clock.monotonic())))
            if isinstance(answer, DeviceError):
                raise answer
            return answer

        return TcpProbe(ports, ask, PAUSE_S if name == "pump" else 0.0)

    def hosts(self, **probes: TcpProbe) -> Hosts:
        clock = self.stop.clock
        turns = Turns(Pace(1e6, clock, self.stop), clock, self.stop)
        those = {name: [probe] for name, probe in probes.items()}
        return Hosts(those, (0.5, 1.0), turns, self.stop, Notes(), str)


@pytest.fixture
def two() -> Iterator[tuple[int, int]]:
    """Two ports that are open."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(socket.create_server((HOST, 0))) for _ in "12")
        yield first.getsockname()[1], second.getsockname()[1]


def test_there_is_a_pause_before_every_connection_knocks_included(two: tuple[int, int]) -> None:
    asked = Asked()
    pump = asked.probe("pump", DeviceError("busy"), *two)

    asked.hosts(pump=pump).ask(Target(HOST))

    # At 0 and 20 s are the knocks.
    assert asked.times == [("pump", two[0], 10), ("pump", two[1], 30)]


def test_a_port_that_is_closed_needs_no_pause(two: tuple[int, int]) -> None:
    asked = Asked()
    pump = asked.probe("pump", lamp(HOST, two[0]), free_port(), two[0])

    asked.hosts(pump=pump).ask(Target(HOST))

    assert asked.times == [("pump", two[0], 10)]


def test_other_kinds_at_other_ports_do_not_wait(two: tuple[int, int]) -> None:
    asked = Asked()
    pump, lamps = asked.probe("pump", None, two[0]), asked.probe("lamp", None, two[1])

    asked.hosts(pump=pump, lamp=lamps).ask(Target(HOST))

    assert asked.times == [("pump", two[0], 10), ("lamp", two[1], 10)]


@pytest.mark.parametrize(("answer", "then_s"), [(None, 10), (DeviceError("busy"), 20)])
def test_at_a_port_of_nobody_who_needs_a_pause_is_asked_first(
    two: tuple[int, int], answer: DeviceError | None, then_s: int
) -> None:
    asked = Asked()
    lamps = asked.probe("lamp", None, free_port())
    pump = asked.probe("pump", answer, free_port())

    asked.hosts(lamp=lamps, pump=pump).ask(Target(HOST, ports=two[:1], is_general=False))

    assert asked.times == [("pump", two[0], 10), ("lamp", two[0], then_s)]


def test_who_answered_a_call_gets_one_connection_whatever_comes_of_it(
    two: tuple[int, int],
) -> None:
    asked = Asked()
    hosts = asked.hosts(pump=asked.probe("pump", DeviceError("busy"), *two))
    found = Found(HOST, {"host": HOST, "port": two[0]})

    hosts.ask_called("pump", found)
    hosts.ask(Target(HOST))
    hosts.ask(Target(HOST, ports=two, is_single=True))

    assert asked.times == [("pump", two[0], 0)]
