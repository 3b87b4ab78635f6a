"""Values that go into the store while it seals, and while somebody reads all of it.

A channel's clock goes on by a second with each sample, however fast they come: sealing has as much
to do as it has with so many values of a real load. A commit is due by the real time, or when the
store asks for one since its memory fills, as the agent has it.
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from agent.model import Sample, Value
from agent.store import Reader, Store
from agent.store.upkeep import Upkeep
from tests.bench.loads import MIXED_CHANNELS, START_MS, mixed
from tests.bench.result import Result, quantile
from tests.fakes import FakeClock
from tests.store.stored import EVER

ROOT = Path(__file__).parent.parent.parent
DEVICE = "plant"
PLAIN_DAYS = 8
FLUSH_S = 1.0  # ten times as often as by default
SECONDS, SHORT_SECONDS = 60.0, 5.0
MOST_US = 10.0  # of a value: 100,000 in a second
PERIOD_S = 3600  # after which the values come again


@attrs.frozen
class Run:
    """What was done, and meanwhile by others."""

    values: int
    took_s: float
    cpu_s: float
    flushes_ms: Sequence[float]
    blocks: int
    scanned: int


def run(*, short: bool = False) -> list[Result]:
    """Sustained rates: alone, with upkeep, and with upkeep and a reader."""
    seconds = SHORT_SECONDS if short else SECONDS
    samples = _samples()
    results = []
    for name, seals, reads in (
        ("alone", False, False),
        ("while it seals", True, False),
        ("while it seals and another process scans", True, True),
    ):
        found = measure(samples, seconds, seals=seals, reads=reads)
        results += _results(name, found, MOST_US if reads and not short else None)
    return results


def _results(name: str, found: Run, most_us: float | None) -> list[Result]:
    load = f"load of the machine {os.getloadavg()[0]:.1f}"
    group = f"append and flush, {name}, {found.took_s:.0f} s, {load}"
    value_us = 1e6 * found.took_s / found.values
    return [
        Result(group, "values a second", found.values / found.took_s, ""),
        Result(group, "a value", value_us, "us", most_us),
        Result(group, "a value, CPU time of the process", 1e6 * found.cpu_s / found.values, "us"),
        Result(group, "a flush, median", statistics.median(found.flushes_ms), "ms"),
        Result(group, "a flush, 99 % stay below", quantile(found.flushes_ms, 0.99), "ms"),
        Result(group, "a flush, the longest", max(found.flushes_ms), "ms"),
        Result(group, "blocks in the end", found.blocks, ""),
        Result(group, "values that were scanned meanwhile", found.scanned, ""),
    ]


def _samples() -> Sequence[Mapping[str, Value]]:
    names = [f"channel{number}" for number in range(MIXED_CHANNELS)]
    return [dict(zip(names, row, strict=True)) for row in zip(*mixed(PERIOD_S), strict=True)]


def measure(
    samples: Sequence[Mapping[str, Value]], seconds: float, *, seals: bool, reads: bool
) -> Run:
    """Put in what goes in; the clock of the samples is as far as their number."""
    with tempfile.TemporaryDirectory(prefix="agent-append-") as name:
        path = Path(name) / "telemetry.db"
        clock = FakeClock(START_MS)
        store = Store(path, clock)
        store.add_device(DEVICE, "json", 1.0)
        store.append(Sample(DEVICE, clock.stamp(), samples[0]))
        store.flush()
        with sealing(store, clock, is_wanted=seals), scanning(path, is_wanted=reads) as scanned:
            found = _put(store, clock, samples, seconds)
        store.close()
        with Reader(path) as reader:
            there = sum(part.count for part in reader.segments(DEVICE, *EVER))
        assert there == 1 + found.values // MIXED_CHANNELS  # nothing was lost on the way
        with closing(sqlite3.connect(path)) as connection:
            [(blocks,)] = connection.execute("SELECT count(*) FROM block")
    return attrs.evolve(found, blocks=blocks, scanned=sum(scanned))


def _put(
    store: Store, clock: FakeClock, samples: Sequence[Mapping[str, Value]], seconds: float
) -> Run:
    flushes_ms: list[float] = []
    asked = threading.Event()
    store.on_append(asked.set)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    number = 0
    while time.monotonic() - began_s < seconds:
        flush_s = time.monotonic()
        while time.monotonic() - flush_s < FLUSH_S and not asked.is_set():
            clock.advance(1)
            number += 1
            store.append(Sample(DEVICE, clock.stamp(), samples[number % PERIOD_S]))
        flush_s = time.monotonic()
        asked.clear()
        assert store.flush()
        flushes_ms.append(1000 * (time.monotonic() - flush_s))
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    return Run(number * MIXED_CHANNELS, took_s, cpu_s, flushes_ms, 0, 0)


@contextmanager
def sealing(store: Store, clock: FakeClock, *, is_wanted: bool) -> Iterator[None]:
    """Upkeep in a thread, as the agent has it, with hardly a rest."""
    stop = threading.Event()
    upkeep = Upkeep(store, clock, PLAIN_DAYS, {})

    def work() -> None:
        while not stop.wait(0.05):
            upkeep.run()

    thread = threading.Thread(target=work)
    if is_wanted:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        upkeep.stop()
        if is_wanted:
            thread.join()


@contextmanager
def scanning(path: Path, *, is_wanted: bool) -> Iterator[list[int]]:
    """A process that reads one channel from beginning to end, again and again; what it had."""
    scanned: list[int] = []
    if not is_wanted:
        yield scanned
        return
    words = [sys.executable, "-m", "tests.bench.bench_append", str(path)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield scanned
        finally:
            output, _ = process.communicate()
            scanned.extend(map(int, output.split()))


def scan(path: Path, is_over: threading.Event) -> int:
    """Scan until told to end, how many values that were."""
    values = 0
    while not is_over.is_set():
        with Reader(path) as reader:
            for part in reader.segments(DEVICE, *EVER):
                values += len(part.cells(3))
    return values


def main() -> None:
    """The reader of ``scanning``: it ends when its input does."""
    is_over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        is_over.set()

    threading.Thread(target=wait, daemon=True).start()
    print(scan(Path(sys.argv[1]), is_over))


if __name__ == "__main__":
    main()
