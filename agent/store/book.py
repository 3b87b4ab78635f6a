"""Which devices, metrics and layouts a file knows, and the numbers they have in it."""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import count

import attrs

from agent.model import Metric, MetricType
from agent.store.catalogue import Catalogue
from agent.store.rows import HOST_KIND, Layout, Path, layout_from, layout_text, place
from agent.store.schema import quoted
from agent.store.views import VIEW_METRICS, has_view, rebuild, table_of

log = logging.getLogger(__name__)


def path_text(path: Path) -> str:
    """A path as the file has it, ``0.2``."""
    return ".".join(str(index) for index in path)


def path_from(text: str) -> Path:
    """What ``path_text`` wrote."""
    return tuple(int(index) for index in text.split("."))


@attrs.frozen(eq=False)
class Places:
    """Where the values of a reading with certain names go; ``None`` for those that are left out."""

    layout: int
    offered: Layout
    positions: Sequence[int | None]
    paths: Sequence[Path | None]


@attrs.define
class Entry:
    """One device as the file knows it."""

    id: int
    name: str
    kind: str
    plain: bool | None = None  # whether it is kept as rows; nobody said so yet
    metrics: dict[str, tuple[int, Path, Metric]] = attrs.field(factory=dict)  # by metric name
    taken: list[Path] = attrs.field(factory=list)  # the places of all metrics
    layouts: dict[Layout, int] = attrs.field(factory=dict)
    # What the last reading with these names came out as; drivers offer the same names each time.
    known: dict[tuple[str, ...], Places] = attrs.field(factory=dict)
    offered: tuple[str, ...] = ()  # names of the newest reading
    in_view: frozenset[str] = frozenset()  # names that its view shows
    had_view: bool = False  # which went when it was renamed

    def paths(self) -> dict[str, Path]:
        """Metric name to its place in a row's array; those of the newest reading come first."""
        names = dict.fromkeys(name for name in self.offered if name in self.metrics)
        return {name: self.metrics[name][1] for name in (*names, *self.metrics)}

    @property
    def has_too_many(self) -> bool:
        """Whether a view can't show all that it ever offered."""
        return len(self.metrics) > VIEW_METRICS


KNOWN_LIMIT = 64  # readings with different names that are remembered for each device
METRICS_LIMIT = 20_000  # of one device over all time; names with a counter in them never end
SET_ASIDE = "set aside "  # and a device's number, in meta: the name it had under its kind


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
        entries[device].taken.append(path_from(path))
    for id_, device, positions in connection.execute("SELECT id, device, positions FROM layout"):
        entries[device].layouts[layout_from(positions)] = id_
    return {entry.name.lower(): entry for entry in entries.values()}


