"""The search over real sockets of the loopback, with probes that tests write."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from agent.devices.contract import BroadcastProbe, Found, LocalProbe, TcpProbe
from agent.discovery import OWN_NETWORKS, Progress, Search, Wish
from agent.discovery.search import IN_FLIGHT
from agent.errors import ConfigError, DeviceError
from tests.discovery.fakes import Asked, interface, kind, kinds, lamp, surroundings
from tests.peers import free_port


@pytest.fixture
def lit() -> Iterator[int]:
    """A port at which 127.7.0.2 and 127.7.0.9 accept connections."""
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server(("127.7.0.2", 0)))
        port: int = first.getsockname()[1]
        stack.enter_context(socket.create_server(("127.7.0.9", port)))
        yield port


def search(probe: Asked, port: int, wish: Wish, *more: TcpProbe) -> Search:
    return Search(kinds(lamp=kind(TcpProbe((port,), probe), *more)), wish, surroundings())


def test_a_probe_speaks_only_where_its_port_is_open(lit: int) -> None:
    probe = Asked(lamp)

    result = search(probe, lit, Wish(["127.7.0.0/28"])).run()

    assert sorted(probe.calls) == [("127.7.0.2", lit), ("127.7.0.9", lit)]
    assert [each.found.where for each in result.findings] == [
        f"127.7.0.2:{lit}",
        f"127.7.0.9:{lit}",
    ]
    assert result.warnings == []
    searched = result.searched
    assert (searched.addresses, searched.ports, searched.connects) == (14, [lit], 16)
    assert searched.is_complete


def test_nothing_is_asked_over_the_network_unless_it_is_named(lit: int) -> None:
    probe, call = Asked(lamp), Asked(lamp)
    own = interface("127.7.0.1/28")
    calling = BroadcastProbe(
        lambda address, _: [lamp(str(address), call(str(address), 0, 1.0) is None)]
    )
    known = kinds(lamp=kind(TcpProbe((lit,), probe), calling))

    result = Search(known, Wish(), surroundings(own)).run()

    assert (probe.calls, call.calls) == ([], [])
    assert (result.searched.connects, result.findings) == (0, [])


def test_an_address_has_one_connection_at_a_time(lit: int) -> None:
    first, second = Asked(lambda *_: None), Asked(lambda *_: None)
    wish = Wish([f"127.7.0.2:{lit}", "127.7.0.2", "127.7.0.2/32"])
    both = threading.Lock()

    def alone(host: str, port: int, timeout_s: float) -> Found | None:
        assert both.acquire(blocking=False)
        first(host, port, timeout_s)
        second(host, port, timeout_s)
        both.release()
        return None

    result = search(Asked(lambda *_: None), lit, wish, TcpProbe((lit,), alone)).run()

    assert first.calls == [("127.7.0.2", lit)]
    assert result.warnings == [f"127.7.0.2: port {lit} is open, but no known device answered there"]


def test_no_more_than_so_many_are_asked_at_once(lit: int) -> None:
    full = threading.Event()
    hosts = [f"127.7.1.{number}" for number in range(1, 41)]

    def wait(host: str, port: int) -> Found:
        if probe.now >= IN_FLIGHT:
            full.set()
        full.wait(10)
        return lamp(host, port)

    probe = Asked(wait)
    with ExitStack() as stack:
        for host in hosts:
            stack.enter_context(socket.create_server((host, lit)))
        result = search(probe, lit, Wish(["127.7.1.0/26"])).run()

    assert len(result.findings) == len(hosts)
    assert probe.most == IN_FLIGHT


def test_a_device_that_is_found_is_not_looked_for_at_its_other_ports(lit: int) -> None:
    with socket.create_server(("127.7.0.2", 0)) as other:
        port = other.getsockname()[1]
        probe = Asked(lamp)

        known = kinds(lamp=kind(TcpProbe((lit, port), probe)))
        Search(known, Wish(["127.7.0.2"]), surroundings()).run()

    assert probe.calls == [("127.7.0.2", lit)]


def test_a_named_port_is_asked_by_its_owner_alone_and_else_by_all(lit: int) -> None:
    owner, other = Asked(lambda *_: None), Asked(lambda *_: None)
    known = kinds(lamp=kind(TcpProbe((lit,), owner)), fan=kind(TcpProbe((free_port(),), other)))
    with socket.create_server(("127.7.0.2", 0)) as listener:
        port = listener.getsockname()[1]

        wish = Wish([f"127.7.0.2:{lit}", f"127.7.0.2:{port}"])
        Search(known, wish, surroundings()).run()

    assert owner.calls == [("127.7.0.2", lit), ("127.7.0.2", port)]
    assert other.calls == [("127.7.0.2", port)]


def test_a_kind_that_is_not_wanted_is_not_asked_for(lit: int) -> None:
    wanted, other = Asked(lamp), Asked(lamp)
    known = kinds(lamp=kind(TcpProbe((lit,), other)), fan=kind(TcpProbe((lit,), wanted)))

    result = Search(known, Wish(["127.7.0.2"], kinds=["fan"]), surroundings()).run()

    assert (wanted.calls, other.calls) == ([("127.7.0.2", lit)], [])
    assert [each.kind for each in result.findings] == ["fan"]


def test_an_unknown_kind_is_a_fault() -> None:
    with pytest.raises(ConfigError, match="--kind: found 'lmap', did you mean 'lamp'"):
        Search(kinds(lamp=kind()), Wish(kinds=["lmap"]), surroundings())


def test_what_is_there_and_cannot_be_read_is_a_warning(lit: int) -> None:
    def refuse(host: str, port: int) -> Found:
        raise DeviceError(f"reading {host}:{port}: access denied")

    result = search(Asked(refuse), lit, Wish(["127.7.0.2", "127.7.0.9"])).run()

    assert result.warnings == [
        f"reading 127.7.0.2:{lit}: access denied",
        f"reading 127.7.0.9:{lit}: access denied",
    ]


def test_the_faults_of_kinds_that_were_only_tried_are_not_told(lit: int) -> None:
    def refuse(host: str, port: int) -> Found:
        raise DeviceError("it is no lamp")

    probes = [kind(TcpProbe((free_port(),), Asked(refuse))) for _ in range(2)]
    known = kinds(lamp=probes[0], fan=probes[1])

    result = Search(known, Wish([f"127.7.0.2:{lit}"]), surroundings()).run()

    assert result.warnings == [f"127.7.0.2: port {lit} is open, but no known device answered there"]


def test_a_bug_in_one_probe_ends_no_search(lit: int) -> None:
    def fail(host: str, port: int) -> Found:
        if host == "127.7.0.2":
            raise ZeroDivisionError("bug")
        return lamp(host, port)

    result = search(Asked(fail), lit, Wish(["127.7.0.0/28"])).run()

    assert [each.found.where for each in result.findings] == [f"127.7.0.9:{lit}"]
    assert "failed inside the agent: ZeroDivisionError('bug')" in result.warnings[0]


def test_a_device_has_the_name_that_the_user_gave(lit: int) -> None:
    where = surroundings(resolve=lambda _: ["127.7.0.2"])

    result = Search(kinds(lamp=kind(TcpProbe((lit,), lamp_of))), Wish(["lamp.local"]), where).run()

    (found,) = [each.found for each in result.findings]
    assert (found.where, found.options["host"]) == (f"lamp.local:{lit}", "lamp.local")


def lamp_of(host: str, port: int, _: float) -> Found:
    return lamp(host, port)


def test_who_answers_a_call_is_not_asked_again(lit: int) -> None:
    probe = Asked(lamp)
    calling = BroadcastProbe(lambda _address, _timeout_s: [lamp("127.7.0.2", lit)])
    known = kinds(lamp=kind(TcpProbe((lit,), probe), calling))
    where = surroundings(interface("127.7.0.1/28"))

    result = Search(known, Wish(subnets=[OWN_NETWORKS]), where).run()

    assert probe.calls == [("127.7.0.9", lit)]
    assert [(each.way, each.found.where) for each in result.findings] == [
        ("tcp", f"127.7.0.9:{lit}"),
        ("broadcast", f"127.7.0.2:{lit}"),
    ]


def called(host: str, port: int) -> Found:
    """What a call finds of a lamp that has not been asked."""
    return Found(f"{host}:{port}", {"host": host, "port": port}, note="it says nothing")


@pytest.mark.parametrize(("answer", "note"), [(lamp, ""), (lambda *_: None, "it says nothing")])
def test_who_answers_a_call_and_says_nothing_is_asked_once(
    lit: int, answer: Callable[[str, int], Found | None], note: str
) -> None:
    probe = Asked(answer)
    call = BroadcastProbe(lambda *_: [called("127.7.0.2", lit)])
    known = kinds(lamp=kind(TcpProbe((lit, free_port()), probe), call))
    where = surroundings(interface("127.7.0.1/29"))

    result = Search(known, Wish(subnets=[OWN_NETWORKS]), where).run()

    assert probe.calls == [("127.7.0.2", lit)]
    assert [(each.way, each.found.note) for each in result.findings] == [("broadcast", note)]
    assert result.searched.connects == 1 + 1 + 5 * 2


def test_answers_to_a_call_lead_to_nobody_outside_of_the_network(lit: int) -> None:
    probe = Asked(lamp)
    hosts = ("203.0.113.9", "127.7.1.2", "127.7.0.7", "127.7.0.0", "elsewhere")
    call = BroadcastProbe(lambda *_: [called(host, lit) for host in hosts])
    known = kinds(lamp=kind(TcpProbe((lit,), probe), call))
    where = surroundings(interface("127.7.0.1/29"))

    result = Search(known, Wish(subnets=[OWN_NETWORKS]), where).run()

    assert probe.calls == [("127.7.0.2", lit)]
    assert [each.way for each in result.findings] == ["tcp"]


def test_answers_to_a_call_lead_to_no_port_that_devices_lack(lit: int) -> None:
    probe = Asked(lamp)
    call = BroadcastProbe(lambda *_: [called("127.7.0.2", 22)])
    known = kinds(lamp=kind(TcpProbe((lit,), probe), call))
    where = surroundings(interface("127.7.0.1/29"))

    result = Search(known, Wish(subnets=[OWN_NETWORKS]), where).run()

    assert probe.calls == []
    assert [each.found.note for each in result.findings] == ["it says nothing"]


def test_this_machine_is_looked_at_without_being_asked() -> None:
    here = Found("this machine", {}, {"battery": "BAT0"})

    result = Search(kinds(host=kind(LocalProbe(lambda: [here]))), Wish(), surroundings()).run()

    assert [(each.way, each.found) for each in result.findings] == [("local", here)]


def test_ctrl_c_gives_what_was_found_so_far(lit: int) -> None:
    held = threading.Event()

    def hold(host: str, port: int) -> Found:
        if host == "127.7.0.9":
            held.wait(10)
        return lamp(host, port)

    def interrupt(progress: Progress) -> None:
        if progress.found:
            raise KeyboardInterrupt

    result = search(Asked(hold), lit, Wish(["127.7.0.2", "127.7.0.9"])).run(interrupt)
    held.set()

    assert [each.found.where for each in result.findings] == [f"127.7.0.2:{lit}"]
    assert not result.searched.is_complete


def test_a_network_search_without_a_kind_for_it_is_a_fault() -> None:
    known = kinds(host=kind(LocalProbe(list)))

    with pytest.raises(ConfigError, match="none of these kinds is searched for in the network"):
        Search(known, Wish(["127.0.0.1"]), surroundings())
