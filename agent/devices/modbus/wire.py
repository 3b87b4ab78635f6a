"""Modbus messages: those that read, built and opened with pymodbus, and strict checks around them.

Source: Modbus Application Protocol V1.1b3, sections 6 and 7; Modbus Messaging on TCP/IP V1.0b,
section 3; Modbus over serial line V1.02, section 2. pymodbus is the codec alone: its clients have
a time-out for each step where we have one deadline for all. There is no message that writes.
"""

import struct
from typing import Final

from agent.devices.contract import hex_bytes
from agent.devices.modbus.plan import Request
from agent.devices.modbus.refusals import RefusedError
from agent.devices.modbus.types import Cells

MBAP: Final = struct.Struct(">HHHB")  # transaction, protocol, length from the unit on, unit
SHORTEST_LENGTH, LONGEST_LENGTH = 3, 254
ERROR_BIT: Final = 0x80
RTU_HEAD_SIZE: Final = 3  # unit, function, and byte count or exception code
CRC_SIZE: Final = 2
SHORTEST_FRAME: Final = RTU_HEAD_SIZE + CRC_SIZE
OTHER_END: Final = "is this a Modbus TCP device? its port is 502"


class WrongAnswerError(ValueError):
    """What came is no answer to the request, and the link is as good as before."""


class NoFrameError(WrongAnswerError):
    """What came over a serial line is no answer; noise does that, so asking again may help."""


def tcp_request(request: Request, transaction: int) -> bytes:
    """The frame that asks over TCP."""
    from agent.devices.modbus import codec

    return codec.tcp_frame(request, transaction)


def rtu_request(request: Request) -> bytes:
    """The frame that asks over a serial line.

    >>> rtu_request(Request(1, "HR", 0, 10)).hex(" ")
    '01 03 00 00 00 0a c5 cd'
    """
    from agent.devices.modbus import codec

    return codec.rtu_frame(request)


def parse_mbap(head: bytes) -> tuple[int, int, int]:
    """Transaction, bytes that follow these seven, and unit.

    Raises:
        ValueError: It is no head of a Modbus message.
    """
    transaction, protocol, length, unit_id = MBAP.unpack(head)
    if protocol != 0:
        raise ValueError(f"wanted protocol 0, got {protocol}: {hex_bytes(head)}; {OTHER_END}")
    if not SHORTEST_LENGTH <= length <= LONGEST_LENGTH:
        wanted = f"wanted a length of {SHORTEST_LENGTH} to {LONGEST_LENGTH} bytes"
        raise ValueError(f"{wanted}, got {length}: {hex_bytes(head)}; {OTHER_END}")
    return transaction, length - 1, unit_id


def check_unit(request: Request, unit_id: int) -> None:
    """Raises WrongAnswerError: The answer is of another unit."""
    if unit_id != request.unit_id:
        raise WrongAnswerError(
            f"wanted an answer of unit {request.unit_id}, got one of unit {unit_id}: check unit_id"
        )


def parse_answer(request: Request, pdu: bytes) -> Cells:
    """The registers or bits that a whole answer holds, as many as were asked for.

    Raises:
        RefusedError: It is an exception.
        WrongAnswerError: It is not the answer to this request.
    """
    function = pdu[0]
    if function & ~ERROR_BIT != request.function:
        wanted = f"wanted an answer to function {request.function}"
        got = f"got one to {function & ~ERROR_BIT}: {hex_bytes(pdu)}"
        raise WrongAnswerError(f"{wanted}, {got}")
    if function & ERROR_BIT:
        if len(pdu) != 2:
            raise WrongAnswerError(f"wanted an exception of 2 bytes, got {hex_bytes(pdu)}")
        raise RefusedError(pdu[1])
    wanted_size = request.size_bytes
    if pdu[1] != wanted_size or len(pdu) != 2 + wanted_size:
        got = f"got {pdu[1]} in {len(pdu) - 2}: {hex_bytes(pdu)}"
        raise WrongAnswerError(f"{_wanted(request)}, {got}")
    from agent.devices.modbus import codec

    return codec.cells_of(request, pdu)


def _wanted(request: Request) -> str:
    size = request.size_bytes
    return f"wanted {size} byte{'s' if size > 1 else ''} of {request.text}"


def frame_size(request: Request, data: bytes) -> int:
    """Bytes of the frame that begins so; 0 if it begins as no answer to the request."""
    if len(data) < RTU_HEAD_SIZE or data[0] != request.unit_id:
        return 0
    if data[1] == request.function | ERROR_BIT:
        return SHORTEST_FRAME
    if data[1] == request.function and data[2] == request.size_bytes:
        return SHORTEST_FRAME + request.size_bytes
    return 0


def has_crc(frame: bytes) -> bool:
    """Whether a frame ends with its check sum."""
    from agent.devices.modbus import codec

    return codec.check_sum(frame[:-CRC_SIZE]) == int.from_bytes(frame[-CRC_SIZE:])


def find_frame(request: Request, data: bytes, noise: int) -> bytes | None:
    """The whole answer that begins within the first ``noise`` bytes; ``None`` if there is none.

    A line that changes its direction makes bytes that nobody sent.
    """
    for at in range(min(noise, len(data) - SHORTEST_FRAME) + 1):
        size = frame_size(request, data[at:])
        if size and len(data) >= at + size and has_crc(data[at : at + size]):
            return data[at : at + size]
    return None


def is_other_frame(request: Request, data: bytes) -> bool:
    """Whether these bytes are one whole frame that does not begin as an answer to the request."""
    return len(data) >= SHORTEST_FRAME and not frame_size(request, data) and has_crc(data)


def why_no_frame(request: Request, data: bytes) -> str:
    """What is wrong with bytes that hold no answer to the request."""
    got = hex_bytes(data)
    if is_other_frame(request, data):
        if data[0] != request.unit_id:
            text = f"wanted an answer of unit {request.unit_id}, got one of unit {data[0]}: {got}"
            return f"{text}; does the device answer as another one, or a second master ask?"
        if data[1] & ~ERROR_BIT != request.function:
            return f"wanted an answer to function {request.function}, got {got}"
        return f"{_wanted(request)}, got {data[2]}: {got}"
    check = "check baud, parity, stop_bits, wiring and termination"
    size = frame_size(request, data)
    if size and len(data) >= size:
        from agent.devices.modbus import codec

        crc = codec.check_sum(data[: size - CRC_SIZE]).to_bytes(CRC_SIZE)
        return f"wanted check sum {hex_bytes(crc)}, got {hex_bytes(data[size - 2 : size])}; {check}"
    return f"wanted an answer of unit {request.unit_id}, got {got}; {check}"
