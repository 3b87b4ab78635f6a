"""The ways in which the simulated PLC misbehaves."""

from collections.abc import Mapping

from hw_sim import faults
from hw_sim.faults import LINK_FAULTS, Known, helps
from hw_sim.s7 import wire
from hw_sim.tcp import Session

KNOWN: Mapping[str, Known] = {
    "refuse": Known("connections are refused, those that exist are dropped"),
    "blackhole": Known("accepts TCP, then answers nothing at all"),
    "full": Known("refuses the ISO connection, as a PLC without a free connection resource does"),
    **LINK_FAULTS,
    "garbled": Known("answers requests with random bytes inside a correct frame"),
    "wrong-sequence": Known("answers with the sequence number of another request"),
    "wrong-length": Known(
        "states ARG bytes more than an item carries, negative: fewer", 4, -4096, 4096
    ),
    "wrong-pdu": Known("negotiates the PDU size ARG, be it nonsense", 0, 0, 65535),
    "pdu240": Known("negotiates a PDU size of at most 240, as small CPUs do"),
    "stop": Known("the CPU is stopped: values freeze, reads go on"),
    "put-get-off": Known("refuses every read, as a CPU without PUT/GET permission does"),
    "access-denied": Known("refuses every item, as for a protected block"),
    "missing-db": Known("says of every item that there is no such block"),
}
FAULTS = helps(KNOWN)
ITEM_CODES = {"missing-db": wire.NO_OBJECT, "access-denied": wire.ACCESS_DENIED}


class Fault(faults.Fault):
    """One fault in force, until ``end()``; named "" it is none."""

    def __init__(self, text: str = "", seed: int = 1) -> None:
        super().__init__(text, KNOWN, seed)

    @property
    def item_code(self) -> int:
        """The return code that every item gets; 0 for none."""
        return ITEM_CODES.get(self.name, 0)

    def pdu(self, agreed: int) -> int:
        """The PDU size that is told to the client instead of the ``agreed`` one."""
        if self.name == "wrong-pdu":
            return int(self.argument)
        return min(agreed, 240) if self.name == "pdu240" else agreed

    def reply(self, session: Session, packet: bytes, number: int) -> bool:
        """Send the answer to request ``number`` of a connection; whether that goes on."""
        if self.name == "garbled":
            size = self.random.randint(3, faults.GARBAGE_SIZE)
            packet = wire.packet(self.random.randbytes(size))
        return self.answer(session.send, packet, number)
