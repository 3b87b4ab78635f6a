"""Energy meters behind a gateway on a TCP port."""

import struct
import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from hw_sim.entrance import TcpEntrance
from hw_sim.faults import Known
from hw_sim.modbus.faults import KNOWN_TCP, TCP_HELP
from hw_sim.modbus.plant import Write
from hw_sim.modbus.simulator import DEFAULT_UNITS, ModbusSimulator
from hw_sim.tcp import Session


class ModbusTcpSimulator(ModbusSimulator):
    """Meters behind a gateway on one TCP port, for any number of connections.

    Args:
        port: 0 takes any free one; ``port`` says which, once started.
    """

    FAULTS: ClassVar[Mapping[str, str]] = TCP_HELP
    KNOWN: ClassVar[Mapping[str, Known]] = KNOWN_TCP

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        units: int = DEFAULT_UNITS,
        seed: int = 1,
        writable: bool = False,
        frozen: bool = False,
        on_write: Callable[[Write], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            TcpEntrance(host, port, self._serve),
            units=units,
            seed=seed,
            writable=writable,
            frozen=frozen,
            on_write=on_write,
            clock=clock,
        )

    def drop_sessions(self) -> None:
        """Close every connection, as devices do with those that were idle for long."""
        self._entrance.reset()

    def _serve(self, session: Session) -> None:
        if self._plant.fault.name == "too-many":
            return
        number, goes_on = 0, True
        while goes_on:
            transaction, protocol, length, unit_id = struct.unpack(">HHHB", session.receive(7))
            if protocol or not 2 <= length <= 254:
                return
            pdu = session.receive(length - 1)
            number += 1
            goes_on = self._reply(session, transaction, unit_id, pdu, number)

    def _reply(
        self, session: Session, transaction: int, unit_id: int, pdu: bytes, number: int
    ) -> bool:
        answer = self._plant.answer(unit_id, pdu)
        if answer is None:
            return True
        fault = self._plant.fault
        frame = fault.tcp_frame(transaction, unit_id, answer)
        if fault.name == "late":
            frame = self._plant.hold(frame)
        return fault.answer(session.send, frame, number)
