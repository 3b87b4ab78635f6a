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
    # Where two names differ in case only, or a metric is called time, SQLite adds ":1".
    by_place = sorted(paths.items(), key=lambda item: item[1])[: COLUMN_LIMIT - 2]
    chosen = ", ".join(f"{_value(path)} AS {quoted(metric)}" for metric, path in by_place)
    time = "strftime('%Y-%m-%dT%H:%M:%fZ', ts_ms / 1000.0, 'unixepoch') AS time"
    comma = ", " if chosen else ""
    return (
        f"CREATE VIEW {quoted(name)} AS SELECT {time}, ts_ms{comma}{chosen} "
        f"FROM {table_of(kind)} WHERE device = {device}"
    )


def _system_sample(hosts: Sequence[tuple[int, Paths]]) -> str:
    if not hosts:
        return f"SELECT NULL AS ts, {', '.join(f'NULL AS {c}' for c in SYSTEM_COLUMNS)} WHERE 0"
    columns = ", ".join(f"{_of_hosts(hosts, c)} AS {quoted(c)}" for c in SYSTEM_COLUMNS)
    return f"SELECT ts, {columns} FROM host_row"


def _of_hosts(hosts: Sequence[tuple[int, Paths]], column: str) -> str:
    # One SELECT over all hosts: with one for each, max(ts) of a week takes 0.6 s, not 0.01 s.
    values = {device: _value(paths.get(column)) for device, paths in hosts}
    if len(set(values.values())) == 1:
        return values[hosts[0][0]]
    cases = " ".join(f"WHEN {device} THEN {value}" for device, value in values.items())
    return f"CASE device {cases} END"


def rebuild(connection: sqlite3.Connection, devices: Sequence[tuple[int, str, str, Paths]]) -> None:
    """Make all views anew, inside the transaction that is open; (id, name, kind, paths)."""
    # People may have tables and views of their own in the file: only our views are dropped, and
    # a device with the name of a table goes without.
    tables = {
        name.lower()
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    views = {
        name: device_view(name, device, kind, paths)
        for device, name, kind, paths in devices
        if name.lower() not in tables
    }
    hosts = [(device, paths) for device, _, kind, paths in devices if kind == HOST_KIND]
    views["system_sample"] = f"CREATE VIEW system_sample AS {_system_sample(hosts)}"
    views |= {name: f"CREATE VIEW {name} AS {select}" for name, select in HOST_VIEWS.items()}
    for name, sql in views.items():
        connection.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
        connection.execute(sql)
