"""BENCHLAB boards that aren't there: serial ports with moving values and faults on demand."""

import glob

from hw_sim.benchlab.command import command
from hw_sim.benchlab.faults import FAULTS
from hw_sim.benchlab.fleet import Fleet
from hw_sim.benchlab.readings import Readings, readings_at
from hw_sim.benchlab.simulator import BenchlabSimulator
from hw_sim.registry import Simulated

__all__ = ["FAULTS", "SIMULATED", "BenchlabSimulator", "Fleet", "Readings", "readings_at"]


def _table(name: str, address: str) -> str:
    return f"""[[device]]
name = "{name}"
kind = "benchlab"
search = "{glob.escape(address)}*"
interval_s = 1.0
"""


SIMULATED = Simulated(
    lambda folder, seed: BenchlabSimulator(folder / "board", seed=seed),
    _table,
    command,
    name="board",
)
