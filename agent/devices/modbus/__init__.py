"""Modbus devices over TCP and serial lines: coils and registers by their addresses."""

from agent.devices.modbus.driver import KIND, Modbus
from agent.devices.modbus.options import Options, Tag
from agent.devices.modbus.poll import RETRY_EVERY

__all__ = ["KIND", "RETRY_EVERY", "Modbus", "Options", "Tag"]
