"""Short words for the tests of the store: a store, samples in it, and what can be read back."""

import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.model import Gap, Sample, Value
from agent.store import Reader, Store
from agent.store.codec import Block, merge
from tests.fakes import FakeClock

EVER = (-(10**14), 10**14)  # ms, wider than any clock
SHELL = shutil.which("sqlite3")
needs_shell = pytest.mark.skipif(
    SHELL is None, reason="the sqlite3 shell is not installed: apt-get install sqlite3"
)


class Stored:
    """A store on a fake clock; ``host`` and ``press`` are its devices, of which both are plain."""

    def __init__(
        self, path: Path, clock: FakeClock, *, plain: bool = True, **options: float
    ) -> None:
        self.path = path
        self.clock = clock
        self.plain = plain
        self._options = options
        self._left: list[Store] = []
        self.store = self._store()

    def _store(self) -> Store:
        store = Store(self.path, self.clock, **self._options)  # type: ignore[arg-type]
        store.add_device("host", "host", 5.0)
        store.add_device("press", "s7", 1.0, plain=self.plain)
        return store

    def restart(self, *, in_order: bool = False) -> None:
        """The agent is killed and started again, or stopped in order."""
        if in_order:
            self.store.close()
        else:
            self._left.append(self.store)  # its file is open until the end, but unused
        self.store = self._store()

    def close(self) -> None:
        """The end of a test."""
        for store in (self.store, *self._left):
            store.close()

    def put(self, device: str = "press", **values: Value) -> None:
        """One sample, now; it waits."""
        self.put_values(device, values or {"level": 1})

    def put_values(self, device: str, values: Mapping[str, Value]) -> None:
        """The same with names that are no Python names."""
        self.store.append(Sample(device, self.clock.stamp(), values))

    def samples(
        self, device: str = "press", start_ms: int = EVER[0], end_ms: int = EVER[1]
    ) -> list[Sample]:
        """What lies in the file."""
        with Reader(self.path) as reader:
            return list(reader.samples(device, start_ms, end_ms))

    def values(self, device: str = "press") -> list[dict[str, Value]]:
        """The values of what lies in the file."""
        return [dict(sample.values) for sample in self.samples(device)]

    def batches(self) -> list[tuple[int, Block]]:
        """All batches with their numbers, in their order."""
        found = self.sql("SELECT id, data FROM batch ORDER BY id")
        return [(id_, Block(data)) for id_, data in found]  # type: ignore[arg-type, misc]

    def seal(self) -> None:
        """All batches become blocks, one for each device, as upkeep would have it."""
        self.store.transact(lambda writer: _seal(writer.connection))

    def gaps(self, device: str = "press") -> list[Gap]:
        """All gaps of a device."""
        with Reader(self.path) as reader:
            return reader.gaps(device, *EVER)

    def sql(self, text: str, *values: object) -> list[tuple[object, ...]]:
        """The answer of SQLite, as anybody may ask for it."""
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return connection.execute(text, values).fetchall()
        finally:
            connection.close()

    def execute(self, text: str) -> None:
        """What another program does to the file."""
        connection = sqlite3.connect(self.path)
        try:
            connection.executescript(text)
        finally:
            connection.close()


def _seal(connection: sqlite3.Connection) -> None:
    found: dict[int, list[Block]] = {}
    for (data,) in connection.execute("SELECT data FROM batch ORDER BY id"):
        found.setdefault(Block(data).device, []).append(Block(data))
    for device, blocks in found.items():
        data = merge(blocks)
        one = Block(data)
        facts = one.first_ms, one.last_ms, one.first_key, one.last_key, one.count
        connection.execute(
            "INSERT INTO block(device, first_ms, last_ms, first_key, last_key, count, data) "
            "VALUES(?, ?, ?, ?, ?, ?, ?)",
            (device, *facts, data),
        )
    connection.execute("DELETE FROM batch")


def shell(path: Path, sql: str, *options: str) -> str:
    """What the plain ``sqlite3`` shell prints."""
    assert SHELL is not None
    done = subprocess.run(
        [SHELL, *options, str(path), sql], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout
