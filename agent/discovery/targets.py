"""From what a user names to single addresses, none of which was not meant."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs

from agent.clock import Deadline
from agent.config.options import HostName
from agent.devices.links.tcp import LookUp, is_interface, numeric
from agent.discovery.addresses import (
    PRIVATE,
    Address,
    Network,
    is_nobody,
    is_private,
    is_within,
    parse_address,
    split_port,
)
from agent.discovery.networks import Interface
from agent.discovery.wish import OWN_NETWORKS, Wish
from agent.errors import ConfigError

USUAL_LIMIT: Final = 1 << 10  # addresses of all ranges of a search, a /22 in IPv4
LARGE_LIMIT: Final = 1 << 16
AROUND: Final = 24  # of a network that is too large, the bits that the own neighbourhood shares
LOOK_UP_S: Final = 5.0
RANGE: Final = re.compile(r"[0-9A-Fa-f:.]+/[0-9.]+")
Resolve = Callable[[str], Sequence[str]]  # a name's addresses


@attrs.frozen
class Target:
    """One address to ask.

    Args:
        address: Numeric.
        name: As the user called it; empty where that is the address.
        ports: Those that the user named.
        is_general: Whether to ask at the ports that devices usually have.
        is_single: Whether the user named it, and not a range that it is in.
    """

    address: str
    name: str = ""
    ports: tuple[int, ...] = ()
    is_general: bool = True
    is_single: bool = False

    @property
    def called(self) -> str:
        """How the user knows it."""
        return self.name or self.address


@attrs.frozen
class Plan:
    """What is to be asked; ``broadcasts`` are the networks that are called out on."""

    targets: Sequence[Target] = ()
    networks: Sequence[str] = ()
    broadcasts: Sequence[ipaddress.IPv4Network] = ()
    warnings: Sequence[str] = ()


def make_plan(wish: Wish, interfaces: Sequence[Interface], resolve: Resolve) -> Plan:
    """Every address once, in the order in which they were named.

    Raises:
        ConfigError: A word is no address, or leads further than allowed.
    """
    return _Planner(wish, interfaces, resolve).plan()


def look_up(name: str) -> Sequence[str]:
    """The addresses of a name.

    Raises:
        OSError, ValueError: There are none, or not in time.
    """
    found = LookUp(name, 0).addresses(Deadline(LOOK_UP_S))
    return list(dict.fromkeys(numeric(address) for *_, address in found))


def is_searchable(interface: Interface) -> bool:
    """Whether its network is searched as one of the machine's own, at least in part."""
    return (
        interface.is_connected
        and not interface.is_loopback
        and interface.network.prefixlen <= 30
        and not interface.why_not
        and any(is_within(interface.network, each) for each in PRIVATE)
    )


