"""The search in a network of its own, with every packet written down."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from agent.config import load
from agent.devices import KINDS
from agent.devices.contract import TcpProbe
from agent.discovery.search import IN_FLIGHT
from hw_sim.registry import SIMULATED
from tests.discovery.namespaces import OUTSIDE, STRANGER, Net, Packet, missing, namespaces
from tests.discovery.watch import ACK, FIN, RST, SYN

ROGUE = Path(__file__).parent / "rogue.py"
ADDRESSES = 24  # of the 62 that the network has
LUXTRONIK_CALL = {4444, 47808}  # UDP
NO_NAMESPACES = missing()

pytestmark = pytest.mark.skipif(bool(NO_NAMESPACES), reason=NO_NAMESPACES)


def tcp_ports(kind: str) -> Sequence[int]:
    """Where devices of a kind are looked for."""
    probes = KINDS[kind]().probes
    return [port for probe in probes if isinstance(probe, TcpProbe) for port in probe.ports]


NETWORKED = [kind for kind in SIMULATED if kind in KINDS and tcp_ports(kind)]
KNOWN_PORTS = {port for kind in KINDS for port in tcp_ports(kind)}


@attrs.frozen
class Lan:
    """The network, and where each kind of device is in it."""

    net: Net
    devices: dict[str, str]


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    """A device of each kind, at its real port and an address of its own."""
    with ExitStack() as stack:
        net = stack.enter_context(namespaces(ADDRESSES))
        devices = {}
        for number, kind in enumerate(NETWORKED, 2):
            address, port = net.address(number), tcp_ports(kind)[0]
            words = ("hw_sim", kind, "--host", address, "--port", str(port))
            more = ("--discovery-port", "4444") if kind == "luxtronik" else ()
            stack.enter_context(net.process(net.devices, sys.executable, "-m", *words, *more))
            devices[kind] = f"{address}:{port}"
        yield Lan(net, devices)


@attrs.frozen
class Seen:
    """What one command did."""

    found: dict[str, str]
    warnings: list[str]
    inside: list[Packet]
    outside: list[Packet]


@pytest.fixture(scope="module")
def seen(lan: Lan, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A search of the own networks."""
    net, folder = lan.net, tmp_path_factory.mktemp("agent")
    with net.watched(net.devices, "lan") as inside, net.watched(net.outside, "wan") as outside:
        result = net.run(folder, "discover", "--subnet", "--json")
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    found = {each["kind"]: each["where"] for each in facts["found"]}
    return Seen(found, facts["warnings"], inside, outside)


def test_every_device_of_the_network_is_found(lan: Lan, seen: Seen) -> None:
    found = {kind: where for kind, where in seen.found.items() if kind != "host"}

    assert set(NETWORKED) >= {"s7"}
    assert found == lan.devices


def test_not_a_packet_leaves_the_own_private_network(lan: Lan, seen: Seen) -> None:
    assert seen.outside == []
    assert any(f"{OUTSIDE}.0/30 (wan) was not searched" in text for text in seen.warnings)
    to = {str(each["to"]) for each in seen.inside if each.get("from") == lan.net.address(1)}
    assert to
    assert all(address.startswith(f"{lan.net.lan}.") for address in to)


def test_only_ports_that_devices_have_are_touched(lan: Lan, seen: Seen) -> None:
    sent = [each for each in seen.inside if each.get("from") == lan.net.address(1)]
    tcp = {each["port"] for each in sent if each["protocol"] == "tcp"}
    udp = {each["port"] for each in sent if each["protocol"] == "udp"}
    protocols = {each["protocol"] for each in sent}

    assert tcp == KNOWN_PORTS
    assert udp <= LUXTRONIK_CALL
    assert protocols <= {"tcp", "udp"}


def test_the_networks_own_and_its_broadcast_address_get_no_connection(lan: Lan, seen: Seen) -> None:
    asked = {each["to"] for each in seen.inside if each["protocol"] == "tcp"}

    assert asked.isdisjoint({lan.net.address(0), lan.net.address(63)})
    assert lan.net.address(2) in asked


