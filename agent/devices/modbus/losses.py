"""Why the tags of a unit are empty while others are read."""

from typing import Final

import attrs

from agent.devices.modbus.connection import CutShortError, SilentError
from agent.devices.modbus.doubt import LateError
from agent.devices.modbus.wire import WrongAnswerError
from agent.model import Reason

UNIT_ERRORS: Final = (SilentError, CutShortError, LateError, WrongAnswerError)
"""What concerns the one unit that was asked: others can be asked over the same connection."""


@attrs.frozen
class Loss:
    """What is wrong with a unit, in words that are the same from poll to poll."""

    text: str
    reason: Reason


def loss_after(error: Exception, unit_id: int) -> Loss:
    """What one of ``UNIT_ERRORS`` means for the unit."""
    match error:
        case LateError():
            return Loss(str(error), Reason.TIMEOUT)
        case SilentError():
            text = "does not answer: check unit_id, its power and its wiring"
            return Loss(f"unit {unit_id} {text}", Reason.TIMEOUT)
        case CutShortError():
            text = "stops within its answers: check its power, its wiring and the termination"
            return Loss(f"unit {unit_id} {text}", Reason.TIMEOUT)
        case _:
            text = "does not answer with what it was asked for: check its wiring, the termination"
            also = "and that no other device has its unit_id"
            return Loss(f"unit {unit_id} {text} {also}", Reason.BAD_DATA)
