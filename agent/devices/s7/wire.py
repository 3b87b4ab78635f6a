"""S7 packets over ISO-on-TCP: building those that read, and checking what comes back.

Source: RFC 1006 (TPKT), RFC 905 (COTP class 0), and for the S7 layer, which Siemens does not
publish, the packets of the tests, which two other S7 implementations answered. There is no
packet here that writes, and none that stops a PLC.
"""

import struct
from collections.abc import Sequence
from typing import Final

import attrs

from agent.devices.contract import hex_bytes

DATA_HEAD: Final = bytes.fromhex("02f080")  # COTP: data, and the last packet of its message
HEAD_SIZE: Final = 7  # TPKT and COTP in front of each S7 message
REPLY_HEAD: Final = struct.Struct(">BBHHHHBB")
PACKET_HEAD: Final = struct.Struct(">BBH")
U16: Final = struct.Struct(">H")
SEQUENCE_AT: Final = 11  # in a whole packet
SETUP: Final = 0xF0
READ: Final = 0x04
ITEM_OK: Final = 0xFF
NO_CODE: Final = 0x100  # stands for the code 00, since minus zero is no error
TRANSPORTS_IN_BITS: Final = {0x03, 0x04, 0x05}  # the others count bytes
LOCAL_REFERENCE: Final = 1
SMALLEST_PDU: Final = 64
SMALLEST_TPDU: Final = 256  # holds the largest request of 20 items
WORD_LENGTHS: Final = {0x1C: 0x1C, 0x1D: 0x1D}  # counters and timers; all else is read as bytes
BYTES: Final = 0x02
PUT_GET: Final = (
    "in TIA Portal tick 'Permit access with PUT/GET communication from remote partner' "
    "(Protection & Security of the CPU), set an access level that lets it read, and download"
)
OTHER_END: Final = "is this an S7? its port is 102"


class PlcRefusedError(Exception):
    """The PLC understood and said no; the text says to what, and what to do about it."""


@attrs.frozen
class Item:
    """One stretch to read: ``size`` bytes from byte ``start``; for counters and timers a number."""

    area: int
    db: int
    start: int
    size: int


def connect_request(local_tsap: int, remote_tsap: int) -> bytes:
    """COTP connect request with packets of up to 1024 bytes."""
    cotp = struct.pack(
        ">BBHHBBBHBBHBBB",
        *(0x11, 0xE0, 0, LOCAL_REFERENCE, 0),
        *(0xC1, 2, local_tsap, 0xC2, 2, remote_tsap, 0xC0, 1, 0x0A),
    )
    return PACKET_HEAD.pack(3, 0, 4 + len(cotp)) + cotp


def check_connect_reply(packet: bytes) -> None:
    """Accept a COTP connect confirm.

    Raises:
        ConnectionAbortedError: It is a disconnect.
        ValueError: It is something else, or the packets it offers are too small.
    """
    if len(packet) < 11 or packet[4] != len(packet) - 5:
        raise ValueError(f"wanted a connect confirm, got {hex_bytes(packet)}; {OTHER_END}")
    if packet[5] & 0xF0 == 0x80:
        raise ConnectionAbortedError(f"the PLC refuses the connection (reason {packet[10]:02X})")
    if packet[5] & 0xF0 != 0xD0:
        raise ValueError(f"wanted a connect confirm, got {hex_bytes(packet)}; {OTHER_END}")
    at = 11
    while at + 2 <= len(packet):
        code, length = packet[at], packet[at + 1]
        if code == 0xC0 and length == 1 and at + 2 < len(packet):
            size = 1 << min(packet[at + 2], 16)
            if size < SMALLEST_TPDU:
                raise ValueError(f"wanted packets of {SMALLEST_TPDU} bytes or more, got {size}")
        at += 2 + length
    if at != len(packet):
        raise ValueError(f"wanted whole connect parameters, got {hex_bytes(packet, 32)}")


def setup_request(pdu: int) -> bytearray:
    """Packet that wishes for messages of ``pdu`` bytes, one at a time."""
    return _job(struct.pack(">BBHHH", SETUP, 0, 1, 1, pdu))


def parse_setup(pdu: bytes, wish: int) -> int:
    """The message size that the PLC accepted, 64 to ``wish`` bytes.

    Raises:
        ValueError: It is another answer, or another size.
    """
    if len(pdu) != 20 or pdu[12] != SETUP:
        raise ValueError(f"wanted the answer to a setup, got {hex_bytes(pdu, 24)}")
    size: int = U16.unpack_from(pdu, 18)[0]
    if not SMALLEST_PDU <= size <= wish:
        raise ValueError(f"wanted a PDU of {SMALLEST_PDU} to {wish} bytes, got {size}")
    return size


def read_request(items: Sequence[Item]) -> bytearray:
    """Packet that reads up to 20 items; its size is 7 + 12 + 12 for each item."""
    parameters = bytearray([READ, len(items)])
    for item in items:
        word_length = WORD_LENGTHS.get(item.area, BYTES)
        count, address = (item.size, item.start * 8) if word_length == BYTES else (1, item.start)
        parameters += struct.pack(
            ">BBBBHHI", 0x12, 0x0A, 0x10, word_length, count, item.db, item.area << 24 | address
        )
    return _job(bytes(parameters))


