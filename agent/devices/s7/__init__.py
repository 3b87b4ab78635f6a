"""A Siemens S7 PLC, read over ISO-on-TCP: data blocks and areas by absolute address."""

from agent.devices.s7.driver import KIND, RETRY_EVERY, S7
from agent.devices.s7.options import Options, Tag

__all__ = ["KIND", "RETRY_EVERY", "S7", "Options", "Tag"]
