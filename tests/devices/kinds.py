"""Every kind of device as the tests of the contract meet it; a new kind is one entry of CASES."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from agent.devices import KINDS
from agent.devices.contract import Driver
from agent.errors import DeviceError
from agent.model import Value
from hw_sim.contract import Simulator
from hw_sim.host.simulator import HostSimulator
from hw_sim.s7 import DB1_TAGS, S7Simulator

TIMEOUT_S = 2.0


@attrs.frozen
class Case:
    """One kind: what stands for the device, and how a driver is pointed at it.

    Args:
        kind: Its name in ``KINDS``.
        simulate: A simulator that has not been started; the folder is empty.
        options: Options of the kind that read the device at an address.
        faults: All faults of the simulator, those with an argument perhaps more than once.
        silences: Those of the faults that nothing but the deadline can end.
        floods: For TCP, the answers of a device, and what it sends for ever after them.
    """

    kind: str
    simulate: Callable[[Path], Simulator]
    options: Callable[[str], object]
    faults: Sequence[str]
    silences: frozenset[str] = frozenset()
    floods: Sequence[tuple[Sequence[bytes], bytes]] = ()

    def driver(self, address: str, timeout_s: float) -> Driver:
        """The driver as the app makes it."""
        return KINDS[self.kind]().driver(self.options(address), timeout_s)


@attrs.frozen
class Rig:
    """A simulator that runs, and the way to drivers for it."""

    case: Case
    simulator: Simulator

    def driver(self, timeout_s: float = TIMEOUT_S) -> Driver:
        return self.case.driver(self.simulator.address, timeout_s)


def try_read(driver: Driver) -> Mapping[str, Value] | DeviceError:
    """One read as the poller does it: closed after an error."""
    try:
        return driver.read()
    except DeviceError as error:
        driver.close()
        return error


def open_files() -> set[tuple[str, str]]:
    """Number and target of every open file and socket of this process."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        try:
            found.add((path.name, os.readlink(path)))  # noqa: PTH115 - sockets are no paths
        except FileNotFoundError:  # the one that the list itself was read from
            continue
    return found


def host_options(address: str) -> object:
    """A machine below a folder."""
    from agent.devices.host import Options

    return Options(proc=f"{address}/proc", sys=f"{address}/sys", command_lines=True)


def s7_options(address: str) -> object:
    """The PLC of the course at ``host:port``."""
    from agent.devices.s7 import Options, Tag

    host, _, port = address.rpartition(":")
    tags = tuple(Tag(tag.name, tag.address, tag.type) for tag in DB1_TAGS)
    return Options(host, int(port), tag=tags)


S7_READY = (
    bytes.fromhex("03000016 11D00001000100 C0010A C1020100 C2020101"),
    bytes.fromhex("0300001B 02F080 320300000001000800000000 F000000100 0101E0"),
)

CASES = (
    Case("host", HostSimulator, host_options, tuple(HostSimulator.FAULTS)),
    Case(
        "s7",
        lambda _: S7Simulator(),
        s7_options,
        (
            *S7Simulator.FAULTS,
            "wrong-length:-4",
            "wrong-pdu:9000",
            "trickle:0.01",
            "trickle:0.1",
            "drop:2",
        ),
        silences=frozenset({"blackhole", "silent", "delay", "trickle", "trickle:0.1"}),
        floods=(
            ((), bytes(1000)),
            ((), bytes.fromhex("0300FFFF") + bytes(65531)),
            (S7_READY, bytes.fromhex("03000007 02F000")),
            (S7_READY, bytes.fromhex("03000100 02F000") + bytes(249)),
        ),
    ),
)
FAULTS = tuple((case, fault) for case in CASES for fault in case.faults)
FLOODS = tuple((case, *flood) for case in CASES for flood in case.floods)
