"""Whether a Modbus device is at a host and port: one register is read, nothing else."""

from typing import Final

from agent.clock import Deadline
from agent.devices.contract import Found, address_of, device_errors
from agent.devices.links.link import OpenLink
from agent.devices.links.tcp import LookUp, tcp_opener
from agent.devices.modbus.address import HOLDING, INPUT
from agent.devices.modbus.connection import SilentError, TcpConnection
from agent.devices.modbus.plan import Request
from agent.devices.modbus.refusals import OF_UNIT, RefusedError, exception_text
from agent.errors import DeviceError
from agent.model import Reason

UNITS: Final = (1, 255)  # what most devices are, and what those without a line behind them are
NOTE: Final = "the tag is an example: take those that you need from the device's register list"


def probe_tcp(
    host: str, port: int, timeout_s: float, open_link: OpenLink | None = None
) -> Found | None:
    """Ask units 1 and 255 for their first register; any Modbus answer will do.

    Raises:
        DeviceError: Something listens there and says nothing, or hangs up.
    """
    where = address_of(host, port)
    deadline = Deadline(timeout_s)
    try:
        with device_errors(f"looking at {where}"):
            link = (open_link or tcp_opener(LookUp(host, port)))(deadline)
    except DeviceError:
        return None  # nothing is there
    connection = TcpConnection(link)
    try:
        for left, unit_id in zip(range(len(UNITS), 0, -1), UNITS, strict=True):
            patience = Deadline(deadline.left_s() / left)
            try:
                area, fact = _first_register(connection, unit_id, patience)
            except SilentError:
                continue
            return _found(where, host, port, unit_id, area, fact)
    except ValueError:
        return None  # another protocol
    except ConnectionError as exc:
        text = f"looking at {where}: something listens and hangs up; has it too many connections?"
        raise DeviceError(text, Reason.UNREACHABLE) from exc
    except OSError:
        pass
    finally:
        connection.close()
    text = f"looking at {where}: something listens, but neither unit 1 nor 255 answers"
    raise DeviceError(f"{text}; if it is a gateway, try the unit_id of a device", Reason.TIMEOUT)


def _first_register(connection: TcpConnection, unit_id: int, deadline: Deadline) -> tuple[str, str]:
    """Which table it is in, and what it says; raises as ``Connection.ask``."""
    fact = ""
    for area in (INPUT, HOLDING):
        request = Request(unit_id, area, 0, 1)
        try:
            return area, f"{area}0 = {connection.ask(request, deadline)[0]}"
        except RefusedError as error:
            fact = fact or f"{area}0: {exception_text(error.code, request)}"
            if error.code in OF_UNIT:
                break
    return INPUT, fact


def _found(where: str, host: str, port: int, unit_id: int, area: str, fact: str) -> Found:
    tag = {"name": "first_register", "address": f"{area}0:UINT16"}
    options = {"host": host, "port": port, "unit_id": unit_id, "tag": [tag]}
    return Found(where, options, {"unit": str(unit_id), "answer": fact}, NOTE)
