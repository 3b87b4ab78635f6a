"""One connection to an S7: asks, and gets the answer to what it asked, in time."""

from agent.clock import Deadline
from agent.devices.contract import hex_bytes
from agent.devices.links.link import Link
from agent.devices.s7.wire import (
    DATA_HEAD,
    HEAD_SIZE,
    SEQUENCE_AT,
    U16,
    check_connect_reply,
    check_reply,
    connect_request,
    packet_size,
    parse_setup,
    setup_request,
)


class Connection:
    """One S7 connection over a link. Every step shares the caller's deadline."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._received = b""
        self._sequence = 0
        self._limit = HEAD_SIZE + 253  # until the PDU is negotiated
        self._pdu = 253

    def handshake(self, local_tsap: int, remote_tsap: int, wish: int, deadline: Deadline) -> int:
        """Connect on COTP, then agree on the PDU size, which is returned.

        Raises:
            PlcRefusedError, ValueError, OSError: As the PLC answered.
        """
        self._send(connect_request(local_tsap, remote_tsap), deadline)
        check_connect_reply(self._receive_packet(deadline))
        self._pdu = parse_setup(self.ask(setup_request(wish), deadline), wish)
        self._limit = HEAD_SIZE + self._pdu
        return self._pdu

    def ask(self, request: bytearray, deadline: Deadline) -> bytes:
        """Send a packet under the next sequence number, which is put into it; the S7 answer.

        Raises:
            PlcRefusedError, ValueError, OSError: As the PLC answered.
        """
        if self._received:
            raise ValueError(f"wanted nothing, got {hex_bytes(self._received)}")
        self._sequence = self._sequence % 0xFFFF + 1
        U16.pack_into(request, SEQUENCE_AT, self._sequence)
        self._send(request, deadline)
        pdu = self._receive_message(deadline)
        check_reply(pdu, self._sequence)
        return pdu

    def close(self) -> None:
        self._link.close()

    def _send(self, packet: bytes | bytearray, deadline: Deadline) -> None:
        self._link.send(bytes(packet), deadline)

    def _receive_message(self, deadline: Deadline) -> bytes:
        message = b""
        while True:
            packet = self._receive_packet(deadline)
            if packet[4:6] != DATA_HEAD[:2]:
                self._refuse_packet(packet)
            message = message + packet[HEAD_SIZE:] if message else packet[HEAD_SIZE:]
            if packet[6] & 0x80:
                return message
            # Another piece follows; one without bytes could follow for ever.
            if len(packet) == HEAD_SIZE or len(message) > self._pdu:
                raise ValueError(f"wanted an answer of up to {self._pdu} bytes, got more pieces")

    def _refuse_packet(self, packet: bytes) -> None:
        if packet[5] & 0xF0 == 0x80:
            raise ConnectionAbortedError("the PLC ended the connection")
        raise ValueError(f"wanted a data packet (02 F0), got {hex_bytes(packet)}")

    def _receive_packet(self, deadline: Deadline) -> bytes:
        received, size = self._received, 0
        while True:
            if not size and len(received) >= 4:
                size = packet_size(received, self._limit)
            if size and len(received) >= size:
                packet, self._received = received[:size], received[size:]
                return packet
            received += self._receive(len(received), size, deadline)

    def _receive(self, got: int, wanted: int, deadline: Deadline) -> bytes:
        try:
            return self._link.receive(4096, deadline)
        except TimeoutError as exc:
            of = f" of {wanted}" if wanted else ""
            text = f"no answer within {deadline.timeout_s:g} s, got {got}{of} bytes"
            raise TimeoutError(text) from exc
        except ConnectionAbortedError as exc:
            text = f"the PLC closed the connection after {got} bytes of answer"
            raise ConnectionAbortedError(text) from exc
