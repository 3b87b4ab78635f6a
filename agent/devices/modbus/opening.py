"""How the way to a Modbus device is opened, and what is said when that fails."""

from agent.clock import Deadline
from agent.devices.contract import device_errors
from agent.devices.links.link import OpenLink
from agent.devices.links.serial_port import serial_opener
from agent.devices.links.tcp import LookUp, connecting, tcp_opener
from agent.devices.modbus.connection import Connection, RtuConnection, TcpConnection
from agent.devices.modbus.doubt import Doubts, SureConnection
from agent.devices.modbus.options import Options


def opener(options: Options) -> OpenLink:
    """What opens the serial port, or connects."""
    if options.serial:
        return serial_opener(options.serial, options.line)
    return tcp_opener(LookUp(options.host, options.port))


def connect(
    options: Options, open_link: OpenLink, doubts: Doubts, deadline: Deadline
) -> Connection:
    """A fresh connection; ``doubts`` are those of the serial line.

    Raises:
        DeviceError: With what to check.
    """
    pause_s = options.pause_ms / 1000
    if options.serial:
        with device_errors(f"opening {options.serial}"):
            line = RtuConnection(open_link(deadline), options.line, pause_s)
            return SureConnection(line, doubts)
    refused = "nothing listens at this port, Modbus TCP listens at 502"
    with connecting(options.where, deadline.timeout_s, refused):
        return TcpConnection(open_link(deadline), pause_s)
