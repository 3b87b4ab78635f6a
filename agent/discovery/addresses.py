"""What an address is, and whether a device may have it."""

import ipaddress
import re
from typing import Final

from agent.errors import ConfigError

PORTED: Final = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<host>[^:\[\]]*)):(?P<port>\d+)")
# RFC 1918, link-local, unique local and loopback. Not ipaddress.is_private, which has more.
PRIVATE: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
        *("fe80::/10", "fc00::/7", "::1/128"),
    )
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_private(address: Address) -> bool:
    """Whether an address is one of home and company networks.

    >>> [is_private(ipaddress.ip_address(a)) for a in ("10.1.2.3", "100.64.0.1", "::ffff:8.8.8.8")]
    [True, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in PRIVATE if network.version == address.version)


def split_port(word: str) -> tuple[str, tuple[int, ...]]:
    """Host and port of ``host:port``, ``[v6]:port`` or a host alone."""
    match = PORTED.fullmatch(word)
    if match is None:
        return word.removeprefix("[").removesuffix("]") if word.startswith("[") else word, ()
    port = int(match["port"])
    if not 1 <= port <= 65535:
        raise ConfigError(f"found {word!r}, allowed: a port from 1 to 65535")
    return match["six"] or match["host"], (port,)


def parse_address(text: str) -> Address | None:
    """One address, each in one form; ``None`` for a name.

    >>> parse_address("::ffff:10.0.0.7")
    IPv4Address('10.0.0.7')
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_host_of(network: ipaddress.IPv4Network, text: str) -> bool:
    """Whether an address is that of a single device in the network.

    >>> lan = ipaddress.IPv4Network("10.0.0.0/24")
    >>> [is_host_of(lan, text) for text in ("10.0.0.7", "10.0.0.255", "10.0.1.7", "8.8.8.8", "x")]
    [True, False, False, False, False]
    """
    address = parse_address(text)
    ends = (network.network_address, network.broadcast_address)
    return address is not None and address in network and address not in ends


def is_nobody(address: Address) -> bool:
    """Whether no single device can have the address."""
    is_this = address in ipaddress.IPv4Network("0.0.0.0/8") if address.version == 4 else False
    is_reserved = address.version == 4 and address.is_reserved
    return address.is_multicast or address.is_unspecified or is_this or is_reserved


def is_within(network: Network, outer: Network) -> bool:
    if isinstance(network, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return network.subnet_of(outer)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return network.subnet_of(outer)
    return False
