"""What the simulated PLC says on one connection."""

import struct
import threading
from collections.abc import Callable, Collection

import attrs

from hw_sim.s7 import wire
from hw_sim.s7.faults import Fault
from hw_sim.s7.memory import Memory, Write
from hw_sim.tcp import Session


@attrs.define
class Plc:
    """What all connections share, and what is remembered of them."""

    memory: Memory
    pdu: int
    writable: bool
    tsaps: Collection[int] | None
    on_write: Callable[[Write], None] | None
    fault: Fault
    tsaps_seen: list[tuple[int, int]] = attrs.Factory(list)
    pdus_agreed: list[int] = attrs.Factory(list)
    writes: list[Write] = attrs.Factory(list)
    requests: int = 0
    write_requests: int = 0
    lock: threading.Lock = attrs.Factory(threading.Lock)  # of the lists and counters

    def count(self, request: wire.Request) -> None:
        """One more request after setup."""
        with self.lock:
            self.requests += 1
            self.write_requests += request.function in wire.CHANGING


class Conversation:
    """One connection: what was agreed on it, and its requests one after the other."""

    def __init__(self, plc: Plc, session: Session) -> None:
        self._plc = plc
        self._session = session
        self._pdu = 0  # nothing agreed
        self._number = 0  # of requests after setup
        self._part = b""  # of a request in several data packets

    def run(self) -> None:
        """Until either side has had enough."""
        goes_on = True
        while goes_on:
            cotp = wire.read_packet(self._session.receive)
            if self._plc.fault.name != "blackhole":
                goes_on = self._packet(cotp)

    def _packet(self, cotp: bytes) -> bool:
        match cotp[1] & 0xF0:
            case wire.CONNECT:
                return self._connect(wire.parse_connect(cotp))
            case wire.DATA:
                self._part += cotp[cotp[0] + 1 :]
                if cotp[2] & 0x80 == 0:
                    return True  # more of it follows
                request, self._part = wire.parse_request(self._part), b""
                return self._request(request)
            case wire.DISCONNECT:
                return False
        raise wire.WireError(f"COTP type {cotp[1]:#04x}")

    def _connect(self, connect: wire.Connect) -> bool:
        plc, fault = self._plc, self._plc.fault
        with plc.lock:
            plc.tsaps_seen.append((connect.local_tsap, connect.remote_tsap))
        is_unknown = plc.tsaps is not None and connect.remote_tsap not in plc.tsaps
        if is_unknown or fault.name == "full":
            self._session.send(wire.refuse(connect))
            return False
        fault.send(self._session.send, wire.confirm(connect))
        return True

    def _request(self, request: wire.Request) -> bool:
        fault = self._plc.fault
        if request.function == wire.SETUP:
            fault.send(self._session.send, self._setup(request, fault))
            return True
        self._plc.count(request)
        self._number += 1
        packet = self._reply(request, fault)
        if fault.name == "wrong-sequence":
            packet = packet[:11] + (int.from_bytes(request.sequence) ^ 1).to_bytes(2) + packet[13:]
        return fault.reply(self._session, packet, self._number)

    def _setup(self, request: wire.Request, fault: Fault) -> bytes:
        if len(request.parameters) != 8:
            return wire.failure(request, wire.PDU_SIZE)
        calling, called, wish = struct.unpack(">HHH", request.parameters[2:])
        self._pdu = min(wish, self._plc.pdu)
        told = fault.pdu(self._pdu)
        if fault.name == "pdu240":
            self._pdu = told
        with self._plc.lock:
            self._plc.pdus_agreed.append(told)
        jobs = (min(calling, wire.MAX_PARALLEL), min(called, wire.MAX_PARALLEL))
        return wire.answer(request, struct.pack(">BBHHH", wire.SETUP, 0, *jobs, told))

    def _reply(self, request: wire.Request, fault: Fault) -> bytes:
        if request.function not in (wire.READ, wire.WRITE) or not self._pdu:
            return wire.failure(request, wire.NOT_SUPPORTED)
        if fault.name == "put-get-off":
            return wire.failure(request, wire.NOT_SUPPORTED)
        if request.size > self._pdu:
            return wire.failure(request, wire.PDU_SIZE)
        try:
            items = wire.parse_items(request.parameters)
            serve = self._read if request.function == wire.READ else self._write
            data = serve(request, items, fault)
        except ValueError:  # the lengths inside don't add up
            return wire.failure(request, wire.PDU_SIZE)
        if wire.ANSWER_HEADER_SIZE + 2 + len(data) > self._pdu:
            return wire.failure(request, wire.PDU_SIZE)
        return wire.answer(request, request.parameters[:2], data)

    def _read(self, _: wire.Request, items: list[wire.Item], fault: Fault) -> bytes:
        extra = int(fault.argument) if fault.name == "wrong-length" else 0
        found = []
        for item in items:
            code, data = self._plc.memory.read(item)
            if fault.item_code or code != wire.OK:
                found.append(bytes((fault.item_code or code, 0, 0, 0)))
            else:
                found.append(wire.encode_item(item, data, max(len(data) + extra, 0)))
        return wire.join_items(found)

    def _write(self, request: wire.Request, items: list[wire.Item], fault: Fault) -> bytes:
        plc = self._plc
        allowed = plc.writable and not fault.item_code
        codes = []
        data = wire.parse_write_data(request.data, len(items))
        for item, content in zip(items, data, strict=True):
            write = plc.memory.write(item, content, allowed=allowed)
            codes.append(fault.item_code or write.code)
            with plc.lock:
                plc.writes.append(write)
            if plc.on_write is not None:
                plc.on_write(write)
        return bytes(codes)
