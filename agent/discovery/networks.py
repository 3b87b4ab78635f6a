"""The networks that this machine is in, as the kernel lists them; nothing is sent for that."""

import ctypes
import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

IPv4: Final = 2  # AF_INET on every Linux
UP, LOOPBACK, POINT_TO_POINT, RUNNING = 0x1, 0x8, 0x10, 0x40  # source: linux/if.h
# Networks of containers and virtual machines on this very computer.
INSIDE: Final = re.compile(r"docker\d+|br-[0-9a-f]{12}|virbr\d+|lxcbr\d+|lxdbr\d+|hassio")


@attrs.frozen
class Interface:
    """An IPv4 address of this machine, with the network around it."""

    name: str
    address: str
    network: ipaddress.IPv4Network
    flags: int = UP | RUNNING

    @property
    def is_loopback(self) -> bool:
        return bool(self.flags & LOOPBACK)

    @property
    def is_connected(self) -> bool:
        """Whether a cable or a radio link is there."""
        return self.flags & UP != 0 and self.flags & RUNNING != 0

    @property
    def why_not(self) -> str:
        """Why its network is only searched when it is named; empty where it is without that.

        >>> Interface("docker0", "172.17.0.1", ipaddress.IPv4Network("172.17.0.0/16")).why_not
        'it is one of containers on this machine'
        """
        if self.flags & POINT_TO_POINT:
            return "it is a tunnel"
        return "it is one of containers on this machine" if INSIDE.fullmatch(self.name) else ""


class _Address(ctypes.Structure):
    """``struct sockaddr_in``, of which the address is in network order."""

    _fields_ = (
        ("family", ctypes.c_ushort),
        ("port", ctypes.c_ushort),
        ("address", ctypes.c_ubyte * 4),
    )


class _Entry(ctypes.Structure):
    """``struct ifaddrs`` of getifaddrs(3)."""


_Entry._fields_ = (
    ("next", ctypes.POINTER(_Entry)),
    ("name", ctypes.c_char_p),
    ("flags", ctypes.c_uint),
    ("address", ctypes.POINTER(_Address)),
    ("netmask", ctypes.POINTER(_Address)),
    ("broadcast", ctypes.c_void_p),
    ("data", ctypes.c_void_p),
)


def own_interfaces() -> Sequence[Interface]:
    """All IPv4 addresses of this machine, in the kernel's order; empty where it can't be asked."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        first = ctypes.POINTER(_Entry)()
        if library.getifaddrs(ctypes.byref(first)):
            return []
    except (OSError, AttributeError):  # another system than Linux
        return []
    try:
        return list(_listed(first))
    finally:
        library.freeifaddrs(first)


def _listed(entry: "ctypes._Pointer[_Entry]") -> Iterator[Interface]:
    while entry:
        each = entry.contents
        if each.address and each.address.contents.family == IPv4 and each.netmask:
            address = ipaddress.IPv4Address(bytes(each.address.contents.address))
            mask = ipaddress.IPv4Address(bytes(each.netmask.contents.address))
            network = ipaddress.IPv4Network((int(address), str(mask)), strict=False)
            yield Interface(each.name.decode("utf-8", "replace"), str(address), network, each.flags)
        entry = each.next


def is_absent(arp_table: str, address: str) -> bool:
    """Whether the kernel asked the own network for an address and got no answer.

    ``arp_table`` is the content of ``/proc/net/arp``; addresses beyond a router are not in it.

    >>> is_absent("10.0.0.9  0x1  0x0  00:00:00:00:00:00  *  eth0", "10.0.0.9")
    True
    """
    entries = [line.split() for line in arp_table.splitlines()]
    flags = [entry[2] for entry in entries if len(entry) > 2 and entry[0] == address]
    return bool(flags) and all(each == "0x0" for each in flags)
