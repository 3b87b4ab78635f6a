"""A Siemens S7 PLC that isn't there: ISO-on-TCP server with moving values and faults on demand."""

import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import ClassVar

from hw_sim.entrance import TcpEntrance
from hw_sim.link_simulator import LinkSimulator
from hw_sim.s7 import wire
from hw_sim.s7.conversation import Conversation, Plc
from hw_sim.s7.faults import FAULTS, Fault
from hw_sim.s7.memory import Memory, Write
from hw_sim.tcp import Session

DEFAULT_PDU = 480


class S7Simulator(LinkSimulator[Fault]):
    """One PLC on one TCP port, for any number of connections.

    Args:
        port: 0 takes any free one; ``port`` says which, once started.
        pdu: Largest PDU size it negotiates, in bytes.
        seed: The same seed makes values move and noise sound the same.
        writable: Writes are applied and answered with success; else each gets "access denied".
        frozen: Values stay at what the tables in ``hw_sim.s7.tags`` say until ``thaw()``.
        tsaps: The remote TSAPs that are let in, ``None`` for any.
        on_write: Told of every written item, in the thread of the connection.
        clock: Seconds that only rise; values move with it.
    """

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        pdu: int = DEFAULT_PDU,
        seed: int = 1,
        writable: bool = False,
        frozen: bool = False,
        tsaps: Collection[int] | None = None,
        on_write: Callable[[Write], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(TcpEntrance(host, port, self._serve), partial(Fault, seed=seed))
        memory = Memory(seed, clock)
        self._plc = Plc(memory, pdu, writable, tsaps, on_write, self.fault_in_force)
        self._frozen = frozen
        if frozen:
            memory.freeze()

    @property
    def write_requests(self) -> int:
        """Requests to change something: writes, downloads, PLC control and stop."""
        return self._plc.write_requests

    @property
    def requests(self) -> int:
        """S7 requests after setup, reads and all others."""
        return self._plc.requests

    @property
    def writes(self) -> list[Write]:
        """Every item that clients asked to write, in order."""
        return self._plc.writes

    @property
    def tsaps_seen(self) -> list[tuple[int, int]]:
        """(local, remote) TSAP of every connect request, in order."""
        return self._plc.tsaps_seen

    @property
    def pdus_agreed(self) -> list[int]:
        """The PDU sizes that setups were answered with, in bytes."""
        return self._plc.pdus_agreed

    def freeze(self) -> None:
        """Values stay as they are."""
        self._frozen = True
        self._plc.memory.freeze()

    def thaw(self) -> None:
        """Values move on."""
        self._frozen = False
        self._plc.memory.thaw()

    def set_bytes(self, db: int, start: int, data: bytes, area: str = "DB") -> None:
        """Put bytes into a block, which is made or made longer if need be.

        ``area`` is DB, I, Q, M, C or T; ``db`` is 0 for all but DB. DB1 moves on from there
        unless it is frozen.
        """
        self._plc.memory.set_bytes(db, start, data, area)

    def get_bytes(self, db: int, start: int, size: int, area: str = "DB") -> bytes:
        """What a client would read; fewer bytes beyond the end, ``KeyError`` without the block."""
        return self._plc.memory.get_bytes(db, start, size, area)

    def remove_db(self, db: int) -> None:
        """Forget a data block, as a deleted one."""
        self._plc.memory.remove_db(db)

    def _apply_fault(self, fault: Fault) -> None:
        self._plc.fault = fault
        if fault.name == "stop" or self._frozen:
            self._plc.memory.freeze()
        else:
            self._plc.memory.thaw()

    def _serve(self, session: Session) -> None:
        try:
            Conversation(self._plc, session).run()
        except wire.WireError:
            return  # a PLC closes
