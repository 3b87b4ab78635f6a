"""A store that was killed, damage to its files, and what is known to lie where in them."""

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs

from agent.model import Sample, Value
from agent.store import Store
from agent.store.codec import Block
from agent.store.upkeep import Upkeep
from tests.fakes import FakeClock

PAGE = 1024
LOG_HEAD, FRAME_HEAD = 32, 24
CHUNK = 24  # bytes of stored data by which the pages are found that it lies on
WIDTHS = {"host": 6, "mill": 8, "press": 5, "pump": 24}
KINDS = {"host": "host", "mill": "s7", "press": "s7", "pump": "luxtronik"}
SEALED, OPEN, WAITING = 60, 40, 6  # samples of each device in blocks, after that, and in memory

Key = tuple[str, int]  # device and time of a sample


@attrs.frozen
class Template:
    """Files as a kill left them: ``pages`` says on which pages each sample lies."""

    files: Mapping[str, bytes]  # by name: telemetry.db, its log, and the journal's part
    samples: Mapping[Key, Mapping[str, Value]]
    pages: Mapping[Key, frozenset[int]]
    naming: frozenset[int]  # the pages that say twice what the devices are called
    waiting: frozenset[Key]
    clock_s: float


class Station:
    """A store of four devices in a folder, with its journal in another one."""

    def __init__(self, folder: Path, memory: Path, clock: FakeClock) -> None:
        self.path = folder / "telemetry.db"
        self.memory = memory
        self.clock = clock
        self.upkeep: Upkeep | None = None

    def open(self) -> Store:
        store = Store(self.path, self.clock, journal_folders=[self.memory])
        store.open_journal()
        for name, kind in KINDS.items():
            store.add_device(name, kind, 1.0, plain=name in ("host", "mill"))
        self.upkeep = Upkeep(store, self.clock, 8, {"mill": True})
        return store

    def put(self, store: Store, chance: random.Random) -> dict[Key, Mapping[str, Value]]:
        """A sample of each device, a second later."""
        self.clock.advance(1)
        found: dict[Key, Mapping[str, Value]] = {}
        for name, width in WIDTHS.items():
            values: dict[str, Value] = {f"m{n}": chance.random() for n in range(width)}
            store.append(Sample(name, self.clock.stamp(), values))
            found[name, self.clock.now_ms()] = values
        return found

    def settle(self) -> None:
        """Have upkeep do all that it wants to."""
        assert self.upkeep is not None
        for _ in range(10_000):
            if self.upkeep.run() is None:
                return
        raise AssertionError("upkeep has no end")


def template(folder: Path, memory: Path) -> Template:
    """A store with blocks in its file, and batches and rows in its log and in its journal."""
    chance = random.Random(7)
    station = Station(folder, memory, FakeClock())
    samples: dict[Key, Mapping[str, Value]] = {}
    for count in (SEALED, 5, OPEN):
        store = station.open()
        for number in range(count):
            samples |= station.put(store, chance)
            if number % 5 == 4:
                assert store.flush()
        if count != OPEN:  # what is old when the second run begins, that one seals
            station.settle()
            store.close()
            station.clock.advance(8000)
    waiting: dict[Key, Mapping[str, Value]] = {}
    for _ in range(WAITING):
        waiting |= station.put(store, chance)
    files = {each.name: each.read_bytes() for each in folder.iterdir()}
    files |= {str(each.relative_to(memory)): each.read_bytes() for each in memory.rglob("*.part")}
    del files["telemetry.db-shm"]
    store.close()
    pages, naming = pages_of(folder, files, samples)
    ended_s = station.clock.monotonic()
    return Template(files, samples | waiting, pages, naming, frozenset(waiting), ended_s)


def pages_of(
    folder: Path, files: Mapping[str, bytes], samples: Mapping[Key, object]
) -> tuple[dict[Key, frozenset[int]], frozenset[int]]:
    """On which pages of the whole store each sample lies, and the names of the devices."""
    path = folder / "whole.db"
    path.write_bytes(files["telemetry.db"])
    path.with_name("whole.db-wal").write_bytes(files["telemetry.db-wal"])
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        image = path.read_bytes()
        found: dict[Key, frozenset[int]] = {}
        for keys, data in _stored(connection):
            pages = frozenset(_pages(image, data))
            assert pages
            found |= dict.fromkeys(keys, pages)
        naming = [data for (data,) in connection.execute("SELECT data FROM catalogue")]
    finally:
        connection.close()
        path.unlink()
    assert found.keys() == samples.keys()
    return found, frozenset(page for data in naming for page in _pages(image, data))


