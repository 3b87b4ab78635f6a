"""A Siemens S7 PLC that isn't there: ISO-on-TCP server with moving values and faults on demand."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import ClassVar

from hw_sim.contract import RunsInside
from hw_sim.s7 import wire
from hw_sim.s7.conversation import Conversation, Plc
from hw_sim.s7.faults import FAULTS, Fault
from hw_sim.s7.memory import Memory, Write
from hw_sim.tcp import Listener, Session

DEFAULT_PDU = 480


class S7Simulator(RunsInside):
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
        self._plc = Plc(Memory(seed, clock), pdu, writable, tsaps, on_write)
        self._seed = seed
        self._frozen = frozen
        if frozen:
            self._plc.memory.freeze()
        self._listener = Listener(host, port, self._serve)
        self._is_started = False

    @property
    def host(self) -> str:
        """Where it listens."""
        return self._listener.host

    @property
    def port(self) -> int:
        """The TCP port; the real one once started."""
        return self._listener.port

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def write_requests(self) -> int:
        """Requests to change something: writes, downloads, PLC control and stop."""
        return self._plc.write_requests

    def start(self) -> None:
        """Accept connections; twice is fine.

        Raises:
            OSError: The port is taken or not allowed, or the host not ours.
        """
        if not self._is_started:
            self._listener.open()
            self._is_started = True
            self.set_fault(self.fault)  # one that was set before

    def stop(self) -> None:
        """Free the port, drop the sessions, end their threads; twice is fine."""
        self._is_started = False
        self._plc.fault.end()
        self._listener.close()

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

    @property
    def fault(self) -> str | None:
        """The name and argument of the fault in force."""
        return self._plc.fault.text or None

    def set_fault(self, fault: str | None) -> None:
        """Misbehave as ``NAME`` or ``NAME:ARG`` of ``FAULTS``; ``None`` ends it.

        Those about connecting and PDU sizes meet only connections made from now on, ``refuse``
        drops the others. Whatever waits because of the former fault goes on at once.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """
        new = Fault(fault or "", self._seed)
        self._plc.fault.end()
        self._plc.fault = new
        if new.name == "stop" or self._frozen:
            self._plc.memory.freeze()
        else:
            self._plc.memory.thaw()
        if not self._is_started:
            return
        if new.name == "refuse":
            self._listener.refuse()
        else:
            self._listener.open()

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

    def _serve(self, session: Session) -> None:
        try:
            Conversation(self._plc, session).run()
        except wire.WireError:
            return  # a PLC closes
