"""The three tables of the simulated controller, which move when they are looked at."""

import threading
from collections.abc import Callable

from hw_sim.luxtronik.plant import Plant
from hw_sim.luxtronik.profiles import Profile, parameters, visibilities
from hw_sim.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES, Write


class Memory:
    """All values of one controller, safe to use from several threads."""

    def __init__(
        self, profile: Profile, seed: int, epoch: float, clock: Callable[[], float]
    ) -> None:
        self._profile = profile
        self._plant = Plant(profile, seed, epoch)
        self._clock = clock
        self._began_s = clock()
        self._frozen_s: float | None = None
        self._set: dict[tuple[int, int], int] = {}
        self._still = {
            CALCULATIONS: [0] * profile.counts[CALCULATIONS],
            PARAMETERS: parameters(profile.counts[PARAMETERS], seed),
            VISIBILITIES: visibilities(profile.counts[VISIBILITIES], seed),
        }
        self._lock = threading.Lock()

    def table(self, table: int) -> list[int]:
        """The values of a table as they are now."""
        with self._lock:
            values = list(self._still[table])
            moving = {index: value for index, value in self._moving(table) if index < len(values)}
            own = {index: value for (of, index), value in self._set.items() if of == table}
        for index, value in {**moving, **own}.items():
            values[index] = value
        return values

    def set_value(self, table: int, index: int, value: int) -> None:
        """Put a value there, which stays.

        Raises:
            IndexError: The table is shorter.
        """
        if not 0 <= index < self._profile.counts[table]:
            raise IndexError(f"the table has {self._profile.counts[table]} values, no {index}")
        with self._lock:
            self._set[table, index] = value

    def write(self, write: Write) -> None:
        """A client's write: of a parameter that there is."""
        if 0 <= write.index < self._profile.counts[PARAMETERS]:
            self.set_value(PARAMETERS, write.index, write.value)

    def freeze(self) -> None:
        """Values stay as they are from now on."""
        with self._lock:
            if self._frozen_s is None:
                self._frozen_s = self._passed_s()

    def thaw(self) -> None:
        """Values move on from where they are."""
        with self._lock:
            if self._frozen_s is not None:
                self._began_s = self._clock() - self._frozen_s
                self._frozen_s = None

    def _passed_s(self) -> float:
        return self._clock() - self._began_s if self._frozen_s is None else self._frozen_s

    def _moving(self, table: int) -> list[tuple[int, int]]:
        if table == VISIBILITIES:
            return []
        if table == CALCULATIONS and self._profile.fixed is not None:
            return list(self._profile.fixed.items())
        of_plant = self._plant.calculations if table == CALCULATIONS else self._plant.parameters
        return list(of_plant(self._passed_s()).items())
