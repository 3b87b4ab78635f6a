"""What the loggers of FIVE_LOGGERS.md write, made the way that they make it."""

import csv
import io
import random
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.devices.benchlab.layout import PRODUCTS, layout_for
from agent.devices.thermostat.fields import RARE, standard_metrics
from agent.model import Value

BERLIN = ZoneInfo("Europe/Berlin")
START_S = 1_718_000_000  # 2024-06-10T06:13:20Z
TABLES = """
CREATE TABLE IF NOT EXISTS system_sample (
  ts INTEGER PRIMARY KEY, voltage REAL, current REAL, power REAL, battery_pct REAL,
  cpu_total REAL NOT NULL, cpu_freq REAL NOT NULL,
  load1 REAL NOT NULL, load5 REAL NOT NULL, load15 REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS cpu_core (
  ts INTEGER NOT NULL, core INTEGER NOT NULL, usage REAL NOT NULL, PRIMARY KEY (ts, core)
);
CREATE TABLE IF NOT EXISTS process_sample (
  ts INTEGER NOT NULL, pid INTEGER NOT NULL, name TEXT NOT NULL, cpu REAL NOT NULL,
  mem REAL NOT NULL, PRIMARY KEY (ts, pid)
);
DROP VIEW IF EXISTS training_view;
CREATE VIEW training_view AS
SELECT ts, cpu_total, cpu_freq, load1, load5, load15, voltage, current, power, battery_pct,
  ABS(power) AS watts,
  CASE WHEN current IS NULL THEN NULL WHEN current < 0 THEN (-current * 1000.0) / 60.0
    ELSE 0.0 END AS drain_mah_per_min,
  CASE WHEN current IS NULL THEN NULL WHEN current > 0 THEN (current * 1000.0) / 60.0
    ELSE 0.0 END AS charge_mah_per_min
FROM system_sample;
"""
Rows = list[dict[str, Value]]


def pi_database(path: Path, seconds: Iterable[int], *, processes: int = 3) -> None:
    """The part 3 logger's file; what it says of a second depends on the second alone."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(TABLES)
    for ts in seconds:
        noise = random.Random(ts)
        battery: list[float | None] = [None] * 4
        if ts % 3:
            voltage, current = 3.7 + noise.random(), noise.random() - 0.5
            battery = [voltage, current, voltage * current, float(noise.randint(0, 100))]
        loads = [round(noise.random(), 2) for _ in range(3)]
        main = [ts, *battery, round(noise.random() * 100, 1), 1500.0, *loads]
        connection.execute("INSERT INTO system_sample VALUES(?,?,?,?,?,?,?,?,?,?)", main)
        for core in range(2):
            usage = round(noise.random() * 100, 1)
            connection.execute("INSERT INTO cpu_core VALUES(?,?,?)", (ts, core, usage))
        for number in range(processes - (ts % 10 == 0)):
            row = (ts, 900 - number, f"task {number}", noise.choice([0.0, 1.5, 250.0]), 0.25)
            connection.execute("INSERT INTO process_sample VALUES(?,?,?,?,?)", row)
    connection.commit()
    connection.close()


def pi_rows(path: Path, sql: str) -> list[tuple[Value, ...]]:
    """Rows of that file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def local(ts_ms: int) -> datetime:
    """The time of Berlin as ``datetime.now()`` gives it there, without a zone."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts_ms)
    return moment.astimezone(BERLIN).replace(tzinfo=None)


def bench_rows(count: int, seed: int = 1) -> Rows:
    """What a board says, as its driver gives it."""
    noise = random.Random(seed)
    layout = layout_for(PRODUCTS[0x10], 6)
    found: Rows = []
    while len(found) < count:
        data = noise.randbytes(layout.size)
        found.append(dict(layout.decode(data)))
    return found


def bench_csv(times: Sequence[int], rows: Rows) -> str:
    """A run of the part 1 logger."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Timestamp", *rows[0]])
    for ts_ms, row in zip(times, rows, strict=True):
        writer.writerow([local(ts_ms).isoformat(timespec="microseconds"), *row.values()])
    return out.getvalue()


def plc_rows(count: int, seed: int = 2) -> Rows:
    """What data block 1 of the course says."""
    noise = random.Random(seed)
    return [
        {
            "counter": number,
            "temperature": noise.randint(-40, 90),
            "pressure": noise.random() * 10,
            "alarm": noise.random() < 0.5,
            "mode_ro": noise.randint(0, 255),
        }
        for number in range(count)
    ]


def plc_csv(times: Sequence[int], rows: Rows) -> str:
    """A log of the part 2 logger."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ["ts", *rows[0]])
    writer.writeheader()
    for ts_ms, row in zip(times, rows, strict=True):
        writer.writerow({"ts": local(ts_ms).isoformat(timespec="seconds"), **row})
    return out.getvalue()


def cooler_rows(count: int, seed: int = 4) -> Rows:
    """What the bridge knows of both channels: null or missing now and then."""
    noise = random.Random(seed)
    names = [metric.name for metric in standard_metrics()]
    names = [name for name in names if name.partition("_ch")[0] not in RARE | {"time", "vref"}]
    return [
        {
            name: None
            if noise.random() < 0.1
            else noise.random() < 0.5
            if name.startswith("pid_engaged")
            else round(noise.gauss(20, 5), 4)
            for name in names
        }
        for _ in range(count)
    ]


def cooler_csv(times: Sequence[int], rows: Rows) -> str:
    """The ``data.csv`` of the part 4 bridge."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ["time", "ts", *rows[0]])
    writer.writeheader()
    for ts_ms, row in zip(times, rows, strict=True):
        time = datetime.fromtimestamp(ts_ms / 1000, UTC).isoformat()
        writer.writerow({"time": time, "ts": ts_ms, **row})
    return out.getvalue()


def timed(
    times: Sequence[int], rows: Iterable[dict[str, Value]]
) -> list[tuple[int, dict[str, Value]]]:
    """Samples as the station gives them back."""
    return list(zip(times, map(dict, rows), strict=True))
