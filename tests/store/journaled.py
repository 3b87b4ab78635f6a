"""Stores with a journal in memory for the tests: one that leaves what waits, and its heirs."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.model import Sample, Value
from agent.store import Reader, Store
from tests.fakes import FakeClock
from tests.store.stored import EVER

SHARED_MEMORY = Path("/dev/shm")
needs_memory = pytest.mark.skipif(
    not SHARED_MEMORY.is_dir(), reason="/dev/shm is not there, mount a tmpfs on it"
)


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A new folder on tmpfs."""
    folder = Path(tempfile.mkdtemp(prefix="agent-test-", dir=SHARED_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Journaled:
    """Makes stores of one file; ``press`` and ``host`` are its devices."""

    def __init__(self, path: Path, memory: Path, clock: FakeClock, *, plain: bool = True) -> None:
        self.path = path
        self.plain = plain
        self.memory = memory
        self.clock = clock

    def store(
        self,
        *,
        folders: Sequence[Path] | None = None,
        waiting_bytes: int = 1_000_000,
        guard: Callable[[], None] | None = None,
    ) -> Store:
        store = Store(
            self.path,
            self.clock,
            waiting_bytes=waiting_bytes,
            guard=guard,
            journal_folders=[self.memory] if folders is None else folders,
        )
        store.open_journal()
        store.add_device("press", "s7", 1.0, plain=self.plain)
        store.add_device("host", "host", 5.0)
        self.clock.advance(1)  # no two runs begin in one millisecond
        return store

    def mute(self, waiting_bytes: int = 1_000_000) -> Store:
        """A store that can't write its file: what it has when it is closed stays in memory."""
        return self.store(guard=refuse, waiting_bytes=waiting_bytes)

    def parts(self) -> list[Path]:
        """The files of the journal."""
        return sorted(self.memory.glob("journal-*/*.part"))


def refuse() -> None:
    """A guard of a file that can't be written."""
    raise StoreError("the card is locked")


def put(store: Store, clock: FakeClock, device: str = "press", **values: Value) -> Sample:
    """One sample, a second later."""
    return put_values(store, clock, device, values)


def put_values(store: Store, clock: FakeClock, device: str, values: Mapping[str, Value]) -> Sample:
    """The same with names that are no Python names."""
    clock.advance(1)
    sample = Sample(device, clock.stamp(), values)
    store.append(sample)
    return sample


def samples(journaled: Journaled, device: str = "press") -> list[Sample]:
    """What lies in the file."""
    with Reader(journaled.path) as reader:
        return list(reader.samples(device, *EVER))


def leave(journaled: Journaled, count: int = 3) -> list[Sample]:
    """Samples that wait in memory, and nobody who writes them."""
    store = journaled.mute()
    left = [put(store, journaled.clock, number=number) for number in range(count)]
    store.close()
    return left


def inherit(journaled: Journaled) -> None:
    """A start and a stop in order."""
    store = journaled.store()
    assert store.flush()
    store.close()


def has_device(journaled: Journaled) -> bool:
    """Whether the file has heard of any device."""
    with Reader(journaled.path) as reader:
        return bool(reader.devices())