class _Planner:
    def __init__(self, wish: Wish, interfaces: Sequence[Interface], resolve: Resolve) -> None:
        self._wish = wish
        self._interfaces = interfaces
        self._resolve = resolve
        self._targets: dict[str, Target] = {}
        self._networks: list[str] = []
        self._broadcasts: dict[ipaddress.IPv4Network, None] = {}
        self._warnings: list[str] = []
        self._limit = LARGE_LIMIT if wish.is_large else USUAL_LIMIT
        self._ranged = 0  # addresses that no word names alone

    def plan(self) -> Plan:
        for word in self._wish.addresses:
            if RANGE.fullmatch(word):
                self._add_range(word)
            else:
                self._add_address(word)
        for word in self._wish.subnets:
            if word == OWN_NETWORKS:
                self._add_own_networks()
            else:
                self._add_range(word)
        if len(self._targets) > LARGE_LIMIT:
            text = f"found {len(self._targets)} addresses, allowed: {LARGE_LIMIT} at a time"
            raise ConfigError(text)
        return Plan(
            list(self._targets.values()),
            self._networks,
            list(self._broadcasts),
            self._warnings,
        )

    def _add(self, target: Target) -> None:
        known = self._targets.get(target.address, target)
        self._targets[target.address] = Target(
            target.address,
            known.name or target.name,
            tuple(dict.fromkeys((*known.ports, *target.ports))),
            known.is_general or target.is_general,
            known.is_single or target.is_single,
        )

    def _add_address(self, word: str) -> None:
        host, port = split_port(word)
        address = parse_address(host)
        if address is not None:
            self._check_single(word, address)
            _check_scope(word, address)
            self._add(Target(str(address), "", port, not port, is_single=True))
            return
        if not HostName().allows(host):
            hint = HostName().hint(host).partition(";")[0]
            allowed = "an address, a name, host:port, or a range such as 192.168.1.0/24"
            raise ConfigError(f"found {word!r}, allowed: {allowed}{hint}")
        try:
            found = self._resolve(host)
        except (OSError, ValueError) as exc:
            why = getattr(exc, "strerror", None) or exc
            self._warnings.append(f"{host}: the name is not known: {why}")
            return
        addresses = [each for each in map(parse_address, found) if each is not None]
        allowed_ones = [each for each in addresses if self._is_allowed(each)]
        if not allowed_ones:
            self._check_single(f"{host} ({', '.join(map(str, addresses))})", addresses[0])
        self._add(Target(str(allowed_ones[0]), host, port, not port, is_single=True))

    def _is_allowed(self, address: Address) -> bool:
        return not is_nobody(address) and (self._wish.is_public or is_private(address))

    def _check_single(self, word: str, address: Address) -> None:
        if is_nobody(address):
            raise ConfigError(f"found {word}, allowed: the address of one device")
        if not self._is_allowed(address):
            raise ConfigError(
                f"{word} is not in a private network (10.x, 172.16-31.x, 192.168.x): "
                "devices of others are not to be asked; if it is yours, add --public"
            )

    def _add_range(self, word: str) -> None:
        try:
            network = ipaddress.ip_network(word if "/" in word else "", strict=False)
        except ValueError:
            allowed = "a range such as 192.168.1.0/24; addresses stand in front of --subnet"
            raise ConfigError(f"found {word!r}, allowed: {allowed}") from None
        is_inside = any(is_within(network, private) for private in PRIVATE)
        if not is_inside and not self._wish.is_public:
            raise ConfigError(
                f"{word} has addresses outside of private networks (10.x, 172.16-31.x, "
                "192.168.x): devices of others are not to be asked; if all are yours, add --public"
            )
        if is_nobody(network.network_address) or is_nobody(_last(network)):
            raise ConfigError(f"found {word!r}, allowed: a range of addresses of devices")
        self._check_size(word, network)
        self._add_network(network, word)

    def _check_size(self, word: str, network: Network) -> None:
        size = network.num_addresses
        if size > LARGE_LIMIT:
            smaller = "a /16 or smaller" if network.version == 4 else "a /112 or smaller"
            raise ConfigError(f"{word} has {size:,} addresses, allowed: {smaller}")
        if size > self._limit:
            raise ConfigError(
                f"{word} has {size:,} addresses: a search of it takes long and can be seen by "
                "everybody in it; name a /22 or smaller, or add --large"
            )
        total = self._ranged + self._new_in(network)
        if total > self._limit and self._wish.is_large:
            raise ConfigError(f"found {total} addresses, allowed: {LARGE_LIMIT} at a time")
        if total > self._limit:
            raise ConfigError(
                f"with {word} it is {total:,} addresses: a search of them takes long and can be "
                f"seen by everybody; name ranges of {USUAL_LIMIT:,} in all, or add --large"
            )

    def _new_in(self, network: Network) -> int:
        """How many addresses a network adds to those of the search."""
        return sum(str(address) not in self._targets for address in network.hosts())

    def _add_network(self, network: Network, called: str) -> None:
        self._ranged += self._new_in(network)
        for address in network.hosts():  # neither the network's own nor the broadcast address
            self._add(Target(str(address)))
        self._networks.append(called)
        for interface in self._interfaces:
            if not interface.is_loopback and is_within(interface.network, network):
                self._add_broadcast(interface.network)

    def _add_broadcast(self, network: ipaddress.IPv4Network) -> None:
        if network.prefixlen < 31:
            self._broadcasts[network] = None

    def _add_own_networks(self) -> None:
        count = len(self._networks)
        for interface in self._interfaces:
            for network in self._own_network(interface):
                self._add_network(network, f"{network} ({interface.name})")
                self._add_broadcast(interface.network)  # one packet, be it as large as it may
        if len(self._networks) == count:
            self._warnings.append(
                "this machine is in no private IPv4 network that could be searched; "
                "name addresses or a range"
            )

    def _own_network(self, interface: Interface) -> Iterator[ipaddress.IPv4Network]:
        network, name = interface.network, interface.name
        if interface.is_loopback or not interface.is_connected or network.prefixlen > 30:
            return
        if not (any(is_within(network, each) for each in PRIVATE)):
            self._warnings.append(
                f"{network} ({name}) was not searched: it is not a private network; "
                "if all of it is yours, name it and add --public"
            )
        elif interface.why_not:
            text = f"{network} ({name}) was not searched: {interface.why_not}; name it to search it"
            self._warnings.append(text)
        elif network.num_addresses > self._limit:
            around = ipaddress.IPv4Network((interface.address, AROUND), strict=False)
            if self._is_too_much(around, name):
                return
            hint = "" if self._wish.is_large else ", or add --large"
            self._warnings.append(
                f"{network} ({name}) has {network.num_addresses:,} addresses: only {around} "
                f"around this machine was searched; name another range{hint}"
            )
            yield around
        elif not self._is_too_much(network, name):
            yield network

    def _is_too_much(self, network: ipaddress.IPv4Network, name: str) -> bool:
        """Whether the networks before it leave no room for it, which is told."""
        is_too_much = self._ranged + self._new_in(network) > self._limit
        if is_too_much:
            hint = "" if self._wish.is_large else ", or add --large"
            self._warnings.append(
                f"{network} ({name}) was not searched: a search has {self._limit:,} addresses at "
                f"most; name it to search it alone{hint}"
            )
        return is_too_much


def _last(network: Network) -> Address:
    """The last address of a network that a device may have."""
    has_broadcast = network.version == 4 and network.prefixlen < 31
    return network.broadcast_address - 1 if has_broadcast else network.broadcast_address


def _check_scope(word: str, address: Address) -> None:
    """A link-local address is one of an interface, and leads nowhere without it."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    scope = address.scope_id
    if scope is not None and not is_interface(scope):
        raise ConfigError(f"found {word!r}, but this machine has no network interface {scope!r}")
    if scope is None and address.is_link_local:
        raise ConfigError(f"found {word!r}, allowed: with its interface, such as {address}%eth0")
