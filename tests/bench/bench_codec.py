"""Blocks: bytes a value of a mixed load and of a heat pump, and how fast they are made and read."""

import csv
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from math import fsum
from pathlib import Path
from typing import Any

from agent.model import Value
from agent.store.codec import Block, Piece, encode
from tests.bench.loads import START_MS, heat_pump, mixed
from tests.bench.result import Result

BLOCK = 3600  # samples of the mixed load
HEAT_PUMP_BLOCK = 480
MINUTE = 60
PER_THOUSAND = "B for 1,000 values"


def run(*, short: bool = False) -> list[Result]:
    """Sizes and times of both loads."""
    return [*_mixed(BLOCK if short else 6 * BLOCK), *_heat_pump(480 if short else 2880)]


def _mixed(seconds: int) -> list[Result]:
    group = f"mixed load, 100 channels at 1 s for {seconds // 3600} h, blocks of {BLOCK:,}"
    channels = mixed(seconds)
    values = seconds * len(channels)
    pieces = [
        _piece([channel[start : start + BLOCK] for channel in channels], start, 1000)
        for start in range(0, seconds, BLOCK)
    ]
    began_s = time.process_time()
    blocks = [encode(piece) for piece in pieces]
    encoded_s = time.process_time() - began_s
    minutes = [encode(_minutes(piece), small=True) for piece in pieces]
    kinds = {"temperature": 0, "power": 40, "voltage": 60, "counter": 70, "state": 80}
    return [
        Result(group, "blocks", 1000 * _size(blocks) / values, PER_THOUSAND, 420),
        Result(group, "minutes beside them", 1000 * _size(minutes) / values, PER_THOUSAND, 50),
        Result(group, "encoded", values / encoded_s / 1e6, "million values/s"),
        *(
            Result(group, f"a column decoded: {kind}", _column_ms(blocks[0], position), "ms", 1)
            for kind, position in kinds.items()
        ),
    ]


def _column_ms(data: bytes, position: int) -> float:
    def read() -> object:
        return block.column(position)

    block = Block(data)
    return 1000 * _median_s(read, 30)


def _piece(columns: Sequence[Sequence[Value]], first: int, interval_ms: int) -> Piece:
    times = [START_MS + (first + index) * interval_ms for index in range(len(columns[0]))]
    keys = [time_ms * 1000 for time_ms in times]
    ones = [1] * len(keys)
    layout = {1: tuple(range(len(columns)))}
    return Piece(1, keys, times, ones, ones, layout, dict(enumerate(columns)))


def _minutes(piece: Piece) -> Piece:
    """What aggregates of a piece are: six columns for each of its own."""
    columns: dict[int, Sequence[Value]] = {}
    for position, cells in piece.columns.items():
        fields = [_fields(cells[start : start + MINUTE]) for start in range(0, len(cells), MINUTE)]
        columns |= dict(enumerate(zip(*fields, strict=True), 8 * position))
    times = piece.times[::MINUTE]
    ones = [1] * len(times)
    layout = {1: tuple(columns)}
    return Piece(1, [each * 1000 for each in times], times, ones, ones, layout, columns)


def _fields(cells: Sequence[Any]) -> Sequence[Value]:
    """Count, least, greatest, sum, first and last."""
    total = sum(cells) if type(cells[0]) is int else round(fsum(cells), 9)
    return len(cells), min(cells), max(cells), total, cells[0], cells[-1]


def _size(blocks: Sequence[bytes]) -> int:
    return sum(map(len, blocks))


def _heat_pump(samples: int) -> list[Result]:
    group = f"heat pump, 1,749 values at 30 s, {samples:,} samples, blocks of {HEAT_PUMP_BLOCK}"
    rows = [*heat_pump(samples)]
    columns = [*zip(*rows, strict=True)]
    values = samples * len(columns)
    began_s = time.process_time()
    blocks = [
        encode(_piece([each[start : start + HEAT_PUMP_BLOCK] for each in columns], start, 30_000))
        for start in range(0, samples, HEAT_PUMP_BLOCK)
    ]
    encoded_s = time.process_time() - began_s
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peer_s = _shell_s(rows, folder)
        ours_s = _median_s(lambda: _write_csv(blocks, folder / "ours.csv"), 5)
        assert (folder / "ours.csv").read_text() == (folder / "peer.csv").read_text()
    return [
        Result(group, "blocks", 1000 * _size(blocks) / values, PER_THOUSAND, 20),
        Result(group, "encoded", values / encoded_s / 1e6, "million values/s"),
        Result(group, "to CSV", ours_s, "s", peer_s),
        Result(group, "to CSV by sqlite3, from a table of plain columns", peer_s, "s"),
    ]


def _write_csv(blocks: Sequence[bytes], path: Path) -> None:
    with path.open("w") as file:
        for data in blocks:
            block = Block(data)
            file.writelines(f"{line}\n" for line in block.lines(range(len(block.positions[1]))))


def _shell_s(rows: Sequence[Sequence[Value]], folder: Path) -> float:
    """The time of Debian's shell, whose lines are kept in peer.csv with our line ends."""
    path = folder / "plain.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE t({','.join(f'c{n}' for n in range(len(rows[0])))})")
        marks = ",".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO t VALUES({marks})", rows)
        connection.commit()

    def ask() -> None:
        with (folder / "raw.csv").open("wb") as out:
            subprocess.run(["sqlite3", "-csv", path, "SELECT * FROM t"], stdout=out, check=True)

    found = _median_s(ask, 5)
    with (folder / "raw.csv").open(newline="") as source, (folder / "peer.csv").open("w") as out:
        csv.writer(out, lineterminator="\n").writerows(csv.reader(source))
    return found


def _median_s(work: Callable[[], object], runs: int) -> float:
    spent = []
    for _ in range(runs):
        began_s = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began_s)
    return statistics.median(spent)
