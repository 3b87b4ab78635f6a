"""Short words for the tests of repair: a store with samples, damage to it, and its repair."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agent.model import Sample, Value
from agent.store import Reader
from agent.store.repair.byhand import workplace
from agent.store.repair.salvage import Salvage
from agent.store.replacing import Workplace
from tests.fakes import FakeClock
from tests.store.stored import EVER, Stored

PAGE = 1024


def fill(stored: Stored, count: int = 60, device: str = "press") -> list[Sample]:
    """So many samples, a second apart, committed a few at a time."""
    samples = []
    for number in range(count):
        stored.clock.advance(1)
        sample = Sample(device, stored.clock.stamp(), {"n": number, "half": number / 2, "on": True})
        stored.store.append(sample)
        samples.append(sample)
        if number % 5 == 4:
            assert stored.store.flush()
    assert stored.store.flush()
    return samples


def go_on(path: Path, clock: FakeClock) -> None:
    """The agent starts, and stores one more sample."""
    clock.advance(1)
    stored = Stored(path, clock)
    stored.put(n=-1)
    assert stored.store.flush()
    stored.close()


def end(stored: Stored) -> None:
    """The agent stops in order, and nobody has the file open."""
    stored.close()
    for name in ("-wal", "-shm"):
        stored.path.with_name(stored.path.name + name).unlink(missing_ok=True)


def overwrite(path: Path, at: int, data: bytes) -> None:
    """Damage to a part of a file."""
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)


def aside(path: Path, why: str = "damaged") -> list[Path]:
    """Files that were set aside."""
    return sorted(
        each
        for each in path.parent.glob(f"{path.name}.{why}-*")
        if not each.name.endswith(("-wal", "-shm", "-journal"))
    )


@contextmanager
def place(path: Path, clock: FakeClock) -> Iterator[Workplace]:
    """Where steps of upkeep work while no store is open."""
    said: list[str] = []
    with workplace(path, clock, said.append) as found:
        yield found


def save(source: Path, target: Path, clock: FakeClock) -> Salvage:
    """All of a file into a store."""
    with place(target, clock) as found:
        salvage = Salvage(source, found)
        while salvage.step():
            pass
    return salvage


def samples(path: Path, device: str = "press") -> list[Sample]:
    """What lies in a store."""
    with Reader(path) as reader:
        return list(reader.samples(device, *EVER))


def values(path: Path, device: str = "press") -> list[Mapping[str, Value]]:
    """The values of it."""
    return [dict(sample.values) for sample in samples(path, device)]
