"""Asks whether a BENCHLAB board is at a serial port."""

from agent.clock import Deadline
from agent.devices.benchlab.board import Board
from agent.devices.benchlab.search import LINE
from agent.devices.benchlab.wire import NoBoardError
from agent.devices.contract import Found, device_errors
from agent.devices.links.serial_port import SerialLink


def probe(path: str, timeout_s: float) -> Found | None:
    """The board at a port; ``None`` if something else, or nothing, answers there.

    Raises:
        DeviceError: The port can't be used, or a board is there that can't be read.
    """
    deadline = Deadline(timeout_s)
    with device_errors(path):
        board = Board(SerialLink(path, LINE, deadline))
        try:
            identity = board.identify(deadline)
        except NoBoardError:
            return None
        except TimeoutError:
            if board.has_greeted:
                raise
            return None
        finally:
            board.close()
    uid, firmware = identity.uid, identity.firmware
    facts = {
        "uid": uid,
        "firmware": "" if firmware is None else str(firmware),
        "product": identity.layout.product.name,
        "name": identity.name,
    }
    options = {"uid": uid, "port": path} if uid else {"port": path}
    known = {key: fact for key, fact in facts.items() if fact}
    return Found(path, options, known, "; ".join(identity.doubts))
