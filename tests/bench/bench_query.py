"""Queries about 30 days of the mixed load: 100 channels at 1 s, sealed, 259 million values.

A year would take an hour to make; what is read of the aggregates grows with the days, and of the
samples with the stretch that is asked for.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path

from agent.store.codec import Piece
from agent.store.hours import Hours
from agent.store.making import insert, made_of_piece
from agent.store.query import Reader
from agent.store.series import min_max
from agent.store.sql.engine import Engine
from tests.bench.loads import MIXED_CHANNELS, START_MS, mixed
from tests.bench.result import Result
from tests.store.laid import Laid

DAYS = 30
DAY_S = 86_400
BLOCK = 10_000  # samples: as many as have a million values
LAYOUT = tuple(range(MIXED_CHANNELS))
FIRST_MS = START_MS // (DAY_S * 1000) * DAY_S * 1000
MEAN_S, PEAK_MIB = 1.0, 100
POINTS, POINTS_S = 1000, 0.3
CELL_NS = 1e9 / 3e6
CHANNEL = "channel3"  # a temperature
BY_DAY = f"SELECT day, mean FROM press_days WHERE metric = '{CHANNEL}'"
BY_SAMPLE = f"SELECT ts_ms / 86400000 AS day, avg({CHANNEL}) FROM press GROUP BY day"
NEWEST = "SELECT * FROM press ORDER BY ts_ms DESC LIMIT 1"
ONE_DAY = f"SELECT * FROM press WHERE ts_ms >= {FIRST_MS} AND ts_ms < {FIRST_MS + DAY_S * 1000}"
# In a process of its own; its peak is of that process alone, unlike ru_maxrss.
COMMAND = """
import atexit, sys
from pathlib import Path
def tell():
    status = Path("/proc/self/status").read_text()
    print(next(l.split()[1] for l in status.splitlines() if l.startswith("VmHWM")), file=sys.stderr)
atexit.register(tell)
from agent.cli import main
main(prog_name="agent")
"""


def run(*, short: bool = False) -> list[Result]:
    """All figures; short, of two hours."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "agent.toml").write_text('[agent]\ntimezone = "UTC"\n')
        (folder / "data").mkdir()
        path = folder / "data/telemetry.db"
        days, seconds = (2, 3600) if short else (DAYS, DAY_S)
        lay_down(path, days, seconds)
        return [*_commands(folder, days), *_points(path, days), *_cells(path, days)]


def lay_down(path: Path, days: int, seconds: int = DAY_S) -> None:
    """A file as upkeep leaves it; all days have the values of the first."""
    laid = Laid(path, "s7", [f"channel{number}" for number in LAYOUT])
    layout = laid.layout(LAYOUT)
    laid.close()
    columns = mixed(seconds)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for day in range(days):
            start_ms = FIRST_MS + day * DAY_S * 1000
            starts = range(0, seconds, BLOCK)
            pieces = [_piece(columns, start_ms, start, layout) for start in starts]
            _write(connection, pieces)


def _piece(columns: Sequence[Sequence[float]], start_ms: int, start: int, layout: int) -> Piece:
    part = slice(start, start + BLOCK)
    cells = {position: columns[position][part] for position in LAYOUT}
    count = len(cells[0])
    times = [start_ms + (start + second) * 1000 for second in range(count)]
    keys = [ts_ms * 1000 for ts_ms in times]
    return Piece(1, keys, times, [1] * count, [layout] * count, {layout: LAYOUT}, cells)


def _write(connection: sqlite3.Connection, pieces: Sequence[Piece]) -> None:
    every = [made_of_piece(piece, lambda: None) for piece in pieces]
    hours = Hours(connection)
    for made in every:
        hours.add(made)
    connection.execute("BEGIN")
    for made in every:
        insert(connection, made)
    for row in hours.rows():
        row.write(connection)
    connection.execute("COMMIT")


def _commands(folder: Path, days: int) -> list[Result]:
    group = f"agent query, {days} days of {MIXED_CHANNELS} channels at 1 s, cold, with its start"
    by_day_s, by_day_kib = _asked(folder, BY_DAY)
    by_sample_s, by_sample_kib = _asked(folder, BY_SAMPLE)
    newest_s, _ = _asked(folder, NEWEST)
    day_s, day_kib = _asked(folder, ONE_DAY)
    peak_kib = max(by_day_kib, by_sample_kib, day_kib)
    return [
        Result(group, "mean per day of one channel, from its days", by_day_s, "s", MEAN_S),
        Result(group, "the same from all its samples, by GROUP BY", by_sample_s, "s"),
        Result(group, "the newest sample, all channels", newest_s, "s"),
        Result(group, "one day, all channels, as CSV", day_s, "s"),
        Result(group, "peak of memory of the largest", peak_kib / 1024, "MiB", PEAK_MIB),
    ]


def _asked(folder: Path, sql: str) -> tuple[float, int]:
    """Seconds and KiB of one command, the file not in the page cache."""
    _forget(folder / "data/telemetry.db")
    began_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "query", sql, "--output", "answer.csv"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began_s, int(done.stderr.splitlines()[-1])


def _forget(path: Path) -> None:
    """Have the kernel drop what it has of a file in memory."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _points(path: Path, days: int) -> list[Result]:
    """What a plot of everything needs, for each kind of channel."""
    group = f"{POINTS} points with minimum and maximum over {days} days, from dropped caches"
    found = []
    for kind, number in (("slow temperature", 3), ("noisy power", 45), ("counter", 75)):
        _forget(path)
        began_s = time.perf_counter()
        with Reader(path) as reader:
            ends = FIRST_MS, FIRST_MS + days * DAY_S * 1000
            points = min_max(reader, "press", f"channel{number}", *ends, POINTS)
        took_s = time.perf_counter() - began_s
        assert sum(point.count for point in points) > 0
        found.append(Result(group, f"a {kind}", took_s, "s", POINTS_S))
    return found


def _cells(path: Path, days: int) -> list[Result]:
    """What a cell costs that SQLite takes from us, its decoding included; CPU time."""
    group = f"cells through the virtual table, {days} days"
    found = []
    for count in (1, 10, MIXED_CHANNELS):
        asked = ", ".join(f"max(channel{number})" for number in range(count))
        with Engine(path, UTC) as engine:
            began_s = time.process_time()
            ((rows, *_),) = engine.select(f"SELECT count(*), {asked} FROM press").rows
            spent_s = time.process_time() - began_s
        assert isinstance(rows, int)
        name = f"{count} of {MIXED_CHANNELS} channels, CPU of a cell"
        found.append(Result(group, name, spent_s / rows / count * 1e9, "ns", CELL_NS))
    return found
