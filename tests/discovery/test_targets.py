"""From words to addresses: each once, and none that was not meant."""

from collections.abc import Sequence
from ipaddress import IPv4Network

import pytest

from agent.discovery import OWN_NETWORKS, Wish
from agent.discovery.networks import POINT_TO_POINT, RUNNING, UP, Interface
from agent.discovery.targets import Plan, Target, look_up, make_plan
from agent.errors import ConfigError
from tests.discovery.fakes import LO, interface, no_names

NAMES = {
    "plc.local": ["2001:db8::7", "10.0.0.7"],
    "shop.example": ["93.184.216.34"],
    "0x8080808": ["8.8.8.8"],  # as getaddrinfo reads it
}


def names(name: str) -> Sequence[str]:
    return NAMES[name] if name in NAMES else no_names(name)


def plan(
    *addresses: str,
    subnets: Sequence[str] = (),
    interfaces: Sequence[Interface] = (),
    public: bool = False,
    large: bool = False,
) -> Plan:
    wish = Wish(addresses, subnets, is_public=public, is_large=large)
    return make_plan(wish, interfaces, names)


def addresses_of(plan: Plan) -> list[str]:
    return [target.address for target in plan.targets]


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("10.0.0.7", Target("10.0.0.7", is_single=True)),
        ("10.0.0.7:1102", Target("10.0.0.7", "", (1102,), False, True)),
        ("127.0.0.1", Target("127.0.0.1", is_single=True)),
        ("fd00::7", Target("fd00::7", is_single=True)),
        ("[fd00::7]:102", Target("fd00::7", "", (102,), False, True)),
        ("[fd00::7]", Target("fd00::7", is_single=True)),
        ("fe80::7%lo", Target("fe80::7%lo", is_single=True)),
        ("::1/128", Target("::1")),
        ("::ffff:10.0.0.7", Target("10.0.0.7", is_single=True)),
        ("plc.local:102", Target("10.0.0.7", "plc.local", (102,), False, True)),
    ],
)
def test_an_address_is_asked_as_it_is_named(word: str, target: Target) -> None:
    assert plan(word).targets == [target]


def test_a_range_has_neither_its_own_nor_the_broadcast_address() -> None:
    found = plan("192.168.1.9/29")

    assert addresses_of(found) == [f"192.168.1.{number}" for number in range(9, 15)]
    assert found.networks == ["192.168.1.9/29"]
    assert found.broadcasts == []


@pytest.mark.parametrize(("word", "count"), [("10.0.0.4/31", 2), ("10.0.0.4/32", 1)])
def test_the_smallest_ranges_are_all_addresses(word: str, count: int) -> None:
    assert len(plan(word).targets) == count


def test_an_address_that_is_named_twice_is_asked_once_at_all_its_ports() -> None:
    found = plan("10.0.0.7:1102", "plc.local", "10.0.0.7:502", "10.0.0.4/30")

    assert found.targets[0] == Target("10.0.0.7", "plc.local", (1102, 502), True, True)
    assert addresses_of(found) == ["10.0.0.7", "10.0.0.5", "10.0.0.6"]


@pytest.mark.parametrize(
    "word",
    [
        *("8.8.8.8", "100.64.0.1", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0x8080808"),
        *("shop.example:102", "9.255.255.0/24", "0.0.0.0/0", "192.168.0.0/15", "2000::/124"),
    ],
)
def test_what_is_not_private_is_only_asked_when_that_is_said(word: str) -> None:
    with pytest.raises(ConfigError, match="add --public"):
        plan(word)


@pytest.mark.parametrize("word", ["8.8.8.8", "shop.example", "11.0.0.0/30"])
def test_public_addresses_are_asked_when_that_is_said(word: str) -> None:
    assert plan(word, public=True).targets


@pytest.mark.parametrize(
    "word",
    ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "240.0.0.1", "224.0.0.0/24"],
)
def test_what_no_device_can_have_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="allowed: "):
        plan(word, public=True)


def test_a_name_leads_to_its_private_address() -> None:
    assert addresses_of(plan("plc.local")) == ["10.0.0.7"]


