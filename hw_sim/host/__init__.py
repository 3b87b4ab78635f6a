"""The simulated computer: a tree of the files that Linux tells about itself."""

from hw_sim.host.command import command
from hw_sim.host.simulator import HostSimulator
from hw_sim.host.tree import AC_AND_BATTERY, NO_BATTERY, NO_POWER_NOW, SEVERAL, HostTree
from hw_sim.registry import Simulated

__all__ = [
    "AC_AND_BATTERY",
    "NO_BATTERY",
    "NO_POWER_NOW",
    "SEVERAL",
    "SIMULATED",
    "HostSimulator",
    "HostTree",
]


def _table(name: str, address: str) -> str:
    return f"""[[device]]
name = "{name}"
kind = "host"
interval_s = 2.0
proc = "{address}/proc"
sys = "{address}/sys"
command_lines = true
"""


SIMULATED = Simulated(HostSimulator, _table, command)
