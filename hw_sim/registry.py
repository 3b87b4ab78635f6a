"""Which simulators there are: one for each kind of device, loaded when it is asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import click

from hw_sim.contract import Simulator


@attrs.frozen
class Simulated:
    """A kind of device as the simulators have it.

    Args:
        simulate: A simulator that has not been started, in an empty folder of its own, with a seed.
        table: What ``agent.toml`` says of it, from a name and the simulator's address.
        command: ``python -m hw_sim KIND``.
        name: What newcomers call such a device; empty where the kind says it.
    """

    simulate: Callable[[Path, int], Simulator]
    table: Callable[[str, str], str]
    command: click.Command
    name: str = ""


@attrs.frozen
class Entry:
    """One line of the list; ``load`` imports the simulator."""

    summary: str
    load: Callable[[], Simulated]


def _host() -> Simulated:
    from hw_sim.host import SIMULATED

    return SIMULATED


def _s7() -> Simulated:
    from hw_sim.s7 import SIMULATED

    return SIMULATED


def _benchlab() -> Simulated:
    from hw_sim.benchlab import SIMULATED

    return SIMULATED


def _thermostat() -> Simulated:
    from hw_sim.thermostat import SIMULATED

    return SIMULATED


def _luxtronik() -> Simulated:
    from hw_sim.luxtronik import SIMULATED

    return SIMULATED


def _modbus() -> Simulated:
    from hw_sim.modbus import SIMULATED

    return SIMULATED


def _json() -> Simulated:
    from hw_sim.json import SIMULATED

    return SIMULATED


SIMULATED: Mapping[str, Entry] = {
    "host": Entry("The files that a Linux computer tells about itself.", _host),
    "s7": Entry("A Siemens S7 PLC.", _s7),
    "benchlab": Entry("A BENCHLAB power and temperature board.", _benchlab),
    "thermostat": Entry("A two-channel TEC controller, Sinara 8451.", _thermostat),
    "luxtronik": Entry("A Luxtronik heat pump controller.", _luxtronik),
    "modbus": Entry("Energy meters with Modbus, over TCP or a serial line.", _modbus),
    "json": Entry("A weather station that speaks JSON.", _json),
}
