"""Roll-ups of a heat pump from blocks: a day beside the sqlite3 shell, and the memory of a week."""

import csv
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC
from itertools import islice
from pathlib import Path

from agent.reports.periods import Period
from agent.reports.rollup import iso, write
from agent.store import Reader
from tests.bench.loads import START_MS, heat_pump
from tests.bench.result import Result
from tests.store.laid import At, Laid

EVERY_MS = 30_000
DAY = 2880  # samples
WIDTH = 1749  # values
BLOCK = 480  # samples
RUNS = 5
MEMORY_MIB = 64
DEVICE = "press"
# In a process of its own, as the command is; its peak is of that process alone, unlike ru_maxrss.
ROLL_UP = f"""
import sys
from datetime import UTC
from pathlib import Path
from agent.reports.periods import Period
from agent.reports.rollup import write
from agent.store import Reader
with Reader(Path(sys.argv[1])) as reader:
    write(reader, {DEVICE!r}, Period(0, 10**13, "week"), Path(sys.argv[2]), UTC)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def run(*, short: bool = False) -> list[Result]:
    """A day and a week; short, two blocks of each."""
    day, week = (2 * BLOCK, 2 * BLOCK) if short else (DAY, 7 * DAY)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_day(folder, day), *_week(folder, week)]


def _day(folder: Path, samples: int) -> list[Result]:
    group = f"roll-up of a heat pump, 1,749 values at 30 s, {samples:,} samples"
    path = _blocks(folder / "day.db", samples)
    peer = _table(folder / "plain.db", samples)
    ours_s = _median_s(lambda: _roll_up(path, folder / "ours.csv"))
    peer_s = _median_s(lambda: _shell(peer, folder / "peer.csv"))
    rows = [_rows(folder / name) for name in ("ours.csv", "peer.csv")]
    assert rows[0][1:] == rows[1]
    return [
        Result(group, "from blocks, with manifest and synced", ours_s, "s", peer_s),
        Result(group, "by sqlite3 -csv, from a table of plain columns", peer_s, "s"),
    ]


def _week(folder: Path, samples: int) -> list[Result]:
    group = f"the same, {samples:,} samples, in a process of its own"
    path = _blocks(folder / "week.db", samples)
    command = [sys.executable, "-c", ROLL_UP, str(path), str(folder / "week.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [Result(group, "peak of memory", int(done.stdout) / 1024, "MiB", MEMORY_MIB)]


def _blocks(path: Path, samples: int) -> Path:
    """A store that has the heat pump's samples in blocks alone."""
    laid = Laid(path, "luxtronik", [f"calculations.ID_{position}" for position in range(WIDTH)])
    layout = tuple(range(WIDTH))
    found = enumerate(heat_pump(samples))
    while rows := [*islice(found, BLOCK)]:
        times = [(START_MS + number * EVERY_MS, row) for number, row in rows]
        laid.block([At(ts_ms * 1000, ts_ms, layout, row) for ts_ms, row in times])
    laid.close()
    return path


def _table(path: Path, samples: int) -> Path:
    """The same in a table with a column for each value, and the time as a roll-up has it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        columns = ",".join(f"c{position}" for position in range(WIDTH))
        connection.execute(f"CREATE TABLE t(time, {columns})")
        marks = ",".join("?" * WIDTH)
        connection.executemany(
            f"INSERT INTO t VALUES(?, {marks})",
            (
                (iso(START_MS + number * EVERY_MS, UTC), *row)
                for number, row in enumerate(heat_pump(samples))
            ),
        )
    return path


def _roll_up(path: Path, out: Path) -> None:
    with Reader(path) as reader:
        write(reader, DEVICE, Period(0, 10**13, "day"), out, UTC)


def _shell(path: Path, out: Path) -> None:
    with out.open("wb") as stream:
        subprocess.run(["sqlite3", "-csv", path, "SELECT * FROM t"], stdout=stream, check=True)


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return [*csv.reader(stream)]


def _median_s(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(RUNS):
        began_s = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began_s)
    return statistics.median(spent)
