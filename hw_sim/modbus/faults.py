"""The ways in which the simulated meters misbehave."""

import struct
from collections.abc import Mapping

from hw_sim import faults
from hw_sim.faults import LINK_FAULTS, TCP_FAULTS, Known, helps
from hw_sim.modbus import wire

ANSWER_FAULTS: Mapping[str, Known] = {
    "wrong-unit": Known("answers as unit ARG", 77, 0, 255),
    "wrong-function": Known("answers to function ARG", 6, 0, 127),
    "wrong-count": Known("states ARG bytes more than it sends, negative: fewer", 2, -255, 255),
    "short": Known("answers with ARG registers fewer than asked for", 1, 1, 125),
    "long": Known("answers with ARG registers more than asked for", 1, 1, 125),
    "exception": Known("answers everything with exception ARG", 2, 1, 255),
    "busy": Known("says to everything that it is busy (06)"),
    "late": Known("sends each answer only when the next request has come"),
    "swapped": Known("answers with what was the answer to the request before"),
    "absent": Known("unit ARG is silent, and the gateway says so (0B)", 2, 1, 255),
    "mute": Known("unit ARG does not answer", 2, 1, 255),
    "limits": Known("all values are at the limits of their types, floats also beyond"),
    "frozen": Known("values don't move"),
}
KNOWN_TCP: Mapping[str, Known] = {
    **TCP_FAULTS,
    **ANSWER_FAULTS,
    "wrong-id": Known("answers with the transaction number of another request"),
    "mbap-length": Known("states ARG as the length of its answers", 0, 0, 65535),
    "protocol-id": Known("answers with protocol ARG", 1, 1, 65535),
}
KNOWN_RTU: Mapping[str, Known] = {
    **LINK_FAULTS,
    **ANSWER_FAULTS,
    "crc": Known("answers with wrong check sums"),
    "noise": Known("sends ARG stray bytes before each answer", 3, 1, 256),
    "echo": Known("every request comes back before its answer, as over two wires"),
    "unplug": Known("the port is gone"),
    "replug": Known("the port goes and comes back at once"),
}
TCP_HELP, RTU_HELP = helps(KNOWN_TCP), helps(KNOWN_RTU)


class Fault(faults.Fault):
    """One fault in force, until ``end()``; named "" it is none."""

    @property
    def code(self) -> int:
        """The exception that answers everything; 0 for none."""
        return {"exception": int(self.argument), "busy": wire.BUSY}.get(self.name, 0)

    def has_unit(self, name: str, unit_id: int) -> bool:
        """Whether the fault of that name concerns the unit."""
        return self.name == name and int(self.argument) == unit_id

    def unit(self, unit_id: int) -> int:
        """The unit that is told to answer."""
        return int(self.argument) if self.name == "wrong-unit" else unit_id

    def garble(self, pdu: bytes) -> bytes:
        """What becomes of an answer, its frame aside."""
        number = int(self.argument)
        match self.name:
            case "wrong-function":
                return bytes((number,)) + pdu[1:]
            case "wrong-count" if len(pdu) > 2:
                return pdu[:1] + bytes(((pdu[1] + number) % 256,)) + pdu[2:]
            case "short" if len(pdu) > 3:
                data = pdu[2 : max(2, len(pdu) - 2 * number)]
                return pdu[:1] + bytes((len(data),)) + data
            case "long" if 2 < len(pdu) < 253:
                data = pdu[2:] + bytes(min(2 * number, 252 - len(pdu)))
                return pdu[:1] + bytes((len(data),)) + data
        return pdu

    def tcp_frame(self, transaction: int, unit_id: int, pdu: bytes) -> bytes:
        """A whole answer over TCP."""
        frame = wire.tcp_frame(transaction, self.unit(unit_id), self.garble(pdu))
        number = int(self.argument)
        match self.name:
            case "wrong-id":
                return struct.pack(">H", transaction ^ 0x100) + frame[2:]
            case "protocol-id":
                return frame[:2] + struct.pack(">H", number) + frame[4:]
            case "mbap-length":
                return frame[:4] + struct.pack(">H", number) + frame[6:]
        return frame

    def rtu_frame(self, unit_id: int, pdu: bytes, request: bytes) -> bytes:
        """A whole answer on a serial line."""
        frame = wire.rtu_frame(self.unit(unit_id), self.garble(pdu))
        match self.name:
            case "crc":
                return frame[:-1] + bytes((frame[-1] ^ 0x55,))
            case "noise":
                return self.random.randbytes(int(self.argument)) + frame
            case "echo":
                return request + frame
        return frame
