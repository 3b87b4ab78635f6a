"""The ways in which the simulated controller misbehaves."""

from collections.abc import Iterator, Mapping
from itertools import cycle, islice

from hw_sim import faults
from hw_sim.faults import TCP_FAULTS, Known, helps
from hw_sim.luxtronik import wire
from hw_sim.tcp import Session

KNOWN: Mapping[str, Known] = {
    **TCP_FAULTS,
    "restart": Known("resets the connection at each request, as one that restarts"),
    "second-refused": Known("closes a connection at once while there is another"),
    "second-queued": Known("lets a connection wait until the one before it ends"),
    "stall": Known("stops in the middle of each answer, and keeps the connection"),
    "wrong-count": Known(
        "states ARG values, whatever it sends", 0, low=wire.SMALLEST, high=wire.LARGEST
    ),
    "few": Known("has ARG values in each table", 12, low=1, high=10000),
    "wrong-command": Known("answers as if it had been asked for another table"),
    "status": Known("gives its calculations with the status ARG", 1, wire.SMALLEST, wire.LARGEST),
    "limits": Known("gives the smallest and the largest numbers there are"),
    "odd-pieces": Known("sends in pieces of 1001 bytes, which end inside of numbers"),
    "borders": Known("sends the first byte of each number alone"),
}
FAULTS = helps(KNOWN)
ODD_SIZE = 1001
EXTREMES = (wire.LARGEST, wire.SMALLEST, -1, 0, 1, 32767, -32768, 65535)
SMALL_EXTREMES = (127, -128, -1, 0, 1)


class Fault(faults.Fault):
    """One fault in force, until ``end()``; named "" it is none."""

    def __init__(self, text: str = "", seed: int = 1) -> None:
        super().__init__(text, KNOWN, seed)

    def packet(self, table: int, values: list[int]) -> bytes:
        """The whole answer with the values of a table."""
        status, count = 0, None
        match self.name:
            case "wrong-count":
                count = int(self.argument)
            case "few":
                values = values[: int(self.argument)]
            case "status":
                status = int(self.argument)
            case "limits":
                those = SMALL_EXTREMES if table == wire.VISIBILITIES else EXTREMES
                values = list(islice(cycle(those), len(values)))
        packet = wire.reply(table, values, status, count)
        if self.name == "wrong-command":
            other = wire.TABLES[wire.TABLES.index(table) - 1]
            packet = other.to_bytes(4) + packet[4:]
        return packet

    def reply(self, session: Session, packet: bytes, number: int, head_size: int) -> bool:
        """Send the answer to request ``number`` of a connection; whether that goes on."""
        match self.name:
            case "stall":
                session.send(packet[: len(packet) // 2])
                return True
            case "odd-pieces":
                for at in range(0, len(packet), ODD_SIZE):
                    session.send(packet[at : at + ODD_SIZE])
                return True
            case "borders":
                for piece in _borders(packet, head_size):
                    session.send(piece)
                return True
        return self.answer(session.send, packet, number)


def _borders(packet: bytes, head_size: int) -> Iterator[bytes]:
    """The last three bytes of a number with the first of the next."""
    yield packet[: head_size + 1]
    for at in range(head_size + 1, len(packet), 4):
        yield packet[at : at + 4]
