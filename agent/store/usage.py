"""What each device takes up in the store, and how fast that grows; columns are never decoded."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

import attrs

from agent.clock import Deadline
from agent.errors import StoreError
from agent.store.codec import Block, Damaged
from agent.store.codec.cursor import Cursor
from agent.store.codec.heading import Heading, take_heading
from agent.store.query import open_to_read
from agent.store.room import Held, held_by
from agent.store.rows import layout_from
from agent.store.schema import SAMPLE_TABLES
from agent.store.sealed import SINCE_VERSION

DAY_MS = 86_400_000
RECENT_MS = 7 * DAY_MS
LEAST_MS = 3_600_000  # from less no growth can be told
ROW_BYTES = 30  # of a row beside its values: times, numbers and SQLite's own
HEADING_BYTES = 100  # of a block's data are enough for what it says of itself
SAMPLED = 16  # blocks that tell how many values a sample has, where that differs
LOOK_EVERY = 500  # rows between two looks at the deadline

HasTime = Callable[[], bool]


@attrs.define
class Form:
    """What a device has in one form. ``recent`` is of the last week of that device."""

    samples: float = 0
    values: float = 0
    bytes: float = 0
    first_ms: int | None = None
    last_ms: int | None = None
    recent_bytes: float = 0
    recent_since_ms: int | None = None

    def add(self, samples: float, values: float, size: float, first_ms: int, last_ms: int) -> None:
        """Count some in."""
        self.samples += samples
        self.values += values
        self.bytes += size
        self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)

    def scale(self, factor: float) -> None:
        """Only a part was looked at."""
        self.samples, self.values = self.samples * factor, self.values * factor
        self.bytes *= factor


@attrs.frozen
class DeviceUsage:
    """One device; ``sums`` are the bytes of minutes and hours beside its blocks."""

    name: str
    kind: str
    rows: Form
    batches: Form
    blocks: Form
    sums: Form

    @property
    def samples(self) -> int:
        """How many there are."""
        return round(sum(form.samples for form in self._forms))

    @property
    def values(self) -> int:
        """How many values they have."""
        return round(sum(form.values for form in self._forms))

    @property
    def bytes(self) -> int:
        """What they and their sums take up."""
        return round(sum(form.bytes for form in self._forms) + self.sums.bytes)

    @property
    def first_ms(self) -> int | None:
        """When the first one was read."""
        return min((f.first_ms for f in self._forms if f.first_ms is not None), default=None)

    @property
    def last_ms(self) -> int | None:
        """When the last one was read."""
        return max((f.last_ms for f in self._forms if f.last_ms is not None), default=None)

    @property
    def form(self) -> str:
        """Where what comes now lies at first."""
        newest = max(self._forms, key=lambda form: form.last_ms or 0)
        return "rows" if newest is self.rows else "blocks"

    @property
    def growth(self) -> tuple[float, float, str] | None:
        """Bytes a day, over how many days that was measured, and in what."""
        since_ms, last_ms = self.blocks.recent_since_ms, self.blocks.last_ms
        if since_ms is not None and last_ms is not None and last_ms - since_ms >= DAY_MS:
            days = (last_ms - since_ms) / DAY_MS
            return (self.blocks.recent_bytes + self.sums.recent_bytes) / days, days, "blocks"
        if self.first_ms is None or self.last_ms is None or self.last_ms - self.first_ms < LEAST_MS:
            return None
        days = (self.last_ms - self.first_ms) / DAY_MS
        return self.bytes / days, days, "all since the start"

    @property
    def _forms(self) -> tuple[Form, Form, Form]:
        return self.rows, self.batches, self.blocks


@attrs.frozen
class Usage:
    """A whole file. ``is_exact`` says that there was time to look at all of it."""

    version: int
    page_bytes: int
    held: Held
    devices: tuple[DeviceUsage, ...]
    is_exact: bool


def usage_of(path: Path, timeout_s: float) -> Usage:
    """What is in a file; what there is no time for is estimated from what is newest.

    Raises:
        StoreError: It can't be read.
    """
    deadline = Deadline(timeout_s)

    def has_time() -> bool:
        try:
            return deadline.left_s() > 0
        except TimeoutError:
            return False

    with closing(open_to_read(path)) as connection:
        try:
            return _Counting(connection, has_time).usage(path)
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(f"cannot read {path}: {exc}") from exc


class _Counting:
    """Goes through a file, what is newest first."""

    def __init__(self, connection: sqlite3.Connection, has_time: HasTime) -> None:
        self._connection = connection
        self._has_time = has_time
        self._is_exact = True
        (self._version,) = connection.execute("PRAGMA user_version").fetchone()
        found = connection.execute("SELECT id, device, positions FROM layout").fetchall()
        self._width = {id_: len(layout_from(positions)) for id_, _, positions in found}
        self._widths: dict[int, set[float]] = {}  # of the layouts of a device
        for id_, device, _ in found:
            self._widths.setdefault(device, set()).add(self._width[id_])

    def usage(self, path: Path) -> Usage:
        """All of it."""
        devices = self._connection.execute("SELECT id, name, kind FROM device").fetchall()
        forms = {id_: (Form(), Form(), Form(), Form()) for id_, _, _ in devices}
        for table, scale in SAMPLE_TABLES.items():
            self._rows(table, scale, {id_: each[0] for id_, each in forms.items()})
        if self._version >= SINCE_VERSION:
            self._batches({id_: each[1] for id_, each in forms.items()})
            for id_, (_, _, blocks, sums) in forms.items():
                self._blocks(id_, blocks)
                self._sums(id_, blocks, sums)
        held = held_by(self._connection, path)
        found = (DeviceUsage(name, kind, *forms[id_]) for id_, name, kind in devices)
        by_name = tuple(sorted(found, key=lambda each: each.name.lower()))
        return Usage(self._version, held.page, held, by_name, self._is_exact)

    def _rows(self, table: str, scale: int, forms: Mapping[int, Form]) -> None:
        ends = f"SELECT max(rowid), min(rowid) FROM {table}"
        last, first = self._connection.execute(ends).fetchone()
        sql = f"SELECT rowid, device, layout, ts_ms, length(v) FROM {table} ORDER BY rowid DESC"
        seen: dict[int, Form] = {}
        for number, (key, device, layout, ts_ms, size) in enumerate(self._connection.execute(sql)):
            form = seen.setdefault(device, Form())
            form.add(1, self._width.get(layout, 0), size + ROW_BYTES, ts_ms, ts_ms)
            if number % LOOK_EVERY == LOOK_EVERY - 1 and not self._has_time():
                self._is_exact = False
                for each in seen.values():
                    each.scale((last - first) / max(1, last - key))
                    each.first_ms = first * scale // 1000
                break
        for device, form in seen.items():
            if device in forms and form.first_ms is not None and form.last_ms is not None:
                counts = form.samples, form.values, form.bytes
                forms[device].add(*counts, form.first_ms, form.last_ms)

    def _batches(self, forms: Mapping[int, Form]) -> None:
        sql = "SELECT device, length(data), substr(data, 1, ?) FROM batch"
        for device, size, data in self._connection.execute(sql, (HEADING_BYTES,)):
            heading = _heading(data)
            if heading is not None and device in forms:
                values = heading.count * self._width_of(device)
                forms[device].add(heading.count, values, size, heading.first_ms, heading.last_ms)

    def _blocks(self, device: int, form: Form) -> None:
        sql = "SELECT sum(count), min(first_ms), max(last_ms) FROM block WHERE device = ?"
        samples, first_ms, last_ms = self._connection.execute(sql, (device,)).fetchone()
        if samples is None:
            return
        sql = (
            "SELECT first_ms, count, length(data) FROM block WHERE device = ? "
            "ORDER BY first_ms DESC"
        )
        width = self._width_of(device)
        for since_ms, count, length in self._timely(sql, device):
            form.add(count, count * width, length, first_ms, last_ms)
            if since_ms >= last_ms - RECENT_MS:
                form.recent_bytes += length
                form.recent_since_ms = since_ms
        form.scale(samples / form.samples)

    def _width_of(self, device: int) -> float:
        """How many values a sample of a device has, on average."""
        known = self._widths.get(device, {0.0})
        if len(known) > 1:
            known = self._widths[device] = {self._average_width(device) or max(known)}
        return next(iter(known))

    def _average_width(self, device: int) -> float | None:
        sql = "SELECT id FROM block WHERE device = ? ORDER BY first_ms"
        ids = [id_ for (id_,) in self._connection.execute(sql, (device,))]
        samples = values = 0
        for id_ in ids[:: len(ids) // SAMPLED + 1]:
            sql = "SELECT data FROM block WHERE id = ?"
            try:
                layouts = Block(self._connection.execute(sql, (id_,)).fetchone()[0]).layouts()
            except Damaged:
                continue
            samples += len(layouts)
            values += sum(self._width.get(layout, 0) for layout in layouts)
        return values / samples if samples else None

    def _sums(self, device: int, blocks: Form, form: Form) -> None:
        since_ms = blocks.recent_since_ms
        sql = "SELECT start_ms, length(data) FROM aggregate WHERE device = ? ORDER BY span_ms DESC"
        for start_ms, length in self._timely(sql, device):
            form.bytes += length
            if since_ms is not None and start_ms >= since_ms:
                form.recent_bytes += length

    def _timely(self, sql: str, *values: int) -> Iterable[tuple]:  # type: ignore[type-arg]
        for number, row in enumerate(self._connection.execute(sql, values)):
            yield row
            if number % LOOK_EVERY == LOOK_EVERY - 1 and not self._has_time():
                self._is_exact = False
                return


def _heading(data: bytes) -> Heading | None:
    try:
        return take_heading(Cursor(data))
    except Damaged:
        return None
