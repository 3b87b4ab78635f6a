"""Modbus as a device sees it: bytes to requests, answers to bytes.

Source: Modbus Application Protocol V1.1b3, section 6; Modbus over serial line V1.02, section 2.5
and appendix B for the check sum. Everything is big-endian but the check sum.
"""

import struct
from collections.abc import Sequence

READS = {1: "CO", 2: "DI", 3: "HR", 4: "IR"}
CHANGING = {5, 6, 15, 16, 21, 22, 23}
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, BUSY, NO_TARGET = 1, 2, 3, 6, 0x0B
MOST_BITS, MOST_REGISTERS = 2000, 125
ERROR_BIT = 0x80
SHORT_REQUEST = 8  # bytes on a serial line, of functions with two numbers
REQUEST_SIZES = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 22: 10}
COUNTED_SIZES = {15: 6, 16: 6, 23: 10}  # where the byte count stands


def exception(function: int, code: int) -> bytes:
    """The answer that is none."""
    return bytes((function & 0x7F | ERROR_BIT, code))


def read_answer(function: int, cells: Sequence[int]) -> bytes:
    """The answer that holds registers or bits.

    >>> read_answer(1, [1, 0, 1, 1, 0, 0, 1, 1, 1]).hex()
    '0102cd01'
    """
    if function in (3, 4):
        data = struct.pack(f">{len(cells)}H", *cells)
    else:
        size = (len(cells) + 7) // 8
        data = sum(bit << place for place, bit in enumerate(cells)).to_bytes(size, "little")
    return bytes((function, len(data))) + data


def crc(data: bytes) -> bytes:
    """Check sum of a serial frame, as it is sent.

    >>> crc(bytes.fromhex("01030000000A")).hex()
    'c5cd'
    """
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def rtu_frame(unit_id: int, pdu: bytes) -> bytes:
    """A whole frame for a serial line."""
    frame = bytes((unit_id,)) + pdu
    return frame + crc(frame)


def tcp_frame(transaction: int, unit_id: int, pdu: bytes) -> bytes:
    """A whole frame for TCP."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit_id) + pdu


def rtu_request_size(data: bytes) -> int:
    """Bytes of the request that begins so; 0 while that can't be said."""
    if len(data) < 2:
        return 0
    if data[1] in COUNTED_SIZES:
        at = COUNTED_SIZES[data[1]]
        return at + 1 + data[at] + 2 if len(data) > at else 0
    return REQUEST_SIZES.get(data[1], 0)
