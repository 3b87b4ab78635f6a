"""Finds out whether an S7 is at an address, at which slot, and whether it may be read."""

import struct
from collections.abc import Mapping
from typing import Final

from agent.clock import Deadline
from agent.devices.contract import Found, address_of, device_errors
from agent.devices.links.link import Link, OpenLink, Stream
from agent.devices.links.tcp import LookUp, tcp_opener
from agent.devices.s7.connection import Connection
from agent.devices.s7.options import CONNECTIONS, LOCAL_TSAP
from agent.devices.s7.wire import (
    DATA_HEAD,
    HEAD_SIZE,
    PACKET_HEAD,
    Item,
    PlcRefusedError,
    item_error,
    packet_size,
    parse_read,
    read_request,
)
from agent.errors import DeviceError
from agent.model import Reason

SLOTS: Final = (1, 2, 3)  # of S7-1200/1500, S7-300, S7-400
PDU: Final = 480
EXAMPLE: Final = {"name": "example", "address": "MB0"}
MARKERS: Final = 0x83
ACCESS_DENIED: Final = 0x03
WHAT_IT_IS: Final = 0x001C  # the list of system states that says which CPU this is
RECORD: Final = struct.Struct(">H32s")
NAMES: Final = {1: "station", 7: "cpu"}
ADDRESSES: Final = "put the addresses of your program in place of the tag 'example'"


def probe(
    host: str, port: int, timeout_s: float, open_link: OpenLink | None = None
) -> Found | None:
    """The PLC at an address; ``None`` for what speaks another language.

    Raises:
        DeviceError: It speaks ISO-on-TCP, or nothing, and lets nobody in.
    """
    where = address_of(host, port)
    deadline = Deadline(timeout_s)
    opener = open_link or tcp_opener(LookUp(host, port))
    refused: OSError | None = None
    with device_errors(f"looking for an S7 at {where}"):
        for slot in SLOTS:
            link = opener(deadline)
            try:
                return _identified(link, (host, port, slot), where, deadline)
            except PlcRefusedError:
                return None  # no S7 refuses the setup
            except ValueError:
                return None
            except ConnectionError as exc:
                refused = exc
            finally:
                link.close()
    tried = ", ".join(map(str, SLOTS))
    text = (
        f"looking for an S7 at {where}: {refused}: something listens there and lets nobody in at "
        f"slots {tried}; a PLC with another slot, or all of its connections are in use"
    )
    raise DeviceError(text, Reason.REFUSED)


def _identified(link: Link, place: tuple[str, int, int], where: str, deadline: Deadline) -> Found:
    host, port, slot = place
    connection = Connection(link)
    pdu = connection.handshake(LOCAL_TSAP, CONNECTIONS["OP"] << 8 | slot, PDU, deadline)
    facts = {"slot": str(slot), "pdu": str(pdu)}
    try:
        note = _readable(connection, deadline)
        facts = {**_names(link, deadline), **facts}
    except (OSError, ValueError):  # it is an S7 all the same
        note = ADDRESSES
    options = {"host": host, "port": port, "rack": 0, "slot": slot, "tag": [dict(EXAMPLE)]}
    return Found(where, options, facts, note)


def _readable(connection: Connection, deadline: Deadline) -> str:
    """What a user has to do before the PLC can be read."""
    why = ""
    try:
        request = read_request([Item(MARKERS, 0, 0, 1)])
        (start,) = parse_read(connection.ask(request, deadline), [1])
        if start == -ACCESS_DENIED:
            why = item_error(ACCESS_DENIED, "M")
    except PlcRefusedError as exc:
        why = str(exc)
    return f"it can't be read yet: {why}; then {ADDRESSES}" if why else ADDRESSES


def _names(link: Link, deadline: Deadline) -> Mapping[str, str]:
    """Station and type of the CPU, as far as it tells them."""
    stream = Stream(link)
    stream.send(names_request(), deadline)
    head = stream.exactly(4, deadline)
    return parse_names(stream.exactly(packet_size(head, HEAD_SIZE + PDU) - 4, deadline)[3:])


def names_request() -> bytes:
    """Packet that asks for the names of a CPU; it changes nothing.

    Source: the S7 dissector of Wireshark (user data, CPU functions, read SZL).
    """
    parameters = bytes.fromhex("000112 04 11 44 01 00")
    data = struct.pack(">BBHHH", 0xFF, 0x09, 4, WHAT_IT_IS, 0)
    head = struct.pack(">BBHHHH", 0x32, 7, 0, 3, len(parameters), len(data))
    size = HEAD_SIZE + len(head) + len(parameters) + len(data)
    return PACKET_HEAD.pack(3, 0, size) + DATA_HEAD + head + parameters + data


def parse_names(pdu: bytes) -> Mapping[str, str]:
    """Station and CPU of the whole records in an answer, which may be cut; empty for a refusal.

    >>> parse_names(bytes.fromhex("3202000000030000000081 04"))
    {}
    """
    if pdu[:2] != b"\x32\x07" or len(pdu) < 10:
        return {}
    at = 10 + struct.unpack_from(">H", pdu, 6)[0]
    body = pdu[at:]
    if body[:1] != b"\xff" or len(body) < 12:
        return {}
    size, count = struct.unpack_from(">HH", body, 8)
    if size != RECORD.size:
        return {}
    found = {}
    for start in range(12, min(len(body) - size, 12 + size * (count - 1)) + 1, size):
        index, text = RECORD.unpack_from(body, start)
        name = text.split(b"\0")[0].decode("latin-1").strip()
        if index in NAMES and name and name.isprintable():
            found[NAMES[index]] = name
    return found
