"""The views that people query with the plain ``sqlite3`` shell."""

import sqlite3
from collections.abc import Mapping, Sequence

from agent.store.rows import HOST_KIND, Path
from agent.store.schema import quoted

COLUMN_LIMIT = 1990  # SQLite's own is 2,000 columns a view
SYSTEM_COLUMNS = (
    "voltage", "current", "power", "battery_pct", "cpu_total", "cpu_freq",
    "load1", "load5", "load15",
)  # fmt: skip
HOST_VIEWS = {
    "cpu_core": """
        SELECT ts, core.key AS core, core.value AS usage
        FROM host_row, json_each(v, '$[0]') AS core WHERE core.value IS NOT NULL
    """,
    "process_sample": """
        SELECT ts, json_extract(process.value, '$[0]') AS pid,
            json_extract(process.value, '$[1]') AS name,
            json_extract(process.value, '$[2]') AS cpu,
            json_extract(process.value, '$[3]') AS mem
        FROM host_row, json_each(v, '$[1]') AS process
        WHERE json_extract(process.value, '$[0]') IS NOT NULL
    """,
    "training_view": """
        SELECT ts, cpu_total, cpu_freq, load1, load5, load15,
            voltage, current, power, battery_pct, abs(power) AS watts,
            CASE WHEN current IS NULL THEN NULL WHEN current < 0 THEN -current * 1000.0 / 60
                ELSE 0.0 END AS drain_mah_per_min,
            CASE WHEN current IS NULL THEN NULL WHEN current > 0 THEN current * 1000.0 / 60
                ELSE 0.0 END AS charge_mah_per_min
        FROM system_sample
    """,
}

Paths = Mapping[str, Path]  # metric name to its place in a row's array


def _value(path: Path | None) -> str:
    if path is None:
        return "NULL"
    return "json_extract(v, '$" + "".join(f"[{index}]" for index in path) + "')"


def table_of(kind: str) -> str:
    """The table that rows of a kind lie in."""
    return "host_row" if kind == HOST_KIND else "row"


def device_view(name: str, device: int, kind: str, paths: Paths) -> str:
    """``time`` (ISO 8601, UTC), ``ts_ms`` and a column for each metric of one device."""
    # A view takes names that differ in case only for the same; so the second is left out.
    columns = {"time": "", "ts_ms": ""}
    for metric, path in sorted(paths.items(), key=lambda item: item[1]):
        columns.setdefault(metric.lower(), f"{_value(path)} AS {quoted(metric)}")
    chosen = ", ".join(list(columns.values())[2:COLUMN_LIMIT])
    time = "strftime('%Y-%m-%dT%H:%M:%fZ', ts_ms / 1000.0, 'unixepoch') AS time"
    comma = ", " if chosen else ""
    return (
        f"CREATE VIEW {quoted(name)} AS SELECT {time}, ts_ms{comma}{chosen} "
        f"FROM {table_of(kind)} WHERE device = {device}"
    )


def _system_sample(hosts: Sequence[tuple[int, Paths]]) -> str:
    if not hosts:
        return f"SELECT NULL AS ts, {', '.join(f'NULL AS {c}' for c in SYSTEM_COLUMNS)} WHERE 0"
    selects = []
    for device, paths in hosts:
        columns = ", ".join(f"{_value(paths.get(c))} AS {quoted(c)}" for c in SYSTEM_COLUMNS)
        where = f" WHERE device = {device}" if len(hosts) > 1 else ""
        selects.append(f"SELECT ts, {columns} FROM host_row{where}")
    return " UNION ALL ".join(selects)


def rebuild(connection: sqlite3.Connection, devices: Sequence[tuple[int, str, str, Paths]]) -> None:
    """Make all views anew, inside the transaction that is open; (id, name, kind, paths)."""
    # People may have views of their own in the file: only ours are dropped.
    for name in (*(name for _, name, _, _ in devices), "system_sample", *HOST_VIEWS):
        connection.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
    for device, name, kind, paths in devices:
        connection.execute(device_view(name, device, kind, paths))
    hosts = [(device, paths) for device, _, kind, paths in devices if kind == HOST_KIND]
    connection.execute(f"CREATE VIEW system_sample AS {_system_sample(hosts)}")
    for name, select in HOST_VIEWS.items():
        connection.execute(f"CREATE VIEW {name} AS {select}")
