"""CPU that one sample of this machine costs, ours beside the way that psutil has of doing it.

Both are measured in the same run, in turn, with 100
processes on the machine: sleeping ones are started up to that number.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
import psutil

from agent.devices.host import Options
from agent.devices.host.driver import Host
from agent.model import Value
from tests.bench.result import Result

PROCESSES = 100
TOP = 10
OURS, PSUTILS = 200, 50
EVERY = OURS // PSUTILS
TARGET_MS = 2.0


@attrs.frozen
class Row:
    """CPU milliseconds of a sample: the middle of all, and what 95 % stay below."""

    name: str
    samples: int
    median_ms: float
    p95_ms: float


def run(*, short: bool = False) -> list[Result]:
    """CPU of our sample with all options on, of ours without the rest, and of psutil's."""
    rows = rows_of(10 if short else OURS)
    group = f"one sample of this machine, {TOP} of {PROCESSES} processes"
    named = zip(("ours, everything", "ours, what psutil's has", "psutil"), rows, strict=True)
    results = [
        Result(group, f"{name}: CPU, median of {row.samples}", row.median_ms, "ms")
        for name, row in named
    ]
    results[0] = attrs.evolve(results[0], target=TARGET_MS)
    ratio = rows[-1].median_ms / rows[1].median_ms
    return [*results, Result(group, "psutil's over ours, like for like", ratio, "times")]


def rows_of(samples: int) -> list[Row]:
    """The three methods in one run."""
    full = Host(Options(processes=TOP), 3.0)
    bare = Host(Options(processes=TOP, disks=False, network=False, temperatures=False), 3.0)
    with enough_processes():
        return measure(
            {"host": full.read, "host, as psutil's": bare.read, "psutil": psutil_sample}, samples
        )


def measure(methods: Mapping[str, Callable[[], Mapping[str, Value]]], samples: int) -> list[Row]:
    """Run the methods in turn, psutil's every fourth time."""
    spent: dict[str, list[float]] = {name: [] for name in methods}
    for sample in methods.values():
        sample()  # the first one connects and has no interval yet
    for turn in range(samples):
        for name, sample in methods.items():
            if name != "psutil" or turn % EVERY == 0:
                spent[name].append(cpu_ms(sample))
    return [row_of(name, times) for name, times in spent.items()]


def cpu_ms(sample: Callable[[], Mapping[str, Value]]) -> float:
    """CPU time of this process in one call."""
    start = time.process_time_ns()
    sample()
    return (time.process_time_ns() - start) / 1e6


def row_of(name: str, times: list[float]) -> Row:
    """The row of one method."""
    p95_ms = statistics.quantiles(times, n=20)[-1]
    return Row(name, len(times), statistics.median(times), p95_ms)


def psutil_sample() -> Mapping[str, Value]:
    """What the Raspberry Pi logger does for each of its samples on a Raspberry Pi."""
    values: dict[str, Value] = {"cpu_total": psutil.cpu_percent()}
    for core, usage in enumerate(psutil.cpu_percent(percpu=True)):
        values[f"core{core}_usage"] = usage
    frequency = psutil.cpu_freq()
    values["cpu_freq"] = frequency.current if frequency else None
    values["load1"], values["load5"], values["load15"] = psutil.getloadavg()
    supplies = Path("/sys/class/power_supply")
    for supply in sorted(supplies.iterdir()) if supplies.is_dir() else ():
        if (supply / "type").read_text().strip() == "Battery":
            values["voltage"] = int((supply / "voltage_now").read_text()) / 1e6
            break
    wanted = ["pid", "name", "cpu_percent", "memory_percent"]
    found = [process.info for process in psutil.process_iter(wanted)]
    found.sort(key=lambda info: info["cpu_percent"] or 0.0, reverse=True)
    for slot, info in enumerate(found[:TOP], 1):
        values |= {f"process{slot}_{key}": info[key] for key in wanted}
    return values


@contextmanager
def enough_processes() -> Iterator[None]:
    """At least 100 processes while it lasts."""
    missing = max(0, PROCESSES - len(psutil.pids()))
    command = [sys.executable, "-ISc", "import signal; signal.pause()"]
    children = [subprocess.Popen(command) for _ in range(missing)]
    try:
        time.sleep(1.0 if children else 0.0)  # until they have started and lie still
        yield
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()
