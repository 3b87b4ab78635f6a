"""A thermostat that isn't there: line protocol over TCP, moving values and faults on demand."""

from hw_sim.registry import Simulated
from hw_sim.thermostat.channel import Measured, Pid, Settings, Thermistor
from hw_sim.thermostat.command import command
from hw_sim.thermostat.faults import FAULTS
from hw_sim.thermostat.simulator import ThermostatSimulator

__all__ = [
    "FAULTS",
    "SIMULATED",
    "Measured",
    "Pid",
    "Settings",
    "Thermistor",
    "ThermostatSimulator",
]


def _table(name: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"""[[device]]
name = "{name}"
kind = "thermostat"
host = "{host.strip("[]")}"
port = {port}
interval_s = 1.0
"""


SIMULATED = Simulated(lambda _, seed: ThermostatSimulator(seed=seed), _table, command)
