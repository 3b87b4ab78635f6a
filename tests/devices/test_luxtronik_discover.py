"""Heat pump controllers are found by asking a port, and by calling out on the network."""

import socket
from ipaddress import IPv4Network

import pytest

from agent.devices.contract import BroadcastProbe, TcpProbe
from agent.devices.luxtronik import KIND, Options
from agent.devices.luxtronik.discover import (
    CALL,
    find_by_broadcast,
    find_by_port,
    parse_call_answer,
)
from agent.errors import DeviceError
from hw_sim.luxtronik import LuxtronikSimulator
from tests.devices.flood import Flood

TIMEOUT_S = 2.0
SHORT_S = 0.3
CALL_S = 0.8  # half of it is for the call
HERE = IPv4Network("127.0.0.1/32")
FACTS = {"firmware": "V3.90.1", "heat pump type": "MSW4-16", "values": "275"}


def test_a_controller_is_found_at_its_port() -> None:
    with LuxtronikSimulator() as pump:
        found = find_by_port("127.0.0.1", pump.port, TIMEOUT_S)

        assert found is not None
        assert (found.where, found.facts, found.note) == (pump.address, FACTS, "")
        assert Options(**found.options) == Options("127.0.0.1", pump.port)
        assert pump.requests == [3004]


def test_nothing_is_found_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert find_by_port("127.0.0.1", port, TIMEOUT_S) is None


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", bytes(100), b"\0\0\x0b"])
def test_another_service_is_no_controller(answer: bytes) -> None:
    with Flood((answer,), answer) as other:
        host, port = other.address.split(":")

        assert find_by_port(host, int(port), SHORT_S) is None


def test_a_port_that_keeps_silent_is_no_controller() -> None:
    with LuxtronikSimulator() as pump:
        pump.set_fault("silent")

        assert find_by_port("127.0.0.1", pump.port, SHORT_S) is None


@pytest.mark.parametrize("fault", ["stall", "half-close", "wrong-count"])
def test_a_controller_that_cant_be_read_is_an_error(fault: str) -> None:
    with LuxtronikSimulator() as pump:
        pump.set_fault(fault)

        with pytest.raises(DeviceError, match=f"reading {pump.address}: "):
            find_by_port("127.0.0.1", pump.port, SHORT_S)


@pytest.mark.parametrize(
    ("answer", "port"), [("2500;111;8888;", 8888), ("2500;111;;x\0", 8889), ("2500;111;22;", 8889)]
)
def test_who_answers_the_call_is_found_at_a_port_that_controllers_have(
    answer: str, port: int
) -> None:
    with LuxtronikSimulator(discovery_port=0, discovery_answer=answer) as pump:
        (found,) = find_by_broadcast(HERE, CALL_S, (pump.discovery_port,))

        assert (found.where, dict(found.facts)) == (f"127.0.0.1:{port}", {})
        assert dict(found.options) == {"host": "127.0.0.1", "port": port}
        other = {8888: 8889, 8889: 8888}[port]
        assert found.note == f"it answered the call, but not at port {port}; try port {other}"
        assert pump.connections == 0


def test_a_controller_that_answers_the_call_twice_is_found_once() -> None:
    with LuxtronikSimulator(discovery_port=0) as pump:
        found = find_by_broadcast(HERE, CALL_S, (pump.discovery_port,) * 2)

        assert len(found) == 1


def test_who_answers_from_outside_of_the_network_is_not_found() -> None:
    with LuxtronikSimulator(discovery_port=0) as pump:
        everybody_here = IPv4Network("0.0.0.0/32")  # the answer comes from 127.0.0.1

        assert find_by_broadcast(everybody_here, CALL_S, (pump.discovery_port,)) == []


def test_without_an_answer_nothing_is_found() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))

        assert find_by_broadcast(HERE, CALL_S, (deaf.getsockname()[1],)) == []
        assert deaf.recv(100) == CALL


@pytest.mark.parametrize(
    ("data", "port"),
    [
        (b"2500;111;8889;", 8889),
        (b"2500;111;8888;abc;\0", 8888),
        (b"2500;111;;", 8889),
        (b"2500;111;", 8889),
        (b"2500;111;0;", 8889),
        (b"2500;111;65536;", 8889),
        (b"2500;111;22;", 8889),
        (b"2500;111;08888;", 8889),
        (b"2500;111;-5;", 8889),
        (b"2500;111;\xb2;", 8889),
        (b"2500;111;1e3;", 8889),
        (CALL, None),
        (b"2500;112;8889;", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_the_port_is_taken_from_the_answer(data: bytes, port: int | None) -> None:
    assert parse_call_answer(data) == port


def test_the_kind_has_both_ways_of_being_found() -> None:
    tcp, call = KIND.probes

    with LuxtronikSimulator() as pump:
        assert isinstance(tcp, TcpProbe)
        assert (tcp.ports, tcp.pause_s) == ((8889, 8888), 10.0)
        assert tcp.probe(pump.host, pump.port, TIMEOUT_S) is not None
    assert isinstance(call, BroadcastProbe)
    assert call.probe(HERE, SHORT_S) == []
