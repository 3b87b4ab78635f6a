"""A Sinara 8451 thermostat, a two-channel TEC controller, read over TCP."""

from agent.devices.thermostat.driver import KIND, Thermostat
from agent.devices.thermostat.options import Options

__all__ = ["KIND", "Options", "Thermostat"]
