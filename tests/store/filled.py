"""A store with much in it: blocks, batches and rows of several devices, whose values are noise."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from agent.store.codec import Piece, encode
from agent.store.replacing import Workplace
from agent.store.space import KeepSmall
from agent.store.writer import Writer
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import EVER, Stored

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DEVICES = ("press", "oven", "pump")
AT_ONCE = 40


class Filled(Stored):
    """``press``, ``oven`` and ``pump`` are kept as blocks, ``host`` as rows."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        super().__init__(path, clock, plain=False)
        self._random = random.Random(7)
        for name in DEVICES:
            self.store.add_device(name, "s7", 1.0, plain=False)
            self.put(name, noise="")  # the file gets to know it
        self.put("host", load1=0)
        self.store.flush()

    def put_block(self, device: str, ts_ms: int, samples: int = 100, every_ms: int = 1000) -> None:
        """A sealed block of noise, about 200 bytes a sample."""
        self.put_blocks([(device, ts_ms, samples, every_ms)])

    def put_blocks(self, blocks: Iterable[tuple[str, int, int, int]]) -> None:
        """Many at once, but not so many that the log gets long."""

        def put(writer: Writer, some: Sequence[tuple[str, int, int, int]]) -> None:
            for block in some:
                self._put(writer, *block)

        rest = list(blocks)
        for start in range(0, len(rest), AT_ONCE):
            self.store.transact(partial(put, some=rest[start : start + AT_ONCE]))
        self.empty_log()

    def empty_log(self) -> None:
        """All of it is written back, and it has no length then."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _put(self, writer: Writer, name: str, ts_ms: int, samples: int, every_ms: int) -> None:
        entry = writer.book.find(name)
        assert entry is not None
        layout = next(iter(entry.layouts.values()))
        times = range(ts_ms, ts_ms + samples * every_ms, every_ms)
        noise = self._random.randbytes(200 * samples).hex()  # told once in a block
        piece = Piece(
            entry.id, [ms * 1000 for ms in times], times, [1] * samples, [layout] * samples,
            {layout: (0,)}, {0: [noise] * samples},
        )  # fmt: skip
        facts = entry.id, times[0], times[-1], times[0] * 1000, times[-1] * 1000, samples
        writer.connection.execute(
            "INSERT INTO block(device, first_ms, last_ms, first_key, last_key, count, data) "
            "VALUES(?, ?, ?, ?, ?, ?, ?)",
            (*facts, encode(piece)),
        )

    def fill(self, days: int, samples: int = 100) -> None:
        """A block of each device every day, the last of yesterday: 60 kB a day."""
        self.put_blocks(
            (device, NOON_MS - (day + 1) * DAY_MS + number * HOUR_MS, samples, 1000)
            for day in range(days, 0, -1)
            for number, device in enumerate(DEVICES)
        )

    def times(self, device: str) -> list[int]:
        """When the samples were read that are there, in the order of their keys."""
        return [sample.stamp.ts_ms for sample in self.samples(device)]

    def keep_small(self, max_size_mb: int | None, max_disk_percent: float = 100.0) -> KeepSmall:
        """The step of upkeep, on the clock of the test."""
        workplace = Workplace(self.path, self.store.transact, lambda: None)
        return KeepSmall(workplace, self.clock, max_size_mb, max_disk_percent)

    def on_disk(self) -> int:
        """What it takes up there, its log included."""
        return sum(
            path.stat().st_blocks * 512
            for path in (self.path, self.path.with_name(self.path.name + "-wal"))
            if path.exists()
        )

    def in_process(self, program: str) -> None:
        """Run some Python in a process of its own."""
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

    def is_sound(self) -> bool:
        """Whether SQLite finds nothing wrong, and all that is there can be read."""
        for name in (*DEVICES, "host"):
            self.samples(name, *EVER)
        return self.sql("PRAGMA integrity_check") == [("ok",)]


def run(step: KeepSmall, limit: int = 10_000) -> int:
    """Have it do all that it would; in how many steps."""
    for number in range(limit):
        if not step():
            return number
    raise AssertionError(f"no end after {limit} steps")


def gap_of(stored: Stored, device: str) -> Sequence[tuple[int, int | None, str]]:
    """What was deleted of a device on purpose, as its gaps say it."""
    return [
        (gap.start_ms, gap.end_ms, gap.detail)
        for gap in stored.gaps(device)
        if gap.reason == "retention"
    ]
