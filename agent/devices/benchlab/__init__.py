"""BENCHLAB boards, which measure the power, temperatures and fans of a PC."""

from agent.devices.benchlab.driver import KIND, Benchlab
from agent.devices.benchlab.options import Options

__all__ = ["KIND", "Benchlab", "Options"]
