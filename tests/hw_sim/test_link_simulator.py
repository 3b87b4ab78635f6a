"""What all simulators on byte links have in common, on a device that says back what it hears."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from agent.clock import Deadline
from agent.devices.links.link import Link
from agent.devices.links.serial_port import Line, serial_opener
from agent.devices.links.tcp import LookUp, tcp_opener
from hw_sim.entrance import Entrance, SerialEntrance, TcpEntrance
from hw_sim.faults import LINK_FAULTS, TCP_FAULTS, Fault, Known, helps
from hw_sim.link_simulator import LinkSimulator
from hw_sim.serial_line import SerialSession
from hw_sim.tcp import Session

WITHIN_S = 5.0
KNOWN = {**LINK_FAULTS, **TCP_FAULTS, "unplug": Known("gone"), "replug": Known("comes back")}


class Echo(LinkSimulator[Fault]):
    """Remembers what its hook was told."""

    FAULTS = helps(KNOWN)

    def __init__(self, entrance_to: Callable[[Callable[..., None]], Entrance]) -> None:
        super().__init__(entrance_to(self._serve), partial(Fault, known=KNOWN))
        self.applied: list[str] = []

    def _apply_fault(self, fault: Fault) -> None:
        self.applied.append(fault.text)

    def _serve(self, session: Session | SerialSession) -> None:
        number = 0
        while True:
            number += 1
            self.fault_in_force.answer(session.send, session.receive(5), number)


@pytest.fixture(params=["tcp", "serial"])
def echo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Echo]:
    """Not started, over each kind of entrance."""
    if request.param == "tcp":
        made = Echo(lambda serve: TcpEntrance("127.0.0.1", 0, serve))
    else:
        made = Echo(lambda serve: SerialEntrance(tmp_path / "port", serve))
    yield made
    made.stop()


def connect(echo: Echo) -> Link:
    if echo.host:
        return tcp_opener(LookUp(echo.host, echo.port))(Deadline(WITHIN_S))
    return serial_opener(echo.address, Line())(Deadline(WITHIN_S))


def answers(echo: Echo) -> bool:
    """Whether somebody who comes in is served."""
    with closing(connect(echo)) as link:
        link.send(b"hello", Deadline(WITHIN_S))
        got, deadline = b"", Deadline(WITHIN_S)
        while len(got) < 5:
            got += link.receive(5 - len(got), deadline)
    return got == b"hello"


def way_out(echo: Echo) -> str:
    """The fault that closes its entrance."""
    return "refuse" if echo.host else "unplug"


def test_it_is_there_from_start_to_stop_and_once_more(echo: Echo) -> None:
    for _ in range(2):
        echo.start()
        echo.start()
        assert answers(echo)

        echo.stop()
        echo.stop()
        with pytest.raises(OSError):
            connect(echo)


def test_a_fault_set_before_the_start_is_in_force_after_it(echo: Echo) -> None:
    echo.set_fault(way_out(echo))

    echo.start()

    with pytest.raises(OSError):
        connect(echo)
    assert echo.fault == way_out(echo)


def test_its_entrance_opens_again_when_the_fault_ends(echo: Echo) -> None:
    echo.start()
    echo.set_fault(way_out(echo))

    echo.set_fault(None)

    assert answers(echo)
    assert echo.fault is None


def test_whatever_waits_for_the_former_fault_goes_on(echo: Echo) -> None:
    echo.set_fault("delay:3600")
    former = echo.fault_in_force

    echo.set_fault("silent")

    former.wait(3600)
    assert former.is_over


def test_the_device_is_told_of_each_fault_and_of_its_end(echo: Echo) -> None:
    echo.set_fault("drop:2")
    echo.set_fault(None)

    assert echo.applied == ["drop:2", ""]


def test_an_unknown_fault_leaves_the_one_in_force(echo: Echo) -> None:
    echo.set_fault("silent")

    with pytest.raises(ValueError, match="did you mean 'silent'"):
        echo.set_fault("silnt")

    assert echo.fault == "silent"
    assert not echo.fault_in_force.is_over


def test_a_port_comes_back_after_replug(tmp_path: Path) -> None:
    with Echo(lambda serve: SerialEntrance(tmp_path / "port", serve)) as echo:
        before = (tmp_path / "port").readlink()
        with closing(connect(echo)):  # a port that is open keeps its name
            echo.set_fault("replug")

            assert (tmp_path / "port").readlink() != before
        assert answers(echo)


def test_a_port_that_refuses_stays_its_own() -> None:
    with Echo(lambda serve: TcpEntrance("127.0.0.1", 0, serve)) as echo:
        echo.set_fault("refuse")

        with socket.socket() as other, pytest.raises(OSError):
            other.bind((echo.host, echo.port))


@pytest.mark.parametrize(
    ("host", "address"), [("10.0.0.7", "10.0.0.7:5"), ("fe80::1", "[fe80::1]:5")]
)
def test_an_address_tells_host_and_port_apart(host: str, address: str) -> None:
    assert Echo(lambda serve: TcpEntrance(host, 5, serve)).address == address
