"""Sealing and merging: how long polls are delayed meanwhile, what it costs, what it writes."""

import os
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count, islice
from pathlib import Path

import attrs

from agent.app import SWITCH_S
from agent.model import Sample, Value
from agent.store import Store
from agent.store.upkeep import REST, Upkeep
from tests.bench.loads import heat_pump, mixed
from tests.bench.result import Result, quantile
from tests.fakes import FakeClock

POLL_S = 0.1
QUIET_S = 10.0
DELAY_MS = 20.0
ANSWERS = 10  # that a poll waits for; after each it needs the interpreter again
HOURS, ROWS = 8, 40_000
DEVICE = "press"


@attrs.frozen
class Load:
    """What a device gives, and how often."""

    name: str
    every_s: int
    rows: Callable[[int], Iterator[Sequence[Value]]]  # of so many samples


LOADS = (
    Load("mixed load, 100 channels at 1 s", 1, lambda samples: zip(*mixed(samples), strict=True)),
    Load("heat pump, 1,749 values at 30 s", 30, heat_pump),
)


@attrs.define
class Spent:
    """What the upkeep of some hours took."""

    late_ms: list[float] = attrs.field(factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    written_bytes: int = 0


def run(*, short: bool = False) -> list[Result]:
    """A poller beside the upkeep of some hours, for both loads; and rows of an older agent."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)  # as the agent has it
    try:
        results = []
        for load in LOADS:
            results += _beside_a_poller(load, 2 if short else HOURS)
        return [*results, *_old_rows(3000 if short else ROWS)]
    finally:
        sys.setswitchinterval(before_s)


class Polled:
    """A store that gets a load, and its upkeep; the store's clock goes as fast as it is fed."""

    def __init__(self, folder: Path, load: Load, *, plain: bool = False) -> None:
        self.clock = FakeClock()
        self.path = folder / "telemetry.db"
        self.store = Store(self.path, self.clock)
        self.store.add_device(DEVICE, "s7", load.every_s, plain=plain)
        self.upkeep = Upkeep(self.store, self.clock, 8, {DEVICE: False})
        self._every_s = load.every_s
        self._kept: dict[tuple[object, ...], int] = {}

    def put(self, rows: Iterator[Sequence[Value]]) -> None:
        """Some samples, with a commit every 10 s."""
        for number, row in enumerate(rows):
            self.append(row)
            self.clock.advance(self._every_s)
            if number * self._every_s % 10 == 0:
                self.store.flush()
        self.store.flush()

    def append(self, row: Sequence[Value]) -> None:
        """One sample, now."""
        values = {f"v{at}": value for at, value in enumerate(row)}
        self.store.append(Sample(DEVICE, self.clock.stamp(), values))

    def keep_up(self, spent: Spent) -> None:
        """All that is due."""
        began_s, cpu_s = time.monotonic(), time.thread_time()
        self.upkeep.run()
        spent.wall_s += time.monotonic() - began_s
        spent.cpu_s += time.thread_time() - cpu_s
        spent.written_bytes += self._written()

    def _written(self) -> int:
        """Bytes of blocks and aggregates that are new since the last time."""
        sql = (
            "SELECT 0, id, count, length(data) FROM block UNION ALL "
            "SELECT span_ms, start_ms, block, length(data) FROM aggregate"
        )
        with closing(sqlite3.connect(self.path)) as connection:
            kept: dict[tuple[object, ...], int] = {r[:3]: r[3] for r in connection.execute(sql)}
        written = sum(size for key, size in kept.items() if self._kept.get(key) != size)
        self._kept = kept
        return written

    def sizes(self) -> tuple[int, int]:
        """Bytes of blocks, and of aggregates."""
        return (
            sum(size for key, size in self._kept.items() if key[0] == 0),
            sum(size for key, size in self._kept.items() if key[0] != 0),
        )


@contextmanager
def polling(late_ms: list[float], poll: Callable[[], None]) -> Iterator[None]:
    """A thread that polls each 100 ms; by how much later than due each poll has ended."""
    stop = threading.Event()

    def work() -> None:
        due_s = time.monotonic() + POLL_S
        while not stop.wait(max(0.0, due_s - time.monotonic())):
            poll()
            late_ms.append(1000 * (time.monotonic() - due_s))
            due_s += POLL_S

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beside_a_poller(load: Load, hours: int) -> list[Result]:
    samples = 3600 // load.every_s
    rows = load.rows((hours + 2) * samples)
    group = f"upkeep of {hours} hours, {load.name}; load of the machine {os.getloadavg()[0]:.1f}"
    quiet: list[float] = []
    spent = Spent()
    with tempfile.TemporaryDirectory() as name:
        polled = Polled(Path(name), load)
        polled.put(islice(rows, samples))
        row = next(rows)
        store = Store(Path(name) / "other.db", FakeClock())  # never flushed: what a poll does
        store.add_device(DEVICE, "s7", 1.0)
        numbers = count()

        device, agent = socket.socketpair()

        def poll() -> None:
            for _ in range(ANSWERS):
                device.send(b"?")
                agent.recv(1)
            values = {f"v{at}": value for at, value in enumerate(row)}
            store.append(Sample(DEVICE, polled.clock.stamp(), values | {"v0": next(numbers)}))

        with polling(quiet, poll):
            time.sleep(QUIET_S if hours > 2 else 1.0)
        for _ in range(6 * hours):
            polled.put(islice(rows, samples // 6))
            with polling(spent.late_ms, poll):
                polled.keep_up(spent)
        sizes = polled.sizes()
        polled.store.close()
        device.close()
        agent.close()
    values = hours * samples * len(row)
    return _results(group, quiet, spent, hours, [size / values for size in sizes])


def _results(
    group: str, quiet: Sequence[float], spent: Spent, hours: int, sizes: Sequence[float]
) -> list[Result]:
    name = "a poll ends after it is due"
    return [
        Result(group, f"{name}, longest of {len(quiet)}: quiet", max(quiet), "ms"),
        Result(group, f"{name}, longest of {len(spent.late_ms)}: meanwhile", max(spent.late_ms),
               "ms", max(quiet) + DELAY_MS),
        Result(group, f"{name}, 99 % stay below: meanwhile", quantile(spent.late_ms, 0.99), "ms"),
        Result(group, "CPU of an hour", spent.cpu_s / hours, "s"),
        Result(group, "written a day", 24 * spent.written_bytes / hours / 1e6, "MB"),
        Result(group, "blocks", sizes[0], "B a value"),
        Result(group, "aggregates", sizes[1], "B a value"),
    ]  # fmt: skip


def _old_rows(rows: int) -> list[Result]:
    """Rows of 10 values, as an older agent has left them: how fast a year is worked off."""
    group = f"sealing {rows:,} rows of 10 values"
    spent = Spent()
    load = Load("rows", 1, lambda samples: zip(*mixed(samples)[35:45], strict=True))
    with tempfile.TemporaryDirectory() as name:
        polled = Polled(Path(name), load, plain=True)
        polled.put(load.rows(rows))
        polled.clock.advance(7200)
        polled.put(load.rows(1))
        polled.keep_up(spent)
        polled.store.close()
    a_year_h = 365 * 86_400 / rows * spent.wall_s * (1 + REST) / 3600
    return [
        Result(group, "rows a second, without rests", rows / spent.wall_s, ""),
        Result(group, "a year of them at 1 s, with rests", a_year_h, "hours"),
    ]


if __name__ == "__main__":
    for result in run(short="--short" in sys.argv):
        print(result)