class Book:
    """Finds or makes the numbers that rows refer to, inside the writer's open transaction.

    After a rollback it is stale and is made anew from the file. ``warn`` takes texts for the log,
    and says each once.
    """

    def __init__(self, connection: sqlite3.Connection, warn: Callable[[str], None]) -> None:
        self._connection = connection
        self._warn = warn
        self._entries = load_entries(connection)
        self._catalogue = Catalogue(connection)
        self._set_aside: dict[int, str] = {
            int(key.removeprefix(SET_ASIDE)): name
            for key, name in connection.execute(
                "SELECT key, value FROM meta WHERE key LIKE ? || '%'", (SET_ASIDE,)
            )
        }
        self._changed: dict[int, Entry] = {}
        self._has_views = bool(
            connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'system_sample'"
            ).fetchone()
        )

    def entry(self, name: str, kind: str, *, plain: bool) -> Entry:
        """The device of that name, made when it is new; its kind becomes ``kind``."""
        entry = self._entry(name, kind)
        if entry.plain != plain:
            entry.plain = plain
            self._changed[entry.id] = entry
        return entry

    def _entry(self, name: str, kind: str) -> Entry:
        entry = self.find(name)
        if entry is not None and table_of(entry.kind) != table_of(kind):
            # Its rows lie in another table and in another order: they keep the name, and more.
            self._put_aside(entry)
            entry = self._taken_back(name, kind)
        if entry is None:
            cursor = self._connection.execute(
                "INSERT INTO device(name, kind) VALUES(?, ?)", (name, kind)
            )
            assert cursor.lastrowid is not None
            entry = self._entries[name.lower()] = Entry(cursor.lastrowid, name, kind)
        elif (entry.kind, entry.name) != (kind, name):
            self._rename(entry, name, kind)
        if entry.id in self._set_aside:  # it is in use again, under whatever name
            del self._set_aside[entry.id]
            self._connection.execute("DELETE FROM meta WHERE key = ?", (f"{SET_ASIDE}{entry.id}",))
        return entry

    def find(self, name: str) -> Entry | None:
        """The device of that name, if the file has it."""
        return self._entries.get(name.lower())

    def _put_aside(self, entry: Entry) -> None:
        """Give its name to a device of another kind, and remember whose it was."""
        self._connection.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
            (f"{SET_ASIDE}{entry.id}", entry.name),
        )
        self._set_aside[entry.id] = entry.name
        self._rename(entry, self._free_name(f"{entry.name}_{entry.kind}"), entry.kind)

    def _taken_back(self, name: str, kind: str) -> Entry | None:
        """The device that had this name before, when its rows lie where this kind's do."""
        for entry in self._entries.values():
            had = self._set_aside.get(entry.id, "")
            if had.lower() == name.lower() and table_of(entry.kind) == table_of(kind):
                return entry
        return None

    def _rename(self, entry: Entry, name: str, kind: str) -> None:
        # The old view carries the old name; where a table has it, there is none.
        if self._connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'view' AND lower(name) = ?",
            (entry.name.lower(),),
        ).fetchone():
            self._connection.execute(f"DROP VIEW {quoted(entry.name)}")
            entry.had_view = True
        self._connection.execute(
            "UPDATE device SET name = ?, kind = ? WHERE id = ?", (name, kind, entry.id)
        )
        del self._entries[entry.name.lower()]
        entry.name, entry.kind = name, kind
        self._entries[name.lower()] = entry
        self._changed[entry.id] = entry

    def _free_name(self, wanted: str) -> str:
        names = (wanted if number == 1 else f"{wanted}_{number}" for number in count(1))
        return next(name for name in names if name.lower() not in self._entries)

    def places(
        self, entry: Entry, names: tuple[str, ...], described: Mapping[str, Metric]
    ) -> Places:
        """The layout and each value's place, for a reading with these names.

        A value has no place when its name is new and the device has ``METRICS_LIMIT`` of them.
        """
        entry.offered = names
        if entry.plain and entry.has_too_many and not entry.in_view.issuperset(names):
            self._changed[entry.id] = entry
        known = entry.known.get(names)
        if known is not None:
            return known
        for name in names:
            if name not in entry.metrics and not self._is_full(entry):
                self._add_metric(entry, described.get(name) or Metric(name))
        found = [entry.metrics.get(name) for name in names]
        offered = tuple(sorted(one[0] for one in found if one is not None))
        if len(entry.known) >= KNOWN_LIMIT:
            entry.known.clear()
        positions = [None if one is None else one[0] for one in found]
        paths = [None if one is None else one[1] for one in found]
        known = Places(self._layout(entry, offered), offered, positions, paths)
        entry.known[names] = known
        return known

    def _layout(self, entry: Entry, positions: Layout) -> int:
        layout = entry.layouts.get(positions)
        if layout is None:
            cursor = self._connection.execute(
                "INSERT INTO layout(device, positions) VALUES(?, ?)",
                (entry.id, layout_text(positions)),
            )
            assert cursor.lastrowid is not None
            layout = entry.layouts[positions] = cursor.lastrowid
        return layout

    def _is_full(self, entry: Entry) -> bool:
        if len(entry.metrics) < METRICS_LIMIT:
            return False
        self._warn(
            f"{entry.name}: has had {METRICS_LIMIT} metrics, more are left out of what is stored"
        )
        return True

    def describe(self, entry: Entry, metrics: Sequence[Metric]) -> None:
        """Write down what changed in units, types and helps of metrics that the file has."""
        for metric in metrics:
            known = entry.metrics.get(metric.name)
            if known is None or known[2] == metric:
                continue
            if known[2].unit and known[2].unit != metric.unit:
                log.warning(
                    "%s: the unit of %s was %r and is %r now; values stored before keep their "
                    "numbers", entry.name, metric.name, known[2].unit, metric.unit,
                )  # fmt: skip
            self._connection.execute(
                "UPDATE metric SET unit = ?, type = ?, help = ? WHERE device = ? AND position = ?",
                (metric.unit, metric.type, metric.help, entry.id, known[0]),
            )
            entry.metrics[metric.name] = (*known[:2], metric)
            self._catalogue.touch(entry.id)

    def _add_metric(self, entry: Entry, metric: Metric) -> None:
        position = len(entry.metrics)
        path = place(entry.kind, metric.name, entry.taken)
        self._connection.execute(
            "INSERT INTO metric(device, position, path, name, unit, type, help) "
            "VALUES(?, ?, ?, ?, ?, ?, ?)",
            (entry.id, position, path_text(path), metric.name, metric.unit, metric.type,
             metric.help),
        )  # fmt: skip
        entry.metrics[metric.name] = (position, path, metric)
        entry.taken.append(path)
        self._changed[entry.id] = entry

    def finish(self) -> None:
        """Write down, views included, what is new since the last time.

        A device that is not kept as rows has a view only as long as it has rows from before.
        """
        self._catalogue.keep(self._entries.values())
        if self._changed:
            self._make_views()
            self._changed.clear()

    def _make_views(self) -> None:
        shown = [entry for entry in self._changed.values() if entry.plain or self._has_rows(entry)]
        for entry in shown:
            entry.in_view = frozenset(list(entry.paths())[:VIEW_METRICS])
            if entry.has_too_many:
                self._warn(
                    f"{entry.name}: has had more than {VIEW_METRICS} metrics, its view shows "
                    "so many of them, those of now first; reports have all"
                )
        changed = [(e.id, e.name, e.kind, e.paths()) for e in shown]
        hosts = None
        if not self._has_views or any(e.kind == HOST_KIND for e in self._changed.values()):
            hosts = [(e.id, e.paths()) for e in self._entries.values() if e.kind == HOST_KIND]
        rebuild(self._connection, changed, hosts, self._warn)
        self._has_views = True

    def _has_rows(self, entry: Entry) -> bool:
        """Whether a device that had a view has rows from before; without any, the view goes."""
        table = table_of(entry.kind)
        if not entry.had_view and not has_view(self._connection, entry.name, table, entry.id):
            return False
        # Rows of such a device are the oldest there are, and are met at once.
        sql = f"SELECT 1 FROM {table} WHERE device = ? LIMIT 1"
        if self._connection.execute(sql, (entry.id,)).fetchone():
            return True
        if not entry.had_view:
            self._connection.execute(f"DROP VIEW {quoted(entry.name)}")
        return False
