"""The one file: its size, how fast commands answer, what the service costs, what is written.

Times from cold are with nothing of it in the kernel's page cache, which only root can empty. The
service runs from the unpacked copy, as install-service makes it; what it says and how much of it
is kept is as usual: the defaults of agent.toml, five devices at 1 s.
"""

import os
import platform
import resource
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.service.program import Program, unpack
from tests.bench import binary_peers
from tests.bench.binary_disk import Disk, disk
from tests.bench.binary_runs import started, unpacked_in, until, usage_of
from tests.bench.day import DAY_S, EVERY_S, FIVE, configuration, five_devices, make_day
from tests.bench.result import Result
from tests.frozen.program import command_of
from tests.proofs.stored import rows_of

GROUP = "the one file"
WARM_RUNS, COLD_RUNS = 20, 5
SETTLE_S = 10  # imports are over and memory is what it will be
LIMIT_KB = 100.0


def run(*, short: bool = False) -> list[Result]:
    """All of it, and its peers; nothing where the one file was not built."""
    words = command_of(os.environ)
    if not words:
        return [Result(GROUP, "there is none: make build", None, "")]
    size_mb = Path(words[-1]).stat().st_size / 1e6
    results = [Result(GROUP, f"size, {platform.machine()}", size_mb, "MB", 16)]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        results += _answers(words, folder, short=short)
        results += _service(words, folder, 5 if short else 60)
    results += _written(words)
    peer_s = 3 if short else 30
    return [*results, *binary_peers.collectd(peer_s), *binary_peers.node_exporter(peer_s)]


def _answers(words: Sequence[str], folder: Path, *, short: bool) -> list[Result]:
    """How long commands take."""
    empty, day = folder / "empty", folder / "day"
    empty.mkdir()
    day.mkdir()
    seconds = 600 if short else DAY_S
    rows = make_day(day, time.time_ns() // 1_000_000, seconds)
    of = f"report --daily: {rows:,} rows, {len(FIVE)} kinds at {EVERY_S} s"
    warm = _median_ms([*words, "version"], empty, 3 if short else WARM_RUNS)
    cpu = 1000 * _cpu_s([*words, "version"], empty)
    results = [
        Result(GROUP, f"agent version, warm, median of {WARM_RUNS}", warm, "ms", 150),
        Result(GROUP, "agent version, CPU time of it, the least", cpu, "ms"),
    ]
    report = [*words, "report", "--daily"]
    if _forget_files():
        runs = 1 if short else COLD_RUNS
        cold = _median_ms([*words, "version"], empty, runs, is_cold=True)
        results.append(Result(GROUP, "agent version, cold", cold, "ms", 150))
        cold = _median_ms(report, day, runs, is_cold=True)
        results.append(Result(GROUP, f"{of}, cold", cold / 1000, "s", 1.2))
    results.append(Result(GROUP, f"{of}, CPU time", _cpu_s(report, day), "s"))
    return results


def _median_ms(words: Sequence[str], folder: Path, runs: int, *, is_cold: bool = False) -> float:
    spent = []
    for _ in range(runs):
        if is_cold:
            _forget_files()
        began_s = time.monotonic()
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
        spent.append(1000 * (time.monotonic() - began_s))
    return statistics.median(spent)


def _cpu_s(words: Sequence[str], folder: Path) -> float:
    """The least of several runs: other work on the machine only adds to it."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def _forget_files() -> bool:
    """Empty the page cache; whether that was allowed."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def _service(words: Sequence[str], folder: Path, seconds: float) -> list[Result]:
    """The agent on five devices: as the one file, and from the unpacked copy."""
    results = []
    forms = {"as one file": list(words)}
    if len(words) == 1:  # an emulator's program can't be unpacked here
        program = Program(Path(words[0]), True, "0", None)
        forms["unpacked, as the service"] = [str(unpack(program, folder / "copy"))]
    for name, form in forms.items():
        with _five(folder / name) as own:
            began_s = time.monotonic()
            with started([*form, "run"], own) as process:
                first_s = until(lambda: _has_row(own), "a row") - began_s
                time.sleep(SETTLE_S if seconds > SETTLE_S else 1)
                usage = usage_of(process.pid, seconds)
                unpacked_mb = unpacked_in(process.pid)
        group = f"agent run, {len(FIVE)} devices at 1 s, {name}"
        results += [
            Result(group, "start to the first row in the store", first_s, "s", 1.0),
            Result(group, "resident memory", usage.resident_mb, "MiB", 45),
            Result(
                group, "PSS, USS of all processes", usage.pss_mb, f"MiB, {usage.uss_mb:.1f} MiB"
            ),
            Result(group, "unpacked, in memory", unpacked_mb, "MiB"),
            Result(group, f"CPU of one core, {seconds:g} s", usage.cpu_pct, "%", 1),
        ]
    return results


@contextmanager
def _five(folder: Path) -> Iterator[Path]:
    """A folder with the agent.toml of five simulated devices that run in this process."""
    folder.mkdir()
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm") as memory,
        five_devices(Path(memory)) as everything,
    ):
        configuration(everything, folder, interval_s=1.0)
        yield folder


def _has_row(folder: Path) -> bool:
    try:
        return _rows(folder) > 0
    except sqlite3.Error:  # its tables are not there yet
        return False


def _written(words: Sequence[str]) -> list[Result]:
    """Bytes on the disk for a start and for a command, with the folders of temporary files."""
    group = "written to the disk (ext4 in a file, all synced)"
    with disk() as found:
        if found is None:
            return [Result(group, "needs root, mkfs.ext4 and a loop device", None, "")]
        shutil.copy2(words[-1], found.path / "agent")
        own = [*found.prefix, *words[:-1], str(found.path / "agent")]
        with _five(found.path / "five") as folder:
            starts = [_start_kb(found, own, folder) for _ in range(2)]
            read = _command_kb(found, [*own, "status"], folder)
        version = _command_kb(found, [*own, "version"], found.path)
    return [
        Result(group, "agent version", version, "kB", LIMIT_KB),
        Result(group, "agent status", read, "kB", LIMIT_KB),
        Result(group, "agent run, the first start, to the first row", starts[0], "kB", LIMIT_KB),
        Result(group, "agent run, a later start, to the first row", starts[1], "kB", LIMIT_KB),
    ]


def _start_kb(on: Disk, words: Sequence[str], folder: Path) -> float:
    rows = _rows(folder)
    before = on.written_bytes()
    with started([*words, "run"], folder):
        until(lambda: _rows(folder) > rows, "a row")
        return (on.written_bytes() - before) / 1000


def _command_kb(on: Disk, words: Sequence[str], folder: Path) -> float:
    before = on.written_bytes()
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return (on.written_bytes() - before) / 1000


def _rows(folder: Path) -> int:
    """How many samples of all devices are stored."""
    path = folder / "data" / "telemetry.db"
    return len(rows_of(path)) + len(rows_of(path, table="host_row"))
