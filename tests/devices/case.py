"""One kind of device as the tests of the contract meet it."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from agent.config.schema import DeviceSection
from agent.config.structure import structure
from agent.devices import KINDS
from agent.devices.contract import Driver
from hw_sim.contract import Simulator
from hw_sim.registry import SIMULATED, Simulated

COMMON_KEYS = {field.name for field in attrs.fields(DeviceSection)}
SEED = 1


@attrs.frozen
class Case:
    """One kind: which faults of its simulator are tried, and what they lead to.

    Args:
        kind: Its name in ``KINDS`` and in ``SIMULATED``.
        faults: All faults of the simulator, those with an argument perhaps more than once.
        silences: Those of the faults that nothing but the deadline can end.
        changes: Those of the faults that change good values on purpose, each with what it does;
            by their names alone.
        changes_for_good: The same, where values stay changed when the fault is over.
        moving: Metrics that move though the simulator is frozen, as patterns.
        floods: For TCP, the answers of a device, and what it sends for ever after them.
        variant: What sets it apart from the other cases of its kind, such as ``rtu``.
        simulated: Its simulator, if that is not the one in ``SIMULATED``.
    """

    kind: str
    faults: Sequence[str]
    silences: frozenset[str] = frozenset()
    changes: Mapping[str, str] = attrs.field(factory=dict, eq=False)  # a case has a hash
    changes_for_good: Mapping[str, str] = attrs.field(factory=dict, eq=False)
    moving: Sequence[str] = ()
    floods: Sequence[tuple[Sequence[bytes], bytes]] = ()
    variant: str = ""
    simulated: Simulated | None = None

    @property
    def id(self) -> str:
        """What tests call it."""
        return f"{self.kind}-{self.variant}" if self.variant else self.kind

    @property
    def _simulated(self) -> Simulated:
        return self.simulated or SIMULATED[self.kind].load()

    def simulate(self, folder: Path) -> Simulator:
        """A simulator that has not been started; the folder is empty."""
        return self._simulated.simulate(folder, SEED)

    def options(self, address: str) -> Any:
        """Options of the kind that read the device at an address, as its simulator writes them."""
        text = self._simulated.table("device", address)
        (table,) = tomllib.loads(text)["device"]
        own = {key: value for key, value in table.items() if key not in COMMON_KEYS}
        made, faults = structure(own, KINDS[self.kind]().options)
        assert not faults
        return made

    def driver(self, address: str, timeout_s: float) -> Driver:
        """The driver as the app makes it."""
        return KINDS[self.kind]().driver(self.options(address), timeout_s)
