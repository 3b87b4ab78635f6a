"""What a Modbus device says when it does not answer with values, and what to do about it.

Source: Modbus Application Protocol V1.1b3, section 7.
"""

from typing import Final

from agent.devices.modbus.address import AREA_WORDS, COILS, DISCRETE, HOLDING, INPUT
from agent.devices.modbus.plan import Request

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 0x01, 0x02
ACKNOWLEDGED, BUSY = 0x05, 0x06
NO_PATH, NO_ANSWER = 0x0A, 0x0B
LATER: Final = frozenset({ACKNOWLEDGED, BUSY})  # nothing is wrong with what was asked
OF_UNIT: Final = frozenset({NO_PATH, NO_ANSWER})  # said by a gateway of all that the unit has
TWINS: Final = {COILS: DISCRETE, DISCRETE: COILS, HOLDING: INPUT, INPUT: HOLDING}


class RefusedError(Exception):
    """The device understood and answered with an exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code:02X}")
        self.code = code


TEXTS: Final = {
    0x01: "illegal function (01): the device does not offer {words} (function {function}); "
    "are they {twin_words} ({twin})?",
    0x02: "illegal data address (02): check address and length",
    0x03: "illegal data value (03): the device does not read this so, check the length",
    0x04: "device failure (04): the device could not read this itself, look at it",
    0x05: "acknowledge (05): the device needs longer, raise interval_s",
    0x06: "device busy (06): raise interval_s, or set pause_ms",
    0x08: "memory parity error (08): the device's memory is faulty",
    0x0A: "gateway path unavailable (0A): the gateway has no way to unit {unit}, "
    "check unit_id and the gateway",
    0x0B: "target device failed to respond (0B): unit {unit} behind the gateway is silent, "
    "check unit_id, its power and its wiring",
}


def exception_text(code: int, request: Request) -> str:
    """What an exception means, and what to do about it."""
    twin = TWINS[request.area]
    text = TEXTS.get(code, f"the device answered with exception {code:02X}").format(
        words=AREA_WORDS[request.area],
        function=request.function,
        twin_words=AREA_WORDS[twin],
        twin=twin,
        unit=request.unit_id,
    )
    if code == ILLEGAL_ADDRESS and request.start:
        text += f"; many data sheets count from 1, then it is {request.area}{request.start - 1}"
    return text
