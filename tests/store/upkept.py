"""A store whose upkeep runs when a test says so."""

import marshal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from agent.model import Value
from agent.store import Reader
from agent.store.codec import Block
from agent.store.merging import MergeBlocks
from agent.store.sealing import SealBatches
from agent.store.sealing_rows import SealRows
from agent.store.upkeep import Upkeep
from tests.fakes import FakeClock
from tests.store.stored import EVER, Stored

DEVICES = ("press", "host")


@attrs.frozen
class Row:
    """A block as the file has it."""

    id: int
    device: int
    first_ms: int
    last_ms: int
    first_key: int
    last_key: int
    count: int
    block: Block


class Upkept(Stored):
    """Remembers what was put in; the press is plain where that is wanted."""

    steps: tuple[type, ...] = (object,)  # of upkeep, those that are called

    def __init__(
        self, path: Path, clock: FakeClock, *, plain: bool = False, plain_days: float = 8
    ) -> None:
        self._plain_days = plain_days
        self.sent: dict[str, list[tuple[int, Mapping[str, Value]]]] = {n: [] for n in DEVICES}
        super().__init__(path, clock, plain=plain)
        self.upkeep = self._upkeep()

    def _upkeep(self) -> Upkeep:
        made = Upkeep(self.store, self.clock, self._plain_days, {"press": self.plain})
        made.steps[:] = [step for step in made.steps if isinstance(step, self.steps)]
        return made

    def restart(self, *, in_order: bool = False) -> None:
        super().restart(in_order=in_order)
        self.upkeep = self._upkeep()

    def put_values(self, device: str, values: Mapping[str, Value]) -> None:
        super().put_values(device, values)
        self.sent[device].append((self.clock.now_ms(), values))

    def run_upkeep(self) -> None:
        """All that is due now: the clock stands still meanwhile."""
        assert self.upkeep.run() is None

    def poll(self, seconds: int, every_s: int = 1, device: str = "press") -> None:
        """Samples of some time, which are all different; a commit for each 10 of them."""
        for number in range(1, seconds // every_s + 1):
            level = len(self.sent[device])
            self.put(device, level=level, temperature=level % 7 / 10, mode="auto")
            self.clock.advance(every_s)
            if number % 10 == 0:
                self.store.flush()
        self.store.flush()

    def keep_up(self, seconds: int, every_s: int = 1) -> None:
        """The same with upkeep now and then."""
        for _ in range(seconds // 300):
            self.poll(300, every_s)
            self.run_upkeep()

    def blocks(self) -> list[Row]:
        """All blocks in the order of their keys."""
        names = ["id", "device", "first_ms", "last_ms", "first_key", "last_key", "count"]
        rows: list[Any] = self.sql(f"SELECT {', '.join(names)}, data FROM block ORDER BY first_key")
        return [Row(**dict(zip(names, row, strict=False)), block=Block(row[-1])) for row in rows]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        [(found,)] = self.sql(f"SELECT count(*) FROM {table}")
        assert isinstance(found, int)
        return found

    def has_all(self) -> bool:
        """Whether just that lies in the file, in that order, exact to the type, that was sent."""
        with Reader(self.path) as reader:
            found = {
                name: [
                    (sample.stamp.ts_ms, dict(sample.values))
                    for sample in reader.samples(name, *EVER)
                ]
                for name in DEVICES
                if self.sent[name]
            }
        sent = {
            name: [(ts_ms, {**values}) for ts_ms, values in samples]
            for name, samples in self.sent.items()
            if samples
        }
        return exact(found) == exact(sent)


class Sealed(Upkept):
    """One that seals and merges only: other steps change times, or delete."""

    steps = (SealBatches, SealRows, MergeBlocks)


def exact(found: dict[str, list[tuple[int, dict[str, Value]]]]) -> bytes:
    """Differs where 1 is not 1.0 is not True."""
    as_lists = {
        name: [(ts_ms, sorted(values.items())) for ts_ms, values in samples]
        for name, samples in found.items()
    }
    return marshal.dumps(as_lists, 2)
