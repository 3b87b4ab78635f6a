"""What is said of addresses that users name, and of those where nobody is."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from agent.devices.contract import TcpProbe
from agent.discovery import Result, Search, Wish
from tests.discovery.fakes import Asked, kind, kinds, lamp, surroundings
from tests.peers import free_port

NOBODY = "127.7.0.1"


@pytest.fixture
def lit() -> Iterator[int]:
    """A port at which 127.7.0.2 accepts connections."""
    with socket.create_server(("127.7.0.2", 0)) as listener:
        yield listener.getsockname()[1]


def search(port: int, wish: Wish) -> Result:
    return Search(kinds(lamp=kind(TcpProbe((port,), Asked(lamp)))), wish, surroundings()).run()


def test_a_closed_port_of_a_named_address_is_told(lit: int) -> None:
    result = search(lit, Wish([NOBODY, f"127.7.0.2:{lit}"]))

    assert result.warnings == [f"{NOBODY}: it is there, but its port is closed: {lit}"]


def test_ports_that_are_named_may_all_have_a_device(lit: int) -> None:
    with socket.create_server(("127.7.0.2", 0)) as other:
        port = other.getsockname()[1]

        result = search(lit, Wish([f"127.7.0.2:{lit}", f"127.7.0.2:{port}"]))

    assert len(result.findings) == 2


def test_each_port_that_is_named_is_answered_for(lit: int) -> None:
    closed = free_port()

    result = search(lit, Wish([f"127.7.0.2:{lit}", f"127.7.0.2:{closed}"]))

    assert len(result.findings) == 1
    assert result.warnings == [f"127.7.0.2: it is there, but its port is closed: {closed}"]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of 127.7.0.3 that neither accepts nor refuses, as behind a firewall."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.7.0.3", 0), backlog=0))
        for _ in range(4):
            queued = stack.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def test_a_named_address_that_does_not_answer_is_told(silent: int) -> None:
    result = search(silent, Wish(["127.7.0.3"], timeout_s=0.05))

    assert result.warnings == [
        f"127.7.0.3: no answer at {silent}; check address, power, cable and firewall"
    ]


def test_an_address_where_nobody_is_gets_one_connection(silent: int) -> None:
    table = "127.7.0.3 0x1 0x0 00:00:00:00:00:00 * eth0\n"
    known = kinds(lamp=kind(TcpProbe((silent, free_port()), Asked(lamp))))
    wish = Wish(["127.7.0.3"], timeout_s=0.05)

    result = Search(known, wish, surroundings(arp_table=table)).run()

    assert result.searched.connects == 1
    assert "nobody in this network has the address" in result.warnings[0]


def test_an_address_that_is_slow_to_answer_the_first_call_is_asked_again(
    silent: int, lit: int
) -> None:
    tables = iter(["127.7.0.3 0x1 0x0 00:00:00:00:00:00 * eth0\n"])
    where = surroundings()
    late = type(where)(
        where.interfaces, where.resolve, where.serial_ports, lambda: next(tables, "")
    )
    probe = Asked(lamp)
    with socket.create_server(("127.7.0.3", lit)):
        known = kinds(lamp=kind(TcpProbe((silent, lit), probe)))

        Search(known, Wish(["127.7.0.3"], timeout_s=0.05), late).run()

    assert probe.calls == [("127.7.0.3", lit)]