def test_there_are_never_more_connections_at_once_than_allowed(lan: Lan, seen: Seen) -> None:
    most, most_of_one = most_at_once(seen.inside, lan.net.address(1))

    assert 1 <= most <= IN_FLIGHT
    assert most_of_one == 1


def most_at_once(packets: Sequence[Packet], agent: str) -> tuple[int, int]:
    """How many connections the agent had at once, to all and to one address.

    One begins with its SYN and is over when the agent says so or either side resets it.
    """
    connections: dict[tuple[object, ...], object] = {}
    most = most_of_one = 0
    for each in packets:
        if each["protocol"] != "tcp":
            continue
        flags = each["flags"]
        assert isinstance(flags, int)
        is_agents = each["from"] == agent
        ends = (each["to"], each["port"], each["from_port"])
        key = ends if is_agents else (each["from"], each["from_port"], each["port"])
        if is_agents and flags & SYN and not flags & ACK:
            connections[key] = key[0]
        elif flags & RST or (is_agents and flags & FIN):
            connections.pop(key, None)
        most = max(most, len(connections))
        most_of_one = max([most_of_one, *Counter(connections.values()).values()])
    return most, most_of_one


@pytest.fixture
def quiet() -> Iterator[Net]:
    """A network in which nobody has said anything yet."""
    with namespaces(1) as net:
        yield net


def test_without_arguments_no_packet_is_sent(quiet: Net, tmp_path: Path) -> None:
    net = quiet
    before = net.sent()

    with net.watched(net.devices, "lan") as inside, net.watched(net.outside, "wan") as outside:
        result = net.run(tmp_path, "discover")

    assert result.returncode == 0
    assert "The network was not searched, nothing was sent." in result.stdout
    assert f"{net.lan}.0/26 (lan)" in result.stdout
    assert (inside, outside) == ([], [])
    assert net.sent() == before


@pytest.mark.parametrize(
    "words", [[f"{OUTSIDE}.0/30"], [f"{OUTSIDE}.2"], ["--subnet", "8.8.8.0/28"]]
)
def test_public_ranges_are_refused_before_anything_is_sent(
    quiet: Net, tmp_path: Path, words: list[str]
) -> None:
    net = quiet
    before = net.sent()

    with net.watched(net.outside, "wan") as outside:
        result = net.run(tmp_path, "discover", *words)

    assert result.returncode == 2
    assert "add --public" in result.stderr
    assert (outside, net.sent()) == ([], before)


@pytest.mark.parametrize("is_public", [True, False])
def test_an_answer_to_the_call_leads_neither_outside_nor_to_another_port(
    quiet: Net, tmp_path: Path, *, is_public: bool
) -> None:
    net = quiet
    source = net.stranger() if is_public else net.address(2)
    with (
        net.process(net.devices, sys.executable, str(ROGUE), source, "22") as rogue,
        net.watched(net.devices, "lan") as inside,
        net.watched(net.outside, "wan") as outside,
    ):
        result = net.run(tmp_path, "discover", "--subnet", "--json")
        assert rogue.stdout is not None
        assert rogue.stdout.readline().startswith("answered")

    assert result.returncode == 0, result.stderr
    answers = [each for each in inside if each.get("from") == source and each["protocol"] == "udp"]
    ours = [each for each in inside if each.get("from") == net.address(1)]
    assert answers
    assert outside == []
    assert 22 not in {each.get("port") for each in ours}
    assert STRANGER not in {each.get("to") for each in ours}


def test_what_init_writes_can_be_read(lan: Lan, tmp_path: Path) -> None:
    written = lan.net.run(tmp_path, "init", "--subnet")
    assert written.returncode == 0, written.stderr
    names = {
        device.kind: device.name for device in load(tmp_path / "agent.toml", KINDS, {}).devices
    }

    failed = {
        kind: result.stderr
        for kind, name in names.items()
        if (result := lan.net.run(tmp_path, "read", name)).returncode
    }

    assert set(names) == {"host", *lan.devices}
    assert failed == {}
