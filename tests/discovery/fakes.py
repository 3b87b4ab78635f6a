"""Kinds of device whose probes tests write, and the surroundings that they are searched in."""

import ipaddress
import threading
from collections.abc import Callable, Sequence
from functools import partial

import attrs

from agent.config.options import Host, Port
from agent.devices.contract import Found, Kind, Probe
from agent.discovery import Surroundings
from agent.discovery.networks import LOOPBACK, RUNNING, UP, Interface
from agent.discovery.search import Kinds
from agent.discovery.serial_ports import SerialPort
from tests.fakes import ScriptedDriver


@attrs.frozen
class Options:
    """What a lamp in the network has."""

    host: Host
    port: Port = 4000


@attrs.frozen
class BoardOptions:
    """What a board at a serial port has."""

    uid: str = ""
    port: str = ""


def kind(*probes: Probe, options: type = Options, is_single: bool = False) -> Kind:
    """A kind that is found by these probes."""
    return Kind(
        options=options,
        driver=lambda _options, _timeout_s: ScriptedDriver({}),
        summary="a kind of the tests",
        probes=probes,
        is_single=is_single,
    )


def kinds(**those: Kind) -> Kinds:
    """As the registry has them."""
    return {name: partial(_given, each) for name, each in those.items()}


def _given(each: Kind) -> Kind:
    return each


def interface(text: str, name: str = "eth0", flags: int = UP | RUNNING) -> Interface:
    """An address of this machine as ``10.0.0.2/24``."""
    found = ipaddress.IPv4Interface(text)
    return Interface(name, str(found.ip), found.network, flags)


LO = interface("127.0.0.1/8", "lo", UP | RUNNING | LOOPBACK)


def surroundings(
    *interfaces: Interface,
    serial_ports: Sequence[SerialPort] = (),
    resolve: Callable[[str], Sequence[str]] | None = None,
    arp_table: str = "",
) -> Surroundings:
    """A machine with these interfaces and ports, that knows no names."""
    return Surroundings(
        lambda: interfaces, resolve or no_names, lambda: serial_ports, lambda: arp_table
    )


def no_names(name: str) -> Sequence[str]:
    """There are none."""
    raise OSError(f"no name {name}")


@attrs.define
class Asked:
    """A probe that remembers whom it was asked for, and how many were asked at once."""

    answer: Callable[[str, int], Found | None]
    calls: list[tuple[str, int]] = attrs.Factory(list)
    now: int = 0
    most: int = 0
    lock: threading.Lock = attrs.Factory(threading.Lock)

    def __call__(self, host: str, port: int, timeout_s: float) -> Found | None:
        with self.lock:
            self.calls.append((host, port))
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self.answer(host, port)
        finally:
            with self.lock:
                self.now -= 1


def lamp(host: str, port: int) -> Found:
    """A lamp that is found."""
    return Found(f"{host}:{port}", {"host": host, "port": port}, {"colour": "red"})
