"""Whatever lies in the data folder, the store opens in time, and loses no more than was hit."""

import logging
import random
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from agent.clock import Deadline
from agent.model import Reason
from agent.store import Reader
from tests.fakes import NOON_MS, FakeClock
from tests.proofs.damage import DAMAGES, Key, Station, Template, hit_pages, last_end, template
from tests.store.journaled import memory_folder, needs_memory
from tests.store.stored import EVER

pytestmark = [needs_memory, pytest.mark.timeout(3600)]  # the long form takes half an hour

START_S = 30.0  # a start takes 5 s at most on a Raspberry Pi; tests share a busy machine


@attrs.frozen
class Place:
    """Where a store of the test lies: its files and its journal are tied to it."""

    folder: Path
    memory: Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with memory_folder() as memory:
        (tmp_path / "data").mkdir()
        yield Place(tmp_path / "data", memory)


class Trial:
    """A template with one fault in it, and what became of it."""

    def __init__(self, place: Place, whole: Template, number: int) -> None:
        self.chance = random.Random(number)
        self.whole = whole
        self.place = place
        self.log: list[str] = []
        names = [name for name in whole.files for _ in range(1 if name.endswith(".part") else 4)]
        self.name = self.chance.choice(names)
        kinds, weights = zip(*DAMAGES, strict=True)
        (self.damage,) = self.chance.choices(kinds, weights)
        data = bytearray(whole.files[self.name])
        self.damage(data, self.chance)
        self.damaged = bytes(data)
        self.files = {**whole.files, self.name: self.damaged}
        if self.name != "telemetry.db" and self.chance.random() < 0.05:
            del self.files[self.name]
            self.damaged = b""

    def __str__(self) -> str:
        before = self.whole.files[self.name]
        pairs = enumerate(zip(before, self.damaged, strict=False))
        first = next((at for at, (one, other) in pairs if one != other), len(self.damaged))
        return f"{self.name}, {self.damage.__name__} from byte {first} on, {len(self.damaged)} left"

    def lay(self) -> None:
        """Put the files in place."""
        for folder in (self.place.folder, self.place.memory):
            shutil.rmtree(folder)
            folder.mkdir()
        for name, data in self.files.items():
            is_part = name.endswith(".part")
            path = (self.place.memory if is_part else self.place.folder) / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o600)

    @property
    def hit(self) -> set[int]:
        """The pages that were hit."""
        if self.name.endswith(".part"):
            return set()
        return hit_pages(self.whole.files[self.name], self.damaged, self.name)

    def lost(self, found: Mapping[Key, object]) -> set[Key]:
        """Samples that are not there as they were."""
        missing = {key for key, values in self.whole.samples.items() if found.get(key) != values}
        if not self.hit & self.whole.naming:
            return missing
        # Without the names they are there all the same, under others.
        there = {(ts_ms, _numbers(values)) for (_, ts_ms), values in found.items()}
        return {key for key in missing if (key[1], _numbers(self.whole.samples[key])) not in there}

    def allowed(self) -> set[Key]:
        """What may be lost: what lies on pages that were hit."""
        if self.name.endswith(".part"):
            return set(self.whole.waiting)
        hit = self.hit
        if self.whole.naming <= hit:  # of rows nobody knows what their values are
            return set(self.whole.samples)
        return {key for key, pages in self.whole.pages.items() if pages & hit}

    @property
    def is_cut(self) -> bool:
        """Whether nothing is left that could tell what was in the log, or in its end."""
        if not self.name.endswith("-wal"):
            return False
        whole = self.whole.files[self.name]
        end = last_end(whole)
        return len(self.damaged) < len(whole) or self.damaged[end] != whole[end]


def _numbers(values: object) -> tuple[object, ...]:
    assert isinstance(values, dict)
    return tuple(values.values())


def run(trial: Trial) -> tuple[Mapping[Key, object], list[tuple[str, int, int]]]:
    """Start a store on the files, let it work and repair; its samples, and what it says is lost."""
    trial.lay()
    began_s = trial.whole.clock_s + 10
    clock = FakeClock(NOON_MS + round((began_s - 1000) * 1000), began_s)
    station = Station(trial.place.folder, trial.place.memory, clock)
    deadline = Deadline(START_S)
    store = station.open()
    new = station.put(store, trial.chance)
    assert store.flush() or store.flush()
    deadline.left_s()
    for _ in range(3):  # what the look at all of it finds, leads to another file
        clock.advance(8 * 86_400)
        station.settle()
        assert store.flush()
    store.close()
    with Reader(station.path) as reader:
        devices = [device.name for device in reader.devices()]
        found = {
            (name, sample.stamp.ts_ms): dict(sample.values)
            for name in devices
            for sample in reader.samples(name, *EVER)
        }
        lost = [
            (name, gap.start_ms, gap.end_ms or 0)
            for name in devices
            for gap in reader.gaps(name, *EVER)
            if gap.reason is Reason.DAMAGED
        ]
        lost += [(each.device, each.first_ms, each.last_ms) for each in reader.damaged]
    assert all(found[key] == values for key, values in new.items())
    assert is_sound(station.path)
    return found, lost


def is_sound(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


@pytest.mark.parametrize(
    "numbers",
    [pytest.param(range(at, at + 50), id=f"short {at}") for at in range(0, 200, 50)]
    + [
        pytest.param(range(at, at + 250), id=f"long {at}", marks=pytest.mark.slow)
        for at in range(1000, 6000, 250)
    ],
)
def test_a_fault_costs_no_more_than_it_hit_and_that_is_named(
    numbers: range, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    whole = template(place.folder, place.memory)
    caplog.set_level(logging.CRITICAL)

    for number in numbers:
        trial = Trial(place, whole, number)
        found, named = run(trial)

        lost = trial.lost(found)
        assert lost <= trial.allowed(), f"{number}: {trial}"
        unnamed = [
            key
            for key in lost - whole.waiting
            if key not in found
            and not trial.is_cut
            and not trial.whole.naming <= trial.hit
            and not any(key[0] == name and start <= key[1] <= end for name, start, end in named)
        ]
        assert not unnamed, f"{number}: {trial}"
