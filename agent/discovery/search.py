"""Asks this machine, serial ports and addresses which devices they are, and is polite about it."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final, TypeVar

import attrs

from agent.clock import Clock, SystemClock
from agent.config import DeviceConfig
from agent.config.faults import did_you_mean
from agent.devices.contract import (
    BroadcastProbe,
    Found,
    Kind,
    LocalProbe,
    Probe,
    SerialProbe,
    TcpProbe,
)
from agent.discovery.addresses import is_host_of
from agent.discovery.hosts import Hosts
from agent.discovery.known import Spared, spared
from agent.discovery.networks import Interface, own_interfaces
from agent.discovery.notes import Notes, answer_of
from agent.discovery.pool import Job, Pace, Pool
from agent.discovery.serial_ports import SerialPort, attached_ports, named_ports
from agent.discovery.targets import Plan, Resolve, look_up, make_plan
from agent.discovery.turns import Turns
from agent.discovery.wish import Finding, Progress, Result, Searched, Wish
from agent.errors import ConfigError

IN_FLIGHT: Final = 16  # connections at once, all devices together
PER_SECOND: Final = 100  # connections begun
ANSWER_S: Final = 3.0  # what a device has to say who it is; more where connections take long
WAYS: Final = ("local", "serial", "tcp", "broadcast")

Kinds = Mapping[str, Callable[[], Kind]]
Tell = Callable[[Progress], None]
P = TypeVar("P", LocalProbe, SerialProbe, TcpProbe, BroadcastProbe)


def _arp_table() -> str:
    try:
        return Path("/proc/net/arp").read_text("ascii", "replace")
    except OSError:
        return ""


@attrs.frozen
class Surroundings:
    """Where this machine is, as its kernel tells; tests have others."""

    interfaces: Callable[[], Sequence[Interface]] = own_interfaces
    resolve: Resolve = look_up
    serial_ports: Callable[[], Sequence[SerialPort]] = attached_ports
    arp_table: Callable[[], str] = _arp_table


class Search:
    """One search. Building it checks the wish and sends nothing but look-ups of names.

    Args:
        devices: Those that are configured; the ones that bear a single connection get none.

    Raises:
        ConfigError: The wish is none that can be granted.
    """

    def __init__(
        self,
        kinds: Kinds,
        wish: Wish,
        surroundings: Surroundings | None = None,
        clock: Clock | None = None,
        devices: Sequence[DeviceConfig] = (),
    ) -> None:
        self._surroundings = surroundings or Surroundings()
        self._clock = clock or SystemClock()
        self._wish = wish
        for word in wish.kinds:
            if word not in kinds:
                raise ConfigError(f"--kind: found {word!r}{did_you_mean(word, kinds)}")
        wanted = wish.kinds or tuple(kinds)
        self._probes: Sequence[tuple[str, Probe]] = [
            (name, probe) for name in kinds if name in wanted for probe in kinds[name]().probes
        ]
        self._stop = threading.Event()
        self._notes = Notes()
        self._pace = Pace(PER_SECOND, self._clock, self._stop)
        self._usb: Mapping[str, tuple[int, int] | None] = {}
        self._called: dict[tuple[str, str], Found] = {}  # who answered, by kind and address
        self._plan = self._make_plan()
        self._serial_paths = self._make_serial_paths()
        self._answer_s = max(ANSWER_S, 4 * wish.timeout_s)
        tcp: dict[str, list[TcpProbe]] = {}
        for name, probe in self._of(TcpProbe):
            tcp.setdefault(name, []).append(probe)
        self._hosts = Hosts(
            tcp,
            (wish.timeout_s, self._answer_s),
            Turns(self._pace, self._clock, self._stop),
            self._stop,
            self._notes,
            self._surroundings.arp_table,
        )
        self._spared: Sequence[Spared] = (
            spared(devices, kinds, self._surroundings.resolve) if wish.is_networked else ()
        )
        self._spare()

    def run(self, tell: Tell = lambda _: None) -> Result:
        """Everything that is found; after a ``KeyboardInterrupt`` what was found until then.

        Args:
            tell: Called a few times a second.
        """
        began_s = self._clock.monotonic()
        pool = Pool(IN_FLIGHT, self._stop)

        def told() -> None:
            seconds = self._clock.monotonic() - began_s
            tell(Progress(pool.done, pool.total, len(self._notes.findings), seconds))

        is_complete = True
        try:
            targets = self._plan.targets
            pool.run(list(self._first_jobs()), told, len(targets))
            pool.run(list(self._called_jobs()), told, len(targets))
            pool.run([partial(self._hosts.ask, each) for each in targets], told)
            late = self._hosts.take_late()
            pool.run([partial(self._hosts.ask, each, is_last=True) for each in late], told)
        except KeyboardInterrupt:
            is_complete = False
        finally:
            self._stop.set()
        searched = self._searched(self._clock.monotonic() - began_s, is_complete)
        return Result(self._findings(), sorted(self._notes.warnings, key=_natural), searched)

    def _of(self, way: type[P]) -> Sequence[tuple[str, P]]:
        return [(name, probe) for name, probe in self._probes if isinstance(probe, way)]

    def _make_plan(self) -> Plan:
        if not self._wish.is_networked:
            return Plan()
        if not self._of(TcpProbe) and not self._of(BroadcastProbe):
            raise ConfigError("--kind: none of these kinds is searched for in the network")
        plan = make_plan(self._wish, self._surroundings.interfaces(), self._surroundings.resolve)
        for warning in plan.warnings:
            self._notes.warn(warning)
        return plan

    def _make_serial_paths(self) -> Sequence[str]:
        probes = self._of(SerialProbe)
        if self._wish.ports:
            if not probes:
                raise ConfigError("--port: none of these kinds is searched for at serial ports")
            paths, warnings = named_ports(self._wish.ports)
            for warning in warnings:
                self._notes.warn(warning)
            return paths
        known = {each for _, probe in probes for each in probe.usb}
        ports = self._surroundings.serial_ports() if known else []
        self._usb = {port.path: port.usb for port in ports if port.usb in known}
        return list(self._usb)

    def _spare(self) -> None:
        wanted = {kind for kind, _ in self._probes}
        for each in self._spared:
            targets = [target for target in self._plan.targets if each.is_at(target)]
            for address in {target.address for target in targets} | each.hosts:
                self._hosts.spare(each.kind, address, each.port)
            if targets and each.kind in wanted:
                self._notes.add(each.kind, "tcp", each.found)

    def _first_jobs(self) -> Iterator[Job]:
        """All but addresses: those who answer a call are not asked a second time."""
        for kind, local in self._of(LocalProbe):
            yield partial(self._ask_here, kind, local)
        for path in self._serial_paths:
            yield partial(self._ask_port, path)
        for kind, probe in self._of(BroadcastProbe):
            for network in self._plan.broadcasts:
                yield partial(self._call_out, kind, probe, network)

    def _ask_here(self, kind: str, probe: LocalProbe) -> None:
        answer = answer_of(kind, "this machine", probe.probe)
        self._notes.warn(answer.fault)
        for found in answer.found or ():
            self._notes.add(kind, "local", found)

    def _call_out(self, kind: str, probe: BroadcastProbe, network: IPv4Network) -> None:
        self._pace.wait()
        where = str(network.broadcast_address)
        answer = answer_of(kind, where, partial(probe.probe, network, self._answer_s))
        self._notes.warn(answer.fault)
        for found in answer.found or ():
            host = str(found.options.get("host"))
            if is_host_of(network, host):  # anybody can send an answer in any name
                self._called.setdefault((kind, host), found)

    def _called_jobs(self) -> Iterator[Job]:
        for (kind, host), found in self._called.items():
            ours = [each for each in self._spared if each.kind == kind and host in each.hosts]
            if ours:
                self._notes.add(kind, "broadcast", ours[0].found)
            else:
                yield partial(self._hosts.ask_called, kind, found)

    def _ask_port(self, path: str) -> None:
        is_named = bool(self._wish.ports)
        faults = ""
        for kind, probe in self._of(SerialProbe):
            if self._stop.is_set():
                return
            if not is_named and self._usb[path] not in probe.usb:
                continue
            answer = answer_of(kind, path, partial(probe.probe, path, self._answer_s))
            if answer.found is not None:
                self._notes.add(kind, "serial", answer.found)
                return
            faults = faults or answer.fault
        self._notes.warn(faults or (f"{path}: no known device answered" if is_named else ""))

    def _findings(self) -> Sequence[Finding]:
        """In order, each once: a device that answered a call is also found by asking it."""
        order = list(dict.fromkeys(name for name, _ in self._probes))
        names = {target.address: target.name for target in self._plan.targets if target.name}
        found = sorted(
            self._notes.findings,
            key=lambda each: (
                WAYS.index(each.way), order.index(each.kind), _natural(each.found.where)
            ),
        )  # fmt: skip
        once: dict[tuple[str, str], Finding] = {}
        for each in found:
            once.setdefault((each.kind, each.found.where), each)
        return [attrs.evolve(each, found=_called(each.found, names)) for each in once.values()]

    def _searched(self, seconds: float, is_complete: bool) -> Searched:
        ports = {port for target in self._plan.targets for port in target.ports}
        if any(target.is_general for target in self._plan.targets):
            ports.update(self._hosts.ports)
        return Searched(
            bool(self._of(LocalProbe)),
            bool(self._of(SerialProbe)),
            self._plan.networks,
            len(self._plan.targets),
            sorted(ports),
            self._pace.count,
            self._serial_paths,
            round(seconds, 1),
            is_complete,
        )


def _called(found: Found, names: Mapping[str, str]) -> Found:
    """With the name that the user gave in place of the address, which may change."""
    host = found.options.get("host")
    if not isinstance(host, str) or host not in names:
        return found
    name = names[host]
    where = found.where.replace(f"[{host}]", name).replace(host, name)
    return attrs.evolve(found, where=where, options={**found.options, "host": name})


def _natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts numbers by their size.

    >>> sorted(["10.0.0.10:1", "10.0.0.9:1"], key=_natural)
    ['10.0.0.9:1', '10.0.0.10:1']
    """
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", text)]
