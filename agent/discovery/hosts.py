"""Asks addresses over TCP whether a port is open, and if so, which device is there."""

import enum
import errno
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from agent.clock import Deadline
from agent.devices.contract import TcpProbe
from agent.devices.links.tcp import LookUp, open_socket
from agent.discovery.networks import is_absent
from agent.discovery.notes import Notes, answer_of
from agent.discovery.pool import Pace
from agent.discovery.targets import Target

NO_WAY: Final = (errno.ENETUNREACH, errno.ENETDOWN, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL)
NOBODY: Final = (errno.EHOSTUNREACH, errno.EHOSTDOWN)

Probes = Mapping[str, Sequence[TcpProbe]]  # of each kind


class _Port(enum.Enum):
    OPEN = enum.auto()
    CLOSED = enum.auto()
    SILENT = enum.auto()
    NO_WAY = enum.auto()


class Hosts:
    """Asks one address after the other; may be called in several threads at once.

    An address gets one connection at a time, and a probe only speaks where a port is open. On the
    own network the kernel knows after the first connection whether anybody is there at all: that
    spares the others. Whoever was slow to answer it is asked again by ``ask_late``.
    """

    def __init__(
        self,
        probes: Probes,
        timeouts_s: tuple[float, float],  # of connecting, of answering
        pace: Pace,
        stop: threading.Event,
        notes: Notes,
        arp_table: Callable[[], str],
    ) -> None:
        self._probes = [(kind, probe) for kind, those in probes.items() for probe in those]
        self._connect_s, self._answer_s = timeouts_s
        self._pace = pace
        self._stop = stop
        self._notes = notes
        self._arp_table = arp_table
        self._absent: list[Target] = []
        self._known: set[tuple[str, str]] = set()

    @property
    def ports(self) -> Sequence[int]:
        """Those that an address is asked at if none are named."""
        return sorted({port for _, probe in self._probes for port in probe.ports})

    def take_late(self) -> Sequence[Target]:
        """Addresses that seemed absent and are not; asked for once, when all others are done."""
        table = self._arp_table() if self._absent else ""
        late = []
        for target in self._absent:
            if not is_absent(table, target.address):
                late.append(target)
            elif target.is_single:
                text = "nobody in this network has the address; check it, power and cable"
                self._notes.warn(f"{target.called}: {text}")
        self._absent.clear()
        return late

    def skip(self, kind: str, address: str) -> None:
        """A device of this kind there has said all: the search need not connect to it again."""
        self._known.add((kind, address))

    def ask(self, target: Target, *, is_last: bool = False) -> None:
        """Find out which devices are at an address; ``is_last`` is for those that were late."""
        states: dict[int, _Port] = {}
        done: set[int] = set()  # probes that have their device: their other ports are the same one
        told: set[int] = set()  # ports that a finding or a warning is about
        for port, probes in self._plan(target).items():
            left = [
                (kind, probe)
                for kind, probe in probes
                if port in target.ports
                or (id(probe) not in done and (kind, target.address) not in self._known)
            ]
            if not left:
                continue
            states[port] = state = self._knock(target, port)
            if self._stop.is_set():
                return
            if state is _Port.SILENT and not is_last and self._is_absent(target.address):
                self._absent.append(target)
                return
            if state is _Port.NO_WAY:
                return
            if state is _Port.OPEN:
                found, is_failed = self._identify(target.address, port, left)
                done.add(id(found))
                if is_failed or found is not None:
                    told.add(port)
        if target.is_single:
            # Each port that was named is answered for; of the usual ones, one answer is enough.
            owed = (set(target.ports) if told else set(states)) - told
            if owed:
                dumb = {port: state for port, state in states.items() if port in owed}
                self._notes.warn(_nothing(target, dumb))

    def _is_absent(self, address: str) -> bool:
        return is_absent(self._arp_table(), address)

    def _plan(self, target: Target) -> Mapping[int, Sequence[tuple[str, TcpProbe]]]:
        """Who asks at which port: its owners, or everybody at a named port that nobody owns."""
        plan: dict[int, list[tuple[str, TcpProbe]]] = {}
        for port in target.ports:
            owners = [each for each in self._probes if port in each[1].ports]
            plan[port] = owners or self._probes
        if target.is_general:
            for kind, probe in self._probes:
                for port in probe.ports:
                    known = plan.setdefault(port, [])
                    if (kind, probe) not in known:
                        known.append((kind, probe))
        return plan

    def _knock(self, target: Target, port: int) -> _Port:
        self._pace.wait()
        if self._stop.is_set():
            return _Port.SILENT
        try:
            open_socket(LookUp(target.address, port), Deadline(self._connect_s)).close()
        except TimeoutError:
            return _Port.SILENT
        except ConnectionError:
            return _Port.CLOSED
        except OSError as exc:
            if exc.errno in NOBODY:
                return _Port.SILENT
            called = target.called if target.is_single else "some addresses"
            self._notes.warn(f"{called} can't be asked: {exc.strerror or exc}")
            return _Port.NO_WAY if exc.errno in NO_WAY else _Port.CLOSED
        return _Port.OPEN

    def _identify(
        self, address: str, port: int, probes: Sequence[tuple[str, TcpProbe]]
    ) -> tuple[TcpProbe | None, bool]:
        """Whose probe found its device, and whether one failed and has told so."""
        faults: list[str] = []
        for kind, probe in probes:
            self._stop.wait(probe.pause_s)
            self._pace.wait()
            if self._stop.is_set():
                break
            ask = partial(probe.probe, address, port, self._answer_s)
            answer = answer_of(kind, f"{address}:{port}", ask)
            if answer.found is not None:
                self._notes.add(kind, "tcp", answer.found)
                return probe, False
            faults.append(answer.fault)
        # Of several kinds that were tried at a port of none of them, no fault means anything.
        told = [fault for fault in faults if fault and (len(faults) == 1 or port in self.ports)]
        for fault in told:
            self._notes.warn(fault)
        return None, bool(told)


def _nothing(target: Target, states: Mapping[int, _Port]) -> str:
    """Why nothing was found at an address that the user named."""
    ports = ", ".join(map(str, states))
    opened = [str(port) for port, state in states.items() if state is _Port.OPEN]
    if opened:
        ports = ", ".join(opened)
        return f"{target.called}: port {ports} is open, but no known device answered there"
    if _Port.CLOSED in states.values():
        one = "port is closed" if len(states) == 1 else "ports are closed"
        return f"{target.called}: it is there, but its {one}: {ports}"
    return f"{target.called}: no answer at {ports}; check address, power, cable and firewall"
