"""What simulated energy meters have in common, on TCP and on a serial line."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from hw_sim.entrance import Entrance
from hw_sim.faults import Known
from hw_sim.link_simulator import LinkSimulator
from hw_sim.modbus.faults import Fault
from hw_sim.modbus.memory import Memory
from hw_sim.modbus.plant import Plant, Write

DEFAULT_UNITS = 2


class ModbusSimulator(LinkSimulator[Fault]):
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
        entrance: Entrance,
        *,
        units: int = DEFAULT_UNITS,
        seed: int = 1,
        writable: bool = False,
        frozen: bool = False,
        is_gateway: bool = True,
        on_write: Callable[[Write], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(entrance, partial(Fault, known=self.KNOWN, seed=seed))
        memory = Memory(units, seed, clock)
        self._plant = Plant(memory, writable, on_write, self.fault_in_force, is_gateway)
        self._frozen = frozen
        if frozen:
            memory.freeze()

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

    def _apply_fault(self, fault: Fault) -> None:
        self._plant.fault = fault
        self._plant.forget()
        if fault.name == "frozen" or self._frozen:
            self._plant.memory.freeze()
        else:
            self._plant.memory.thaw()
