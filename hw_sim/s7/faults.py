"""The ways in which the simulated PLC misbehaves."""

import difflib
import math
import random
import threading
from collections.abc import Mapping

from hw_sim.s7 import wire
from hw_sim.tcp import Session

FAULTS: Mapping[str, str] = {
    "refuse": "connections are refused, those that exist are dropped",
    "blackhole": "accepts TCP, then answers nothing at all",
    "full": "refuses the ISO connection, as a PLC without a free connection resource does",
    "silent": "connects and sets up, then answers no request",
    "drop": "closes at request number ARG of a connection (default 1), without an answer",
    "delay": "waits ARG seconds before each answer to a request (default 2)",
    "half": "sends everything in pieces of three bytes, ARG seconds apart (default 0.01)",
    "trickle": "sends everything byte by byte, ARG seconds apart (default 1)",
    "half-close": "sends half of an answer, then closes",
    "garbage": "answers requests with random bytes",
    "garbled": "answers requests with random bytes inside a correct frame",
    "wrong-sequence": "answers with the sequence number of another request",
    "wrong-length": "states ARG bytes more than an item carries (default 4, negative: fewer)",
    "wrong-pdu": "negotiates the PDU size ARG, be it nonsense (default 0)",
    "pdu240": "negotiates a PDU size of at most 240, as small CPUs do",
    "stop": "the CPU is stopped: values freeze, reads go on",
    "put-get-off": "refuses every read, as a CPU without PUT/GET permission does",
    "access-denied": "refuses every item, as for a protected block",
    "missing-db": "says of every item that there is no such block",
}
DEFAULTS = {
    "drop": 1.0,
    "delay": 2.0,
    "half": 0.01,
    "trickle": 1.0,
    "wrong-length": 4.0,
    "wrong-pdu": 0.0,
}
IN_PIECES = {"half": 3, "trickle": 1}  # bytes of a piece
ITEM_CODES = {"missing-db": wire.NO_OBJECT, "access-denied": wire.ACCESS_DENIED}
GARBAGE_SIZE = 200


class Fault:
    """One fault in force, until ``end()``; named "" it is none."""

    def __init__(self, text: str = "", seed: int = 1) -> None:
        """Parse ``NAME`` or ``NAME:ARG``.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """
        self.text = text.strip()
        self.name, _, argument = self.text.partition(":")
        if self.name and self.name not in FAULTS:
            close = difflib.get_close_matches(self.name, FAULTS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(FAULTS)}"
            raise ValueError(f"no fault {self.name!r}: {hint}")
        self.argument = DEFAULTS.get(self.name, 0.0)
        if argument:
            self.argument = self._parse_argument(argument)
        self._random = random.Random(seed)
        self._ended = threading.Event()

    def end(self) -> None:
        """Whatever still waits because of it goes on at once."""
        self._ended.set()

    @property
    def item_code(self) -> int:
        """The return code that every item gets; 0 for none."""
        return ITEM_CODES.get(self.name, 0)

    def pdu(self, agreed: int) -> int:
        """The PDU size that is told to the client instead of the ``agreed`` one."""
        if self.name == "wrong-pdu":
            return int(self.argument)
        return min(agreed, 240) if self.name == "pdu240" else agreed

    def send(self, session: Session, packet: bytes) -> None:
        """Send a packet of the connection's beginning."""
        size = IN_PIECES.get(self.name, len(packet))
        for at in range(0, len(packet), size):
            if at and not self._ended.is_set():
                self._ended.wait(self.argument)
            session.send(packet[at : at + size])

    def answer(self, session: Session, packet: bytes, number: int) -> bool:
        """Send the answer to request ``number`` of a connection; whether that goes on."""
        match self.name:
            case "silent":
                return True
            case "drop" if number >= self.argument:
                return False
            case "half-close":
                session.send(packet[: len(packet) // 2])
                return False
            case "delay":
                self._ended.wait(self.argument)
            case "garbage":
                packet = self._random.randbytes(self._random.randint(1, GARBAGE_SIZE))
            case "garbled":
                packet = wire.packet(self._random.randbytes(self._random.randint(3, GARBAGE_SIZE)))
        self.send(session, packet)
        return True

    def _parse_argument(self, text: str) -> float:
        if self.name not in DEFAULTS:
            raise ValueError(f"fault {self.name!r} has no argument, got {text!r}")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        low, high = {"wrong-pdu": (0, 65535), "wrong-length": (-4096, 4096)}.get(
            self.name, (0, 86400)
        )
        if not low <= value <= high:  # also not a number
            raise ValueError(f"fault {self.name!r} takes a number {low} to {high}, got {text!r}")
        return value
