"""Asks addresses over TCP whether a port is open, and if so, which device is there."""

import enum
import errno
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from agent.clock import Deadline
from agent.devices.contract import Found, TcpProbe
from agent.devices.links.tcp import LookUp, open_socket
from agent.discovery.networks import is_absent
from agent.discovery.notes import Answer, Notes, answer_of
from agent.discovery.targets import Target
from agent.discovery.turns import Asking, Turns

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
        turns: Turns,
        stop: threading.Event,
        notes: Notes,
        arp_table: Callable[[], str],
    ) -> None:
        self._probes = [(kind, probe) for kind, those in probes.items() for probe in those]
        self._connect_s, self._answer_s = timeouts_s
        self._turns = turns
        self._stop = stop
        self._notes = notes
        self._arp_table = arp_table
        self._absent: list[Target] = []
        self._known: set[tuple[str, str]] = set()  # kinds and addresses
        self._spared: set[tuple[str, int]] = set()  # addresses and ports

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

    def spare(self, kind: str, address: str, port: int) -> None:
        """A device of this kind is there, and bears no connection: nobody is to begin one."""
        self._known.add((kind, address))
        self._spared.add((address, port))

    def ask_called(self, kind: str, called: Found) -> None:
        """Who answered a call is asked where it said, without a knock, and never again.

        Its controller may not bear another connection within seconds, even after one that failed.
        """
        host, port = str(called.options.get("host")), called.options.get("port")
        self._known.add((kind, host))
        asking = [each for each in self._probes if each[0] == kind and port in each[1].ports]
        if not called.facts and asking and isinstance(port, int):
            self._turns.wait(host, asking)
            if self._stop.is_set():
                return
            answer = self._ask(host, port, asking[0], asking)
            called = answer.found or attrs.evolve(called, note=answer.fault or called.note)
        self._notes.add(kind, "broadcast", called)

    def ask(self, target: Target, *, is_last: bool = False) -> None:
        """Find out which devices are at an address; ``is_last`` is for those that were late."""
        states: dict[int, _Port] = {}
        done: set[int] = set()  # probes that have their device: their other ports are the same one
        told: set[int] = set()  # ports that a finding or a warning is about
        for port, probes in self._plan(target).items():
            left = [
                (kind, probe)
                for kind, probe in probes
                if (kind, target.address) not in self._known
                and (port in target.ports or id(probe) not in done)
            ]
            if not left or (target.address, port) in self._spared:
                continue
            states[port] = state = self._knock(target, port, left)
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
            dumb = {port: state for port, state in states.items() if port in owed}
            if dumb:
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

    def _knock(self, target: Target, port: int, asking: Asking) -> _Port:
        self._turns.wait(target.address, asking)
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
            return _Port.NO_WAY
        self._turns.ended(target.address, asking)
        return _Port.OPEN

    def _identify(
        self, address: str, port: int, probes: Sequence[tuple[str, TcpProbe]]
    ) -> tuple[TcpProbe | None, bool]:
        """Whose probe found its device, and whether one failed and has told so."""
        faults: list[str] = []
        # Who needs the longest pause comes first: nobody else disturbs it, should it be there.
        probes = sorted(probes, key=lambda each: -each[1].pause_s)
        suspected = list(probes)
        for each in probes:
            self._turns.wait(address, suspected)
            if self._stop.is_set():
                break
            answer = self._ask(address, port, each, suspected)
            if answer.found is not None:
                self._notes.add(each[0], "tcp", answer.found)
                return each[1], False
            faults.append(answer.fault)
            if not answer.fault:
                suspected.remove(each)
        # Of several kinds that were tried at a port of none of them, no fault means anything.
        told = [fault for fault in faults if fault and (len(faults) == 1 or port in self.ports)]
        for fault in told:
            self._notes.warn(fault)
        return None, bool(told)

    def _ask(
        self, address: str, port: int, asking: tuple[str, TcpProbe], suspected: Asking
    ) -> Answer[Found]:
        kind, probe = asking
        ask = partial(probe.probe, address, port, self._answer_s)
        answer = answer_of(kind, f"{address}:{port}", ask)
        self._turns.ended(address, suspected)
        return answer


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
