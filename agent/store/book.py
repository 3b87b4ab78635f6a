"""Which devices, metrics and layouts a file knows, and the numbers they have in it."""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import count

import attrs

from agent.model import Metric, MetricType
from agent.store.rows import Layout, Path, layout_from, layout_text, place
from agent.store.schema import quoted
from agent.store.views import rebuild, table_of


def path_text(path: Path) -> str:
    """A path as the file has it, ``0.2``."""
    return ".".join(str(index) for index in path)


def path_from(text: str) -> Path:
    """What ``path_text`` wrote."""
    return tuple(int(index) for index in text.split("."))


@attrs.define
class Entry:
    """One device as the file knows it."""

    id: int
    name: str
    kind: str
    metrics: dict[str, tuple[int, Path, Metric]] = attrs.field(factory=dict)  # by metric name
    layouts: dict[Layout, int] = attrs.field(factory=dict)
    # What the last reading with these names came out as; drivers offer the same names each time.
    known: dict[tuple[str, ...], tuple[int, list[Path]]] = attrs.field(factory=dict)


KNOWN_LIMIT = 64  # readings with different names that are remembered for each device


def load_entries(connection: sqlite3.Connection) -> dict[str, Entry]:
    """All devices of a file, by lower-case name."""
    entries = {
        id_: Entry(id_, name, kind)
        for id_, name, kind in connection.execute("SELECT id, name, kind FROM device")
    }
    for device, position, path, name, unit, type_, help_ in connection.execute(
        "SELECT device, position, path, name, unit, type, help FROM metric ORDER BY 1, 2"
    ):
        metric = Metric(name, unit, MetricType(type_), help_)
        entries[device].metrics[name] = (position, path_from(path), metric)
    for id_, device, positions in connection.execute("SELECT id, device, positions FROM layout"):
        entries[device].layouts[layout_from(positions)] = id_
    return {entry.name.lower(): entry for entry in entries.values()}


class Book:
    """Finds or makes the numbers that rows refer to, inside the writer's open transaction.

    After a rollback it is stale and is made anew from the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._entries = load_entries(connection)
        self._changed = False

    def entry(self, name: str, kind: str) -> Entry:
        """The device of that name, made when it is new; its kind becomes ``kind``."""
        entry = self.find(name)
        if entry is not None and table_of(entry.kind) != table_of(kind):
            # Its rows lie in another table and in another order: they keep the name, and more.
            self._rename(entry, self._free_name(f"{entry.name}_{entry.kind}"), entry.kind)
            entry = None
        if entry is None:
            cursor = self._connection.execute(
                "INSERT INTO device(name, kind) VALUES(?, ?)", (name, kind)
            )
            assert cursor.lastrowid is not None
            entry = self._entries[name.lower()] = Entry(cursor.lastrowid, name, kind)
            self._changed = True
        elif (entry.kind, entry.name) != (kind, name):
            self._rename(entry, name, kind)
        return entry

    def find(self, name: str) -> Entry | None:
        """The device of that name, if the file has it."""
        return self._entries.get(name.lower())

    def _rename(self, entry: Entry, name: str, kind: str) -> None:
        # The old view carries the old name; where a table has it, there is none.
        if self._connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'view' AND lower(name) = ?",
            (entry.name.lower(),),
        ).fetchone():
            self._connection.execute(f"DROP VIEW {quoted(entry.name)}")
        self._connection.execute(
            "UPDATE device SET name = ?, kind = ? WHERE id = ?", (name, kind, entry.id)
        )
        del self._entries[entry.name.lower()]
        entry.name, entry.kind = name, kind
        self._entries[name.lower()] = entry
        self._changed = True

    def _free_name(self, wanted: str) -> str:
        names = (wanted if number == 1 else f"{wanted}_{number}" for number in count(1))
        return next(name for name in names if name.lower() not in self._entries)

    def layout(
        self, entry: Entry, names: tuple[str, ...], described: Mapping[str, Metric]
    ) -> tuple[int, list[Path]]:
        """The layout's number and each value's place, for a reading with these names."""
        known = entry.known.get(names)
        if known is not None:
            return known
        for name in names:
            if name not in entry.metrics:
                self._add_metric(entry, described.get(name) or Metric(name))
        places = [entry.metrics[name] for name in names]
        positions = tuple(sorted(position for position, _, _ in places))
        layout = entry.layouts.get(positions)
        if layout is None:
            cursor = self._connection.execute(
                "INSERT INTO layout(device, positions) VALUES(?, ?)",
                (entry.id, layout_text(positions)),
            )
            assert cursor.lastrowid is not None
            layout = entry.layouts[positions] = cursor.lastrowid
        if len(entry.known) >= KNOWN_LIMIT:
            entry.known.clear()
        known = entry.known[names] = (layout, [path for _, path, _ in places])
        return known

    def describe(self, entry: Entry, metrics: Sequence[Metric]) -> None:
        """Write down what changed in units, types and helps of metrics that the file has."""
        for metric in metrics:
            known = entry.metrics.get(metric.name)
            if known is None or known[2] == metric:
                continue
            self._connection.execute(
                "UPDATE metric SET unit = ?, type = ?, help = ? WHERE device = ? AND position = ?",
                (metric.unit, metric.type, metric.help, entry.id, known[0]),
            )
            entry.metrics[metric.name] = (*known[:2], metric)

    def _add_metric(self, entry: Entry, metric: Metric) -> None:
        position = len(entry.metrics)
        path = place(entry.kind, metric.name, [path for _, path, _ in entry.metrics.values()])
        self._connection.execute(
            "INSERT INTO metric(device, position, path, name, unit, type, help) "
            "VALUES(?, ?, ?, ?, ?, ?, ?)",
            (entry.id, position, path_text(path), metric.name, metric.unit, metric.type,
             metric.help),
        )  # fmt: skip
        entry.metrics[metric.name] = (position, path, metric)
        self._changed = True

    def finish(self) -> None:
        """Make the views anew if devices or metrics were added since the last time."""
        if not self._changed:
            return
        devices = [
            (
                entry.id,
                entry.name,
                entry.kind,
                {m: path for m, (_, path, _) in entry.metrics.items()},
            )
            for entry in self._entries.values()
        ]
        rebuild(self._connection, devices)
        self._changed = False