def _job(parameters: bytes) -> bytearray:
    head = struct.pack(">BBHHHH", 0x32, 0x01, 0, 0, len(parameters), 0)
    size = HEAD_SIZE + len(head) + len(parameters)
    return bytearray(PACKET_HEAD.pack(3, 0, size) + DATA_HEAD + head + parameters)


def check_reply(pdu: bytes, sequence: int) -> None:
    """Accept a whole answer without an error to the request of this sequence number.

    Raises:
        PlcRefusedError: It is an error answer.
        ValueError: It is something else.
    """
    if len(pdu) < 12:
        raise ValueError(f"wanted an S7 answer of 12 bytes or more, got {hex_bytes(pdu)}")
    head = REPLY_HEAD.unpack_from(pdu)
    protocol, message, _, answered, parameters, data, error_class, error_code = head
    if protocol != 0x32 or message not in {2, 3}:
        raise ValueError(f"wanted an S7 answer (32 03), got {hex_bytes(pdu)}")
    if answered != sequence:
        raise ValueError(f"wanted the answer to request {sequence}, got that to {answered}")
    if error_class or error_code:
        raise PlcRefusedError(header_error(error_class, error_code))
    if 12 + parameters + data != len(pdu):
        raise ValueError(f"wanted {12 + parameters + data} bytes of answer, got {len(pdu)}")


def parse_read(pdu: bytes, sizes: Sequence[int]) -> list[int]:
    """Where in ``pdu`` the bytes of each item start; for one that failed, minus its error code.

    ``pdu`` has passed ``check_reply``.

    Raises:
        ValueError: The items are not those of the request.
    """
    if pdu[6:8] != b"\x00\x02" or pdu[12] != READ or pdu[13] != len(sizes):
        raise ValueError(f"wanted an answer with {len(sizes)} items, got {hex_bytes(pdu, 24)}")
    starts: list[int] = []
    at, total = 14, len(pdu)
    for size in sizes:
        if at + 4 > total:
            raise ValueError(f"wanted item {len(starts) + 1} of {len(sizes)}, got {total} bytes")
        if pdu[at] != ITEM_OK:
            starts.append(-(pdu[at] or NO_CODE))
            at += 4
            continue
        length = pdu[at + 2] << 8 | pdu[at + 3]
        if pdu[at + 1] in TRANSPORTS_IN_BITS:
            length = length + 7 >> 3
        if length != size or at + 4 + size > total:
            raise ValueError(f"wanted an item of {size} bytes, got {hex_bytes(pdu[at:])}")
        starts.append(at + 4)
        at += 4 + size + (size & 1)
    if at not in {total, total + 1}:  # the last item has no fill byte, but some send it
        raise ValueError(f"wanted {at} bytes of items, got {total}")
    return starts


def header_error(error_class: int, error_code: int) -> str:
    """What an error of the whole answer means, and what to do about it."""
    code = f"{error_class:02X}{error_code:02X}"
    if code == "8104":
        return f"function refused by the CPU (8104): {PUT_GET}"
    if error_class == 0xD2 or code == "D0A1":
        return f"access refused by its protection level ({code}): {PUT_GET}"
    if error_class == 0x85:
        return f"wrong PDU size ({code}): lower 'pdu' to 240"
    return f"the PLC answered with error {code}"


def item_error(code: int, block: str) -> str:
    """What the error of one item means; ``block`` names the data block or area."""
    is_block = block.startswith("DB")
    standard = (
        "; in TIA Portal 'Optimized block access' must be off for it, then compile and download"
    )
    hint = standard if is_block else ""
    if code == 0x0A:
        check = f"check number and length of {block}" if is_block else f"has this CPU an {block}?"
        return f"object does not exist (0A): {check}{hint}"
    if code == 0x05:
        of = f"number and length of {block}" if is_block else f"the size of the {block}"
        return f"address out of range (05): check {of}{hint}"
    if code == 0x03:
        return f"access denied (03): {PUT_GET}"
    if code in {0x06, 0x07}:
        return f"the PLC does not read this type here ({code:02X}): check the address"
    if code == 0x01:
        return "hardware fault (01): see the diagnostics buffer of the PLC"
    return f"the PLC answered with error {code & 0xFF:02X}"


def packet_size(head: bytes, limit: int) -> int:
    """Size of the packet that begins so, head included.

    Raises:
        ValueError: It is no packet, or longer than ``limit``.
    """
    version, _, size = PACKET_HEAD.unpack_from(head)
    if version != 3:
        raise ValueError(f"wanted a packet (03 00), got {hex_bytes(head)}; {OTHER_END}")
    if not HEAD_SIZE <= size <= limit:
        raise ValueError(f"wanted a packet of {HEAD_SIZE} to {limit} bytes, got one of {size}")
    return int(size)
