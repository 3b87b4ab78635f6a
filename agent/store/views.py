"""The views that people query with the plain ``sqlite3`` shell."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence

from agent.store.rows import HOST_KIND, Path
from agent.store.schema import quoted

VIEW_METRICS = 1988  # SQLite's limit is 2,000 columns a view; time and ts_ms are two of them
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
        WHERE substr(process.value, 1, 5) <> '[null' -- a free place; half as dear as its pid
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
    by_place = sorted(list(paths.items())[:VIEW_METRICS], key=lambda item: item[1])
    chosen = ", ".join(f"{_value(path)} AS {quoted(metric)}" for metric, path in by_place)
    time = "strftime('%Y-%m-%dT%H:%M:%fZ', ts_ms / 1000.0, 'unixepoch') AS time"
    comma = ", " if chosen else ""
    end = _of_device(table_of(kind), device)
    return f"CREATE VIEW {quoted(name)} AS SELECT {time}, ts_ms{comma}{chosen} {end}"


def _of_device(table: str, device: int) -> str:
    return f"FROM {table} WHERE device = {device}"


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


def rebuild(
    connection: sqlite3.Connection,
    devices: Iterable[tuple[int, str, str, Paths]],
    hosts: Sequence[tuple[int, Paths]] | None,
    warn: Callable[[str], None],
) -> None:
    """Make the views of devices (id, name, kind, paths) anew, inside the transaction that is open.

    ``hosts`` are all of them, for the views over them; ``None`` leaves those views as they are.
    """
    views = {name: device_view(name, device, kind, paths) for device, name, kind, paths in devices}
    if hosts is not None:
        views["system_sample"] = f"CREATE VIEW system_sample AS {_system_sample(hosts)}"
        views |= {
            name: f"CREATE VIEW {name} AS {select.strip()}" for name, select in HOST_VIEWS.items()
        }
    for name, sql in views.items():
        _make(connection, name, sql, warn)


def has_view(connection: sqlite3.Connection, name: str, table: str, device: int) -> bool:
    """Whether a device has a view that ``rebuild`` made."""
    found = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ? COLLATE NOCASE", (name,)
    ).fetchone()
    return found is not None and found[0].endswith(_of_device(table, device))


def _make(connection: sqlite3.Connection, name: str, sql: str, warn: Callable[[str], None]) -> None:
    """Make one view, or say why there is none: that costs no sample."""
    # People may have tables and views of their own in the file, and SQLite has tables that stand
    # in no file: DROP VIEW would fail on these, a view over one would break what uses it.
    found = connection.execute(
        "SELECT type, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE", (name,)
    ).fetchall()
    if ("view", sql) in found:
        return
    if not found and _is_built_in(connection, name):
        warn(f"no view {name!r}: SQLite has a table of that name, rename the device")
        return
    connection.execute("SAVEPOINT one_view")
    try:
        if any(type_ == "view" for type_, _ in found):
            connection.execute(f"DROP VIEW {quoted(name)}")
        connection.execute(sql)
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
            raise  # of the disk, not of the view
        connection.execute("ROLLBACK TO one_view")
        warn(f"no view {name!r}: {exc}")
    connection.execute("RELEASE one_view")


def _is_built_in(connection: sqlite3.Connection, name: str) -> bool:
    """Whether a name that is not in the file means something all the same, as ``json_each``."""
    try:
        connection.execute(f"SELECT 1 FROM {quoted(name)} LIMIT 0")
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
            raise
        return not str(exc).startswith("no such table")
    return True
