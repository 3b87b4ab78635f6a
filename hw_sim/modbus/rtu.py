"""Energy meters on a serial line."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from hw_sim.entrance import SerialEntrance
from hw_sim.faults import Known
from hw_sim.modbus import wire
from hw_sim.modbus.faults import KNOWN_RTU, RTU_HELP
from hw_sim.modbus.plant import Write
from hw_sim.modbus.simulator import DEFAULT_UNITS, ModbusSimulator
from hw_sim.serial_line import SerialSession

IDLE_S = 0.02  # silence that ends a frame which is none
SHORTEST_FRAME, LONGEST_FRAME = 4, 256


class ModbusRtuSimulator(ModbusSimulator):
    """Meters on a serial line.

    Args:
        path: The port, a symbolic link that it makes and takes away.
    """

    FAULTS: ClassVar[Mapping[str, str]] = RTU_HELP
    KNOWN: ClassVar[Mapping[str, Known]] = KNOWN_RTU

    def __init__(
        self,
        path: Path,
        *,
        units: int = DEFAULT_UNITS,
        seed: int = 1,
        writable: bool = False,
        frozen: bool = False,
        on_write: Callable[[Write], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            SerialEntrance(path, self._serve),
            units=units,
            seed=seed,
            writable=writable,
            frozen=frozen,
            is_gateway=False,
            on_write=on_write,
            clock=clock,
        )

    def _serve(self, session: SerialSession) -> None:
        requests, number = _Requests(session), 0
        while True:  # until the port is closed: meters on a line can't do that
            request = requests.next()
            if not _is_whole(request):
                continue  # a device says nothing to what it can't read
            number += 1
            answer = self._plant.answer(request[0], request[1:-2])
            if answer is None or request[0] == 0:
                continue
            fault = self._plant.fault
            frame = fault.rtu_frame(request[0], answer, request)
            if fault.name == "late":
                frame = self._plant.hold(frame)
            fault.answer(session.send, frame, number)


class _Requests:
    """The requests of one session, told apart by their check sums and by silence."""

    def __init__(self, session: SerialSession) -> None:
        self._session = session
        self._received = b""

    def next(self) -> bytes:
        """What comes until a request is whole, or until there is silence.

        Raises:
            EOFError: The port was closed.
        """
        while True:
            size = wire.rtu_request_size(self._received)
            if size and len(self._received) >= size and _is_whole(self._received[:size]):
                request, self._received = self._received[:size], self._received[size:]
                return request
            within_s = IDLE_S if self._received else None
            more = self._session.receive_some(LONGEST_FRAME, within_s)
            if more is None or len(self._received) > LONGEST_FRAME:
                noise, self._received = self._received, b""
                return noise
            self._received += more


def _is_whole(frame: bytes) -> bool:
    return len(frame) >= SHORTEST_FRAME and frame[-2:] == wire.crc(frame[:-2])
