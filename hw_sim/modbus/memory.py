"""The memory of the simulated meters, whose values move when they are looked at."""

import random
from collections.abc import Callable, Sequence

from hw_sim.modbus.points import BIT_AREAS, BY_NAME, POINTS, WRITABLE, at_start, encode, limits_of
from hw_sim.stepped import STEP_S, Stepped

MAX_STEPS = 240  # after a minute without a look only the counters go on
PHASES = ("l1", "l2", "l3")
USUAL_CURRENTS = (4.2, 2.9, 0.75)  # A


class NoAddressError(Exception):
    """An address that does not exist, or may not be written."""


class Unit:
    """One meter: four tables, and the physics behind them."""

    def __init__(self, unit_id: int, seed: int) -> None:
        self.cells: dict[str, dict[int, int]] = {"CO": {}, "DI": {}, "HR": {}, "IR": {}}
        self._random = random.Random(seed * 1000 + unit_id)
        self._power_w = float(BY_NAME["power_total"].raw)
        self._energy_wh = float(BY_NAME["energy_import"].raw)
        self._operating_s = float(BY_NAME["operating_time"].raw)
        for point in POINTS:
            self.put(point.name, at_start(point, unit_id))

    def put(self, name: str, raw: float | str) -> None:
        """Give a point a raw value."""
        point = BY_NAME[name]
        for number, cell in enumerate(encode(point.type, raw)):
            self.cells[point.area][point.start + number] = cell

    def step(self) -> None:
        """A quarter of a second passes."""
        noise = self._random
        total_w = 0.0
        for phase, usual_a in zip(PHASES, USUAL_CURRENTS, strict=True):
            volts = round(noise.gauss(230.3, 0.6), 2)
            amperes = round(max(0.0, noise.gauss(usual_a, usual_a / 20)), 3)
            watts = round(volts * amperes * 0.98, 1)
            total_w += watts
            self.put(f"voltage_{phase}", volts)
            self.put(f"current_{phase}", amperes)
            self.put(f"power_{phase}", watts)
        self.put("power_total", round(total_w, 1))
        self.put("frequency", round(noise.gauss(50.0, 0.01), 3))
        self.put("temperature", round(noise.gauss(314, 2)))
        self.put("dc_voltage", round(noise.gauss(6123, 15)))
        self.put("ac_power", round(noise.gauss(48, 1)))
        self.put("alarm", noise.random() < 0.01)
        self._power_w = total_w
        self.count(1)

    def count(self, steps: int) -> None:
        """What the counters do meanwhile."""
        self._energy_wh += self._power_w * STEP_S * steps / 3600
        self._operating_s += STEP_S * steps
        self.put("energy_import", int(self._energy_wh))
        self.put("operating_time", int(self._operating_s) % 2**32)

    def at_limits(self) -> None:
        """Each point takes one of the values at the ends of its type."""
        for point in POINTS:
            for number, cell in enumerate(self._random.choice(limits_of(point))):
                self.cells[point.area][point.start + number] = cell


class Memory(Stepped):
    """All units, safe to use from several threads.

    Args:
        units: How many; they have the numbers 1, 2 and so on.
    """

    def __init__(self, units: int, seed: int, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._seed = seed
        self._units = {number: Unit(number, seed) for number in range(1, units + 1)}

    def has(self, unit_id: int) -> bool:
        """Whether there is such a unit."""
        return unit_id in self._units

    def set_cells(self, unit_id: int, area: str, start: int, cells: Sequence[int]) -> None:
        """Put registers or bits there, also where none were; makes the unit if need be."""
        with self._lock:
            unit = self._units.setdefault(unit_id, Unit(unit_id, self._seed))
            unit.cells[area].update(enumerate(cells, start))

    def remove_cells(self, unit_id: int, area: str, start: int, count: int) -> None:
        """These addresses do not exist any more."""
        with self._lock:
            for address in range(start, start + count):
                self._units[unit_id].cells[area].pop(address, None)

    def read(
        self, unit_id: int, area: str, start: int, count: int, *, at_limits: bool = False
    ) -> list[int]:
        """Registers or bits as they are now.

        Raises:
            NoAddressError: One of them does not exist.
        """
        with self._lock:
            self._advance()
            unit = self._units[unit_id]
            if at_limits:
                unit = Unit(unit_id, self._seed + start)
                unit.at_limits()
            try:
                return [unit.cells[area][address] for address in range(start, start + count)]
            except KeyError as error:
                raise NoAddressError from error

    def write(self, unit_id: int, area: str, start: int, cells: Sequence[int]) -> None:
        """Put what a client wants there.

        Raises:
            NoAddressError: One of them does not exist or can't be written.
        """
        with self._lock:
            if any((area, start + number) not in WRITABLE for number in range(len(cells))):
                raise NoAddressError
            mask = 1 if area in BIT_AREAS else 0xFFFF
            self._units[unit_id].cells[area].update(
                enumerate([cell & mask for cell in cells], start)
            )

    def _play(self, steps: int) -> None:
        for unit in self._units.values():
            unit.count(max(0, steps - MAX_STEPS))
            for _ in range(min(steps, MAX_STEPS)):
                unit.step()
