"""A Luxtronik heat pump controller that isn't there: its binary protocol, physics and faults."""

from hw_sim.luxtronik.command import command
from hw_sim.luxtronik.faults import FAULTS
from hw_sim.luxtronik.profiles import CAPTURED, PROFILES, Profile
from hw_sim.luxtronik.simulator import LuxtronikSimulator
from hw_sim.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES, Write
from hw_sim.registry import Simulated

__all__ = [
    "CALCULATIONS",
    "CAPTURED",
    "FAULTS",
    "PARAMETERS",
    "PROFILES",
    "SIMULATED",
    "VISIBILITIES",
    "LuxtronikSimulator",
    "Profile",
    "Write",
]


def _table(name: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"""[[device]]
name = "{name}"
kind = "luxtronik"
host = "{host.strip("[]")}"
port = {port}
interval_s = 30.0
"""


SIMULATED = Simulated(
    lambda _, seed: LuxtronikSimulator(seed=seed), _table, command, name="heatpump"
)