def _stored(connection: sqlite3.Connection) -> Iterator[tuple[list[Key], bytes]]:
    names = dict(connection.execute("SELECT id, name FROM device"))
    for table in ("row", "host_row"):
        for device, ts_ms, text in connection.execute(f"SELECT device, ts_ms, v FROM {table}"):
            yield [(names[device], ts_ms)], text.encode()
    for table in ("batch", "block"):
        for device, data in connection.execute(f"SELECT device, data FROM {table}"):
            yield [(names[device], ts_ms) for ts_ms in Block(data).times()], data


def _pages(image: bytes, data: bytes) -> Iterator[int]:
    """All pages with a part of it: also those where it lay once, and still does."""
    for start in range(0, max(1, len(data) - CHUNK), CHUNK // 2):
        chunk = data[start : start + CHUNK]
        at = image.find(chunk)
        while at >= 0:
            yield at // PAGE + 1
            yield (at + len(chunk) - 1) // PAGE + 1
            at = image.find(chunk, at + 1)


def hit_pages(whole: bytes, damaged: bytes, name: str) -> set[int]:
    """The pages of which something is other than it was; of a log, those of its frames."""
    if name == "telemetry.db":
        size = max(len(whole), len(damaged))
        starts = range(0, size, PAGE)
        return {at // PAGE + 1 for at in starts if whole[at : at + PAGE] != damaged[at : at + PAGE]}
    hit: set[int] = set()
    commit: set[int] = set()
    for at in range(LOG_HEAD, len(whole), PAGE + FRAME_HEAD):
        frame = slice(at, at + PAGE + FRAME_HEAD)
        page, is_end = (int.from_bytes(whole[at + n : at + n + 4], "big") for n in (0, 4))
        commit.add(page)
        if whole[frame] != damaged[frame]:
            hit.add(page)
            # A commit whose end is missing is none, as if the power had been cut before it.
            hit |= commit if len(damaged) < len(whole) or is_end else set()
        if is_end:
            commit = set()
    return hit


def last_end(log: bytes) -> slice:
    """Where the newest commit of a log has its end: without it, it is as if it had not been."""
    found = slice(0)
    for at in range(LOG_HEAD, len(log), PAGE + FRAME_HEAD):
        if log[at + 8 : at + 16] != log[16:24]:  # of an earlier generation
            break
        if any(log[at + 4 : at + 8]):
            found = slice(at, at + PAGE + FRAME_HEAD)
    return found


Damage = Callable[[bytearray, random.Random], None]


def flip(data: bytearray, chance: random.Random) -> None:
    """One bit, or a few that lie near."""
    at = chance.randrange(len(data))
    for _ in range(chance.choice((1, 1, 1, 5))):
        data[min(len(data) - 1, at + chance.randrange(16))] ^= 1 << chance.randrange(8)


def zero(data: bytearray, chance: random.Random) -> None:
    """A sector or some that were never written."""
    _cover(data, chance, bytes)


def noise(data: bytearray, chance: random.Random) -> None:
    """The same, with something else in them."""
    _cover(data, chance, chance.randbytes)


def _cover(data: bytearray, chance: random.Random, make: Callable[[int], bytes]) -> None:
    size = chance.choice((16, 512, 1024, 4096, 8192))
    at = chance.randrange(0, len(data), min(size, 512))
    data[at : at + size] = make(len(data[at : at + size]))


def truncate(data: bytearray, chance: random.Random) -> None:
    """The end is missing."""
    del data[chance.randrange(len(data)) :]


def empty(data: bytearray, chance: random.Random) -> None:
    """Nothing is left."""
    data.clear()


def zeroed(data: bytearray, chance: random.Random) -> None:
    """All of it was never written."""
    data[:] = bytes(len(data))


def foreign(data: bytearray, chance: random.Random) -> None:
    """Something else is there."""
    data[:] = chance.choice((b"not a database " * 100, chance.randbytes(5000), b"\0" * 7))


def swapped(data: bytearray, chance: random.Random) -> None:
    """Two sectors lie where the other one should."""
    one, other = (chance.randrange(0, max(1, len(data) - 512), 512) for _ in range(2))
    data[one : one + 512], data[other : other + 512] = (
        bytes(data[other : other + 512]),
        bytes(data[one : one + 512]),
    )


def longer(data: bytearray, chance: random.Random) -> None:
    """Something follows that does not belong there."""
    data += chance.randbytes(chance.randrange(1, 5000))


DAMAGES: tuple[tuple[Damage, int], ...] = (
    (flip, 30), (zero, 20), (noise, 15), (truncate, 10), (swapped, 10), (longer, 3), (empty, 3),
    (zeroed, 2), (foreign, 2),
)  # fmt: skip
