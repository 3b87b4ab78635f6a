"""What simulated energy meters have in common, on TCP and on a serial line."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from hw_sim.contract import RunsInside
from hw_sim.faults import Known
from hw_sim.modbus.faults import Fault
from hw_sim.modbus.memory import Memory
from hw_sim.modbus.plant import Plant, Write

DEFAULT_UNITS = 2


class ModbusSimulator(RunsInside):
    """What the meters on TCP and those on a serial line have in common.

    Args:
        units: How many meters there are; their numbers are 1, 2 and so on.
        seed: The same seed makes values move and noise sound the same.
        writable: Writes are applied; else each gets exception 01.
        frozen: Values stay at what ``hw_sim.modbus.points`` says until ``thaw()``.
        on_write: Told of every request to write.
        clock: Seconds that only rise; values move with it.
    """

    KNOWN: ClassVar[Mapping[str, Known]] = {}

    def __init__(
        self,
        *,
        units: int = DEFAULT_UNITS,
        seed: int = 1,
        writable: bool = False,
        frozen: bool = False,
        is_gateway: bool = True,
        on_write: Callable[[Write], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        memory = Memory(units, seed, clock)
        self._plant = Plant(memory, writable, on_write, Fault("", self.KNOWN, seed), is_gateway)
        self._seed = seed
        self._frozen = frozen
        if frozen:
            memory.freeze()
        self._is_started = False

    @property
    def write_requests(self) -> int:
        """Requests to change something."""
        return self._plant.write_requests

    @property
    def writes(self) -> list[Write]:
        """The last thousand of what clients asked to write, in order."""
        return list(self._plant.writes)

    @property
    def requests(self) -> list[tuple[int, int, int, int]]:
        """Unit, function, first address and count of the last thousand reads, in order."""
        return list(self._plant.requests)

    @property
    def read_requests(self) -> int:
        """How many reads there were."""
        return self._plant.read_requests

    @property
    def fault(self) -> str | None:
        """The name and argument of the fault in force."""
        return self._plant.fault.text or None

    def start(self) -> None:
        """Be reachable; twice is fine.

        Raises:
            OSError: The address is taken or not allowed.
        """
        if not self._is_started:
            self._open()
            self._is_started = True
            self.set_fault(self.fault)  # one that was set before

    def stop(self) -> None:
        """Drop the sessions and end their threads; twice is fine."""
        self._is_started = False
        self._plant.fault.end()
        self._close()

    def set_fault(self, fault: str | None) -> None:
        """Misbehave as ``NAME`` or ``NAME:ARG`` of ``FAULTS``; ``None`` ends it.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """
        new = Fault(fault or "", self.KNOWN, self._seed)
        self._plant.fault.end()
        self._plant.fault = new
        self._plant.forget()
        if new.name == "frozen" or self._frozen:
            self._plant.memory.freeze()
        else:
            self._plant.memory.thaw()
        if self._is_started:
            self._switch(new)

    def freeze(self) -> None:
        """Values stay as they are."""
        self._frozen = True
        self._plant.memory.freeze()

    def thaw(self) -> None:
        """Values move on."""
        self._frozen = False
        self._plant.memory.thaw()

    def set_cells(self, area: str, start: int, cells: Sequence[int], unit_id: int = 1) -> None:
        """Put registers (``HR``, ``IR``) or bits (``CO``, ``DI``), also where none were."""
        self._plant.memory.set_cells(unit_id, area, start, cells)

    def remove_cells(self, area: str, start: int, count: int, unit_id: int = 1) -> None:
        """These addresses do not exist any more."""
        self._plant.memory.remove_cells(unit_id, area, start, count)

    def get_cells(self, area: str, start: int, count: int, unit_id: int = 1) -> list[int]:
        """What a client would read."""
        return self._plant.memory.read(unit_id, area, start, count)

    def _open(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def _switch(self, fault: Fault) -> None:
        """What a fault does to the way in."""
        raise NotImplementedError
