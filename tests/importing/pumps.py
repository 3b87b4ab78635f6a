"""What the heat pump logger of FIVE_LOGGERS.md writes: polls of a simulated controller."""

import csv
import io
import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.devices.luxtronik.layout import Layout
from agent.devices.luxtronik.options import Options
from agent.devices.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES, Table
from agent.model import Value
from hw_sim.luxtronik import wire
from hw_sim.luxtronik.memory import Memory
from hw_sim.luxtronik.profiles import PROFILES
from tests.importing.loggers import BERLIN

Raw = dict[Table, list[int]]
TABLES = {
    CALCULATIONS: wire.CALCULATIONS,
    PARAMETERS: wire.PARAMETERS,
    VISIBILITIES: wire.VISIBILITIES,
}
# Entries for which our driver has other words than the package.
OTHER_WORDS = ("Switchoff_file", "Switchoff2_file")


def polls(count: int, profile: str = "old", interval_s: int = 30) -> list[Raw]:
    """The numbers that a controller sends, poll by poll."""
    passed = [0.0]
    memory = Memory(PROFILES[profile], 1, 1_718_000_000.0, lambda: passed[0])
    found = []
    for number in range(count):
        passed[0] = number * interval_s
        found.append({table: memory.table(each) for table, each in TABLES.items()})
    return found


def as_driver(raw: Raw, *, readable: bool = False) -> dict[str, Value]:
    """What our driver makes of a poll."""
    options = Options("localhost", readable_headers=readable)
    layout = Layout({table: len(values) for table, values in raw.items()}, options)
    return layout.values(list(raw.values()))


def as_logger(raw: Raw) -> dict[str, Any]:
    """What that logger makes of a poll: by the package, unknown entries with their numbers."""
    from luxtronik.calculations import Calculations
    from luxtronik.parameters import Parameters
    from luxtronik.visibilities import Visibilities

    known: Mapping[Table, Mapping[int, Any]] = {
        CALCULATIONS: Calculations.calculations,
        PARAMETERS: Parameters.parameters,
        VISIBILITIES: Visibilities.visibilities,
    }
    found: dict[str, Any] = {}
    for table, values in raw.items():
        for index, value in enumerate(values):
            each = known[table].get(index)
            if table is CALCULATIONS and 81 < index < 91:
                continue
            if each is None or each.name.startswith("Unknown"):
                found[f"{table.name}.{table.name}.{index}"] = value
            elif table is CALCULATIONS and index == 81:
                found[f"{table.name}.{each.name}"] = each.from_heatpump(values[81:91])
            else:
                found[f"{table.name}.{each.name}"] = _local(each.from_heatpump(value))
    return found


def _local(value: Any) -> Any:
    """Times are those of the logger's machine, which stands in Berlin."""
    if not isinstance(value, datetime):
        return value
    return datetime.fromtimestamp(value.timestamp(), BERLIN).replace(tzinfo=None)


def cache(
    path: Path,
    times_s: Sequence[float],
    objects: Sequence[Mapping[str, Any]],
    table: str = "sensor_data",
    columns: tuple[str, str] = ("timestamp", "data_json"),
) -> Path:
    """The cache of that logger."""
    connection = sqlite3.connect(path)
    time, data = columns
    connection.execute(f"CREATE TABLE {table} ({time} REAL PRIMARY KEY, {data} TEXT NOT NULL)")
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",
        [(ts, json.dumps(each, default=str)) for ts, each in zip(times_s, objects, strict=True)],
    )
    connection.commit()
    connection.close()
    return path


def roll_up(objects: Sequence[Mapping[str, Any]]) -> str:
    """A roll-up of that logger, which has no times."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*objects[0]])
    writer.writeheader()
    writer.writerows(objects)
    return out.getvalue()


def comparable(values: Mapping[str, Value], logged: Mapping[str, Any]) -> dict[str, Value]:
    """Without those that the package has no words for, or others than our driver."""
    unknown = {name for name, value in logged.items() if value is None}
    return {
        name: value
        for name, value in values.items()
        if name not in unknown and not any(word in name for word in OTHER_WORDS)
    }
