"""Anything that speaks JSON: read by HTTP GET, or as lines over TCP or a serial port."""

from agent.devices.json.address import Header
from agent.devices.json.driver import KIND, Json
from agent.devices.json.options import Options, Tag

__all__ = ["KIND", "Header", "Json", "Options", "Tag"]
