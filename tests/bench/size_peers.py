"""What others make of a table of numbers: the bytes of their files."""

import gzip
import importlib
import json
import shutil
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket
from urllib.error import URLError

import attrs

PATIENCE_S = 120.0
CHUNK = 3600  # samples of a line that VictoriaMetrics is given
VICTORIA = "victoria-metrics"


class NotHereError(Exception):
    """This peer can't be measured on this machine, and why."""


@attrs.frozen
class Table:
    """Columns of numbers at even intervals."""

    names: Sequence[str]
    columns: Sequence[Sequence[float | int]]
    start_ms: int
    every_ms: int

    def times(self) -> range:
        """When each row was, UTC ms."""
        rows = len(self.columns[0])
        return range(self.start_ms, self.start_ms + rows * self.every_ms, self.every_ms)


def csv_gz(table: Table, folder: Path) -> int:
    """A CSV with a column for the time and one for each channel, by gzip."""
    path = folder / "table.csv.gz"
    with gzip.open(path, "wt", 6) as file:
        file.write(f"ts_ms,{','.join(table.names)}\n")
        for row in zip(table.times(), *table.columns, strict=True):
            file.write(f"{','.join(map(repr, row))}\n")
    return path.stat().st_size


def json_rows(table: Table, folder: Path) -> int:
    """A row for each second with all names and values, in SQLite."""
    path = folder / "json.db"
    rows = (
        (row[0], json.dumps(dict(zip(table.names, row[1:], strict=True))))
        for row in zip(table.times(), *table.columns, strict=True)
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cache(ts INTEGER PRIMARY KEY, data TEXT)")
        connection.executemany("INSERT INTO cache VALUES(?, ?)", rows)
        connection.commit()
    return path.stat().st_size


def parquet(table: Table, folder: Path) -> int:
    """A column for the time and one for each channel; all else as pyarrow has it by default."""
    try:
        arrow = importlib.import_module("pyarrow")
        writer = importlib.import_module("pyarrow.parquet")
    except ImportError as exc:
        raise NotHereError("pyarrow is not installed (pip install pyarrow)") from exc
    columns = {"ts_ms": table.times(), **dict(zip(table.names, table.columns, strict=True))}
    arrays = {name: arrow.array(column) for name, column in columns.items()}
    path = folder / "table.parquet"
    writer.write_table(arrow.table(arrays), path, compression="zstd")
    return path.stat().st_size


def victoria_metrics(table: Table, folder: Path) -> int:
    """All files of its folder, after a forced merge and a stop in order."""
    data = folder / "victoria"
    with _victoria(data) as url:
        for start in range(0, len(table.columns[0]), CHUNK):
            _post(f"{url}/api/v1/import", "".join(_lines(table, start)).encode())
        _post(f"{url}/internal/force_flush")
        _await_all(url, table)
        _post(f"{url}/internal/force_merge")
        _wait(lambda: _merges(url) == 0, "its merge")
    return sum(path.stat().st_size for path in data.rglob("*") if path.is_file())


def _lines(table: Table, start: int) -> Iterator[str]:
    times = [*table.times()[start : start + CHUNK]]
    for name, column in zip(table.names, table.columns, strict=True):
        values = column[start : start + CHUNK]
        line = {"metric": {"__name__": name}, "values": values, "timestamps": times}
        yield f"{json.dumps(line)}\n"


@contextmanager
def _victoria(data: Path) -> Iterator[str]:
    if shutil.which(VICTORIA) is None:
        raise NotHereError(f"it is not installed (apt install {VICTORIA})")
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = [VICTORIA, f"-httpListenAddr={address}", f"-storageDataPath={data}"]
    # Its own figures would be stored beside, and what is older than a month would be refused.
    words += ["-retentionPeriod=100y", "-loggerLevel=ERROR", "-search.disableCache"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(lambda: _answers(f"http://{address}/health"), "its start")
            yield f"http://{address}"
        finally:
            process.terminate()


def _await_all(url: str, table: Table) -> None:
    """Nothing is measured that lacks a value."""
    for name in (table.names[0], table.names[-1]):
        found = _post(f"{url}/api/v1/export?match[]={name}")
        count = sum(len(json.loads(line)["values"]) for line in found.splitlines())
        if count != len(table.columns[0]):
            raise NotHereError(f"it has {count:,} values of {name}")


def _merges(url: str) -> int:
    found = _post(f"{url}/metrics").decode()
    return sum(
        int(line.split()[-1]) for line in found.splitlines() if line.startswith("vm_active_force")
    )


def _answers(url: str) -> bool:
    try:
        return bool(_post(url))
    except URLError:
        return False


def _post(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(url, body, PATIENCE_S) as answer:
        return bytes(answer.read())


def _wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise NotHereError(f"{what} was not over within {PATIENCE_S:g} s")
        time.sleep(0.1)


PEERS: Mapping[str, Callable[[Table, Path], int]] = {
    "VictoriaMetrics, its folder after a forced merge": victoria_metrics,
    "Parquet with zstd": parquet,
    "CSV with gzip": csv_gz,
    "JSON rows in SQLite": json_rows,
}
