"""S7 communication over ISO-on-TCP as a PLC sees it: bytes to requests, answers to bytes.

Source: RFC 1006 (TPKT), ISO 8073 (COTP) and the S7 fields as published by the Wireshark dissector
and the snap7 library. Everything is big-endian.
"""

import struct
from collections.abc import Callable, Sequence

import attrs

CONNECT, CONFIRM, DISCONNECT, DATA = 0xE0, 0xD0, 0x80, 0xF0  # COTP
JOB, ACK, ACK_DATA, USER_DATA = 1, 2, 3, 7  # S7 types
SETUP, READ, WRITE = 0xF0, 0x04, 0x05  # S7 functions
CHANGING = {WRITE, 0x1A, 0x1B, 0x1C, 0x28, 0x29}  # write, download, PLC control, PLC stop

OK, ACCESS_DENIED, OUT_OF_RANGE, BAD_TYPE, INCONSISTENT, NO_OBJECT = 0xFF, 3, 5, 6, 7, 0x0A
NOT_SUPPORTED = b"\x81\x04"  # also what a PLC without PUT/GET permission says
PDU_SIZE = b"\x85\x00"

MAX_ITEMS = 20
MAX_PARALLEL = 3  # what an S7-1200 grants
HEADER_SIZE, ANSWER_HEADER_SIZE = 10, 12
TPDU_CODE = 0x0A  # 1024 bytes

AREAS = {0x81: "I", 0x82: "Q", 0x83: "M", 0x84: "DB", 0x1C: "C", 0x1D: "T"}
BIT = 0x01
BYTE = 0x02
# Word length code: bytes of one element, transport code of the answer.
WORD_LENGTHS = {
    BIT: (1, 0x03),
    BYTE: (1, 0x04),
    0x03: (1, 0x04),  # CHAR
    0x04: (2, 0x04),  # WORD
    0x05: (2, 0x05),  # INT
    0x06: (4, 0x04),  # DWORD
    0x07: (4, 0x05),  # DINT
    0x08: (4, 0x07),  # REAL
    0x1C: (2, 0x09),  # counter
    0x1D: (2, 0x09),  # timer
}
IN_BITS = {0x04, 0x05}  # transports whose length is in bits


class WireError(Exception):
    """The peer sent what is no packet; a PLC closes the connection."""


@attrs.frozen
class Connect:
    """A COTP connect request: the client's reference and the two TSAPs, absent ones are 0."""

    source: int
    local_tsap: int
    remote_tsap: int


@attrs.frozen
class Request:
    """One S7 request: its type (job or user data), sequence number, parameters and data."""

    kind: int
    sequence: bytes
    parameters: bytes
    data: bytes

    @property
    def function(self) -> int:
        """The first parameter byte; -1 where there is none."""
        return self.parameters[0] if self.kind == JOB and self.parameters else -1

    @property
    def size(self) -> int:
        """Bytes of the whole S7 part, which the negotiated PDU limits."""
        return HEADER_SIZE + len(self.parameters) + len(self.data)


@attrs.frozen
class Item:
    """What one item of a read or write is about; ``start`` counts bits, or counters and timers.

    ``error`` is an item return code when the specification itself can't be served.
    """

    area: str
    db: int
    start: int
    count: int
    word_length: int
    error: int = 0

    @property
    def size(self) -> int:
        """Bytes of data."""
        return self.count * WORD_LENGTHS[self.word_length][0]


def read_packet(receive: Callable[[int], bytes]) -> bytes:
    """The COTP part of the next packet; ``receive(n)`` returns exactly ``n`` bytes.

    Raises:
        WireError: It is no TPKT packet, or its lengths contradict each other.
    """
    version, _, size = struct.unpack(">BBH", receive(4))
    if version != 3 or size < 7:
        raise WireError(f"no TPKT header: version {version}, length {size}")
    packet = receive(size - 4)
    if not 2 <= packet[0] < len(packet):
        raise WireError(f"COTP length {packet[0]} in a packet of {len(packet)} bytes")
    return packet


def packet(cotp: bytes) -> bytes:
    """COTP bytes in a TPKT frame."""
    return struct.pack(">BBH", 3, 0, 4 + len(cotp)) + cotp


def parse_connect(cotp: bytes) -> Connect:
    """A connect request, its parameters in any order.

    Raises:
        WireError: It is too short, or a parameter reaches beyond it.
    """
    end = cotp[0] + 1
    if end < 7:
        raise WireError("COTP connect request is too short")
    tsaps = {0xC1: 0, 0xC2: 0}
    at = 7
    while at < end:
        if at + 2 > end or at + 2 + cotp[at + 1] > end:
            raise WireError("COTP parameter is cut short")
        value = cotp[at + 2 : at + 2 + cotp[at + 1]]
        if cotp[at] in tsaps:
            tsaps[cotp[at]] = int.from_bytes(value)
        at += 2 + len(value)
    return Connect(int.from_bytes(cotp[4:6]), tsaps[0xC1], tsaps[0xC2])