def test_a_name_that_nobody_knows_is_a_warning() -> None:
    found = plan("nobody.local", "10.0.0.1")

    assert addresses_of(found) == ["10.0.0.1"]
    assert found.warnings == ["nobody.local: the name is not known: no name nobody.local"]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("http://plc", "without 'http://'"),
        ("10.0.0", "allowed: an address, a name"),
        ("10.0.0.300/24", "allowed: a range"),
        ("10.0.0.0/33", "allowed: a range"),
        ("10.0.0.1:0", "a port from 1 to 65535"),
        ("10.0.0.1:70000", "a port from 1 to 65535"),
        ("", "allowed: an address"),
        ("pl c", "without blanks"),
        ("fe80::1%\xe9", "has no network interface '\xe9'"),
        ("fe80::1%nosuch", "has no network interface 'nosuch'"),
        ("[fe80::1]:102", "allowed: with its interface, such as fe80::1%eth0"),
    ],
)
def test_what_is_no_address_is_refused(word: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        plan(word)


def test_a_large_range_is_only_searched_when_that_is_said() -> None:
    assert len(plan("10.0.0.0/22").targets) == 1022
    with pytest.raises(ConfigError, match=r"2,048 addresses.*add --large"):
        plan("10.0.0.0/21")
    assert len(plan("10.0.0.0/21", large=True).targets) == 2046
    with pytest.raises(ConfigError, match=r"131,072 addresses, allowed: a /16 or smaller"):
        plan("10.0.0.0/15", large=True)
    with pytest.raises(ConfigError, match="allowed: a /112 or smaller"):
        plan("fd00::/64", large=True)


def test_many_ranges_together_have_a_limit_too() -> None:
    with pytest.raises(ConfigError, match="addresses, allowed: 65536 at a time"):
        plan("10.0.0.0/16", "10.1.0.0/24", large=True)


def test_ranges_are_large_together_and_not_each_alone() -> None:
    ranges = [f"10.0.{number * 4}.0/22" for number in range(64)]

    with pytest.raises(ConfigError, match=r"with 10\.0\.4\.0/22 it is 2,044 addresses.*--large"):
        plan(*ranges)
    assert len(plan(*ranges, large=True).targets) == 64 * 1022
    assert len(plan("10.0.0.0/23", "10.0.2.0/23", "10.0.0.0/22").targets) == 1022


def test_addresses_that_are_named_one_by_one_are_not_a_large_range() -> None:
    assert len(plan("10.0.0.0/22", *(f"10.1.0.{n}" for n in range(1, 9))).targets) == 1030


def test_own_networks_that_are_large_together_are_not_all_searched() -> None:
    own = [interface("10.1.0.1/22"), interface("10.2.0.1/22", "eth1"), interface("10.3.0.1/8")]

    found = plan(subnets=[OWN_NETWORKS], interfaces=own)

    assert found.networks == ["10.1.0.0/22 (eth0)"]
    assert len(found.targets) == 1022
    assert [text.partition(":")[0] for text in found.warnings] == [
        "10.2.0.0/22 (eth1) was not searched",
        "10.3.0.0/24 (eth0) was not searched",
    ]


def test_a_name_leads_to_the_interface_of_its_address() -> None:
    assert look_up("fe80::7%lo") == ["fe80::7%lo"]


def test_the_own_networks_are_those_of_connected_interfaces() -> None:
    own = [LO, interface("192.168.1.20/29"), interface("10.9.0.1/30", "eth1", UP)]

    found = plan(subnets=[OWN_NETWORKS], interfaces=own)

    assert addresses_of(found) == [f"192.168.1.{number}" for number in range(17, 23)]
    assert found.networks == ["192.168.1.16/29 (eth0)"]
    assert found.broadcasts == [IPv4Network("192.168.1.16/29")]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (interface("93.184.216.34/24"), "it is not a private network"),
        (interface("10.8.0.2/24", "tun0", UP | RUNNING | POINT_TO_POINT), "it is a tunnel"),
        (interface("172.17.0.1/16", "docker0"), "it is one of containers on this machine"),
    ],
)
def test_other_own_networks_are_left_alone_with_the_reason(own: Interface, why: str) -> None:
    found = plan(subnets=[OWN_NETWORKS], interfaces=[own])

    assert (found.targets, found.broadcasts) == ([], [])
    assert f"was not searched: {why}" in found.warnings[0]


def test_of_a_large_own_network_the_neighbourhood_is_searched() -> None:
    own = [interface("10.1.2.3/8")]

    found = plan(subnets=[OWN_NETWORKS], interfaces=own)

    assert found.networks == ["10.1.2.0/24 (eth0)"]
    assert len(found.targets) == 254
    assert "only 10.1.2.0/24 around this machine was searched" in found.warnings[0]


def test_a_machine_without_a_network_is_told_so() -> None:
    found = plan(subnets=[OWN_NETWORKS], interfaces=[LO, interface("10.0.0.1/32", "wg0")])

    assert found.targets == []
    assert "in no private IPv4 network" in found.warnings[0]


def test_a_call_goes_only_to_own_networks_that_are_searched_whole() -> None:
    own = [interface("10.0.0.2/24"), interface("192.168.7.7/24", "eth1"), LO]

    assert plan("10.0.0.0/28", interfaces=own).broadcasts == []
    assert plan(subnets=["10.0.0.0/23"], interfaces=own).broadcasts == [IPv4Network("10.0.0.0/24")]


def test_a_subnet_has_to_be_a_range() -> None:
    with pytest.raises(ConfigError, match="addresses stand in front of --subnet"):
        plan(subnets=["plc.local"])
