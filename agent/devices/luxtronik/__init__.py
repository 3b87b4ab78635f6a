"""A Luxtronik 2.x heat pump controller (Alpha Innotec, Novelan, Siemens, ...), read over TCP."""

from agent.devices.luxtronik.driver import KIND, Luxtronik
from agent.devices.luxtronik.options import Options

__all__ = ["KIND", "Luxtronik", "Options"]