def confirm(connect: Connect) -> bytes:
    """The packet that accepts a connection."""
    references = struct.pack(">BHHB", CONFIRM, connect.source, 1, 0)
    tsaps = struct.pack(">BBHBBH", 0xC1, 2, connect.local_tsap, 0xC2, 2, connect.remote_tsap)
    body = references + bytes((0xC0, 1, TPDU_CODE)) + tsaps
    return packet(bytes((len(body),)) + body)


def refuse(connect: Connect) -> bytes:
    """The packet that refuses a connection, as a PLC does whose resources are used up."""
    return packet(struct.pack(">BBHHB", 6, DISCONNECT, connect.source, 0, 0))


def parse_request(pdu: bytes) -> Request:
    """The S7 part of a data packet.

    Raises:
        WireError: It has no S7 header, or its lengths don't add up.
    """
    if len(pdu) < HEADER_SIZE or pdu[0] != 0x32:
        raise WireError("no S7 header")
    parameters, data = struct.unpack(">HH", pdu[6:HEADER_SIZE])
    if HEADER_SIZE + parameters + data != len(pdu):
        raise WireError(f"S7 lengths {parameters} and {data} in {len(pdu)} bytes")
    middle = HEADER_SIZE + parameters
    return Request(pdu[1], pdu[4:6], pdu[HEADER_SIZE:middle], pdu[middle:])


def answer(request: Request, parameters: bytes = b"", data: bytes = b"") -> bytes:
    """The packet of a good answer."""
    return _answer(ACK_DATA, request, b"\0\0", parameters, data)


def failure(request: Request, code: bytes) -> bytes:
    """The packet that answers a request with a header error.

    An S7-1200 without PUT/GET permission sends it so, in a capture that users of nodeS7 shared:
    ``03 00 00 13 02 f0 80 32 02 00 00 00 02 00 00 00 00 81 04``.
    """
    return _answer(ACK, request, code)


def _answer(
    kind: int, request: Request, code: bytes, parameters: bytes = b"", data: bytes = b""
) -> bytes:
    lengths = struct.pack(">HH", len(parameters), len(data))
    head = bytes((2, DATA, 0x80, 0x32, kind, 0, 0)) + request.sequence + lengths + code
    return packet(head + parameters + data)


def parse_items(parameters: bytes) -> list[Item]:
    """The items of a read or write job.

    Raises:
        ValueError: There are none or too many, or the bytes don't hold them.
    """
    if len(parameters) < 2 or not 1 <= parameters[1] <= MAX_ITEMS:
        raise ValueError("a job has 1 to 20 items")
    items, at = [], 2
    for _ in range(parameters[1]):
        if at + 2 > len(parameters):
            raise ValueError("an item is missing")
        size = 2 + parameters[at + 1]
        items.append(_parse_item(parameters[at : at + size]))
        at += size
    if at != len(parameters):
        raise ValueError("items and parameter length differ")
    return items


def _parse_item(item: bytes) -> Item:
    if len(item) != 12 or item[0] != 0x12 or item[2] != 0x10:
        return Item("", 0, 0, 0, BYTE, BAD_TYPE)  # symbolic addressing, as a panel may ask
    word_length, count, db, area = struct.unpack(">BHHB", item[3:9])
    start = int.from_bytes(item[9:12])
    is_known = word_length in WORD_LENGTHS and area in AREAS
    if not is_known or (word_length == BIT and count != 1):
        return Item("", db, start, count, BYTE, BAD_TYPE)
    return Item(AREAS[area], db, start, count, word_length)


def encode_item(item: Item, data: bytes, length: int | None = None) -> bytes:
    """One item of a read answer; ``length`` (bytes) overrides the true one, to lie."""
    transport = WORD_LENGTHS[item.word_length][1]
    size = len(data) if length is None else length
    return struct.pack(">BBH", OK, transport, size * 8 if transport in IN_BITS else size) + data


def join_items(items: Sequence[bytes]) -> bytes:
    """Items one after the other; all but the last are filled up to even length."""
    return b"".join(item + b"\0" * (len(item) % 2) for item in items[:-1]) + items[-1]


def parse_write_data(data: bytes, count: int) -> list[bytes]:
    """The data items of a write job, without their heads.

    Raises:
        ValueError: The bytes don't hold ``count`` items.
    """
    found, at = [], 0
    for _ in range(count):
        if at + 4 > len(data):
            raise ValueError("a data item is missing")
        transport, length = struct.unpack(">BH", data[at + 1 : at + 4])
        size = (length + 7) // 8 if transport in IN_BITS else length
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size + size % 2
    return found
