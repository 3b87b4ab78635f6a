"""Every kind of device as the tests of the contract meet it; a new kind is one line of CASES."""

import os
from collections.abc import Mapping
from pathlib import Path

import attrs

from agent.devices.contract import Driver
from agent.errors import DeviceError
from agent.model import Value
from hw_sim.contract import Simulator
from tests.devices.case import Case
from tests.devices.cases import benchlab, host, json, luxtronik, modbus, s7, thermostat

TIMEOUT_S = 2.0


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


CASES = (
    host.CASE,
    s7.CASE,
    benchlab.CASE,
    thermostat.CASE,
    luxtronik.CASE,
    modbus.CASE,
    modbus.RTU,
    json.CASE,
    *json.VARIANTS,
)
FAULTS = tuple((case, fault) for case in CASES for fault in case.faults)
FLOODS = tuple((case, *flood) for case in CASES for flood in case.floods)
