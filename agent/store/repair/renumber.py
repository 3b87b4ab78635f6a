"""What the numbers of a damaged store are in the one that takes over from it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from agent.model import Metric, Value
from agent.store.catalogue import NamedMetric
from agent.store.codec import Piece
from agent.store.eras import STEP_MS
from agent.store.making import columns_in
from agent.store.repair.names import Names
from agent.store.rows import HOST_KIND, Layout, Path
from agent.store.views import table_of
from agent.store.writer import Writer

LOST_CLOCK = "lost"  # instead of a boot id, where it is not known which clock that was


@attrs.frozen
class NewLayout:
    """A layout of a device: its number, its positions, and where each old position went."""

    number: int
    positions: Layout
    moved: Mapping[int, int | None]
    paths: Mapping[int, Path | None]  # by old position


@attrs.frozen
class NewDevice:
    """A device as the new file knows it."""

    id: int
    name: str
    table: str
    old_paths: Mapping[int, tuple[str, Path]]  # metric name and place in a row, by old position


class Numbers:
    """Finds out, or makes, the new number of each old one when it is first met."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.devices: dict[int, NewDevice] = {}
        self.layouts: dict[tuple[int, int], NewLayout] = {}
        self.clocks: dict[int, int] = {}

    @property
    def named(self) -> set[int]:
        """The old numbers of devices that have a name."""
        return {*self._names.devices}

    def known_layout(self, device: int, layout: int) -> Layout | None:
        """A layout of rows, which do not have it with them."""
        found = self._names.devices.get(device)
        return None if found is None else found.layouts.get(layout)

    def has(self, device: int, layouts: Collection[int], clocks: Collection[int]) -> bool:
        """Whether all of these are known by now."""
        return (
            device in self.devices
            and all((device, layout) in self.layouts for layout in layouts)
            and all(clock in self.clocks for clock in clocks)
        )

    def learn(
        self,
        writer: Writer,
        device: int,
        layouts: Mapping[int, Layout],
        clocks: Collection[int],
    ) -> bool:
        """Make them known, inside the open transaction."""
        named = self._names.devices.get(device)
        name = named.name if named is not None else f"device-{device}"
        kind = named.kind if named is not None else "unknown"
        metrics = {each.position: each for each in named.metrics} if named is not None else {}
        entry = writer.book.find(name)
        if entry is not None and table_of(entry.kind) != table_of(kind):
            name = f"{name}_{kind}"
            entry = writer.book.find(name)
        if entry is None:
            entry = writer.book.entry(name, kind, plain=kind == HOST_KIND)
        old_paths = {at: (each.metric.name, each.path) for at, each in metrics.items()}
        self.devices[device] = NewDevice(entry.id, entry.name, table_of(entry.kind), old_paths)
        for number, layout in layouts.items():
            offered = {at: _metric(at, metrics.get(at)) for at in layout}
            described = {metric.name: metric for metric in offered.values()}
            names = tuple(metric.name for metric in offered.values())
            places = writer.book.places(entry, names, described)
            self.layouts[device, number] = NewLayout(
                places.layout,
                places.offered,
                dict(zip(layout, places.positions, strict=True)),
                dict(zip(layout, places.paths, strict=True)),
            )
        for clock in clocks:
            if clock not in self.clocks:
                self.clocks[clock] = self._clock(writer, clock)
        writer.book.finish()
        return True

    def _clock(self, writer: Writer, clock: int) -> int:
        _, boot_id, monotonic_ms, ts_ms, synchronised, moved_ms = self._names.clocks.get(
            clock, (clock, LOST_CLOCK, 0, 0, None, None)
        )
        sql = (
            "SELECT id, ts_ms - monotonic_ms FROM clock WHERE boot_id = ? AND moved_ms IS ? "
            "ORDER BY id"
        )
        for id_, offset_ms in writer.connection.execute(sql, (boot_id, moved_ms)):
            if abs(offset_ms - (ts_ms - monotonic_ms)) <= STEP_MS:
                return int(id_)
        sql = "SELECT 1 FROM clock WHERE id = ?"
        is_free = writer.connection.execute(sql, (clock,)).fetchone() is None
        cursor = writer.connection.execute(
            "INSERT INTO clock(id, boot_id, monotonic_ms, ts_ms, synchronised, moved_ms) "
            "VALUES(?, ?, ?, ?, ?, ?)",
            (clock if is_free else None, boot_id, monotonic_ms, ts_ms, synchronised, moved_ms),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def is_same(self, piece: Piece) -> bool:
        """Whether all numbers of a piece are as they were."""
        if self.devices[piece.device].id != piece.device:
            return False
        for number, layout in piece.positions.items():
            new = self.layouts[piece.device, number]
            if (new.number, new.positions) != (number, layout) or any(
                old != at for old, at in new.moved.items()
            ):
                return False
        return all(self.clocks[clock] == clock for clock in {*piece.clocks})

    def renumbered(self, piece: Piece, numbers: Sequence[int]) -> Piece:
        """Some samples of a piece, by their numbers in it, as the new file has them."""
        device = piece.device
        layouts = [piece.layouts[number] for number in numbers]
        new = {layout: self.layouts[device, layout] for layout in {*layouts}}
        return Piece(
            self.devices[device].id,
            [piece.keys[number] for number in numbers],
            [piece.times[number] for number in numbers],
            [self.clocks[piece.clocks[number]] for number in numbers],
            [new[layout].number for layout in layouts],
            {each.number: each.positions for each in new.values()},
            {**_Columns(piece, numbers, [*new.items()])},  # to decode them once
        )


class _Columns(Mapping[int, Sequence[Value]]):
    """The columns of some samples under their new positions, each made when it is asked for."""

    def __init__(
        self, piece: Piece, numbers: Sequence[int], layouts: Sequence[tuple[int, NewLayout]]
    ) -> None:
        self._piece = piece
        self._numbers = numbers
        self._columns = columns_in({new.number: new.positions for _, new in layouts})
        self._old = {
            at: old for _, new in layouts for old, at in new.moved.items() if at is not None
        }

    def __getitem__(self, position: int) -> Sequence[Value]:
        old = self._old[position]
        piece = self._piece
        has = {number: old in layout for number, layout in piece.positions.items()}
        cells = iter(piece.columns[old])
        spread = [next(cells) if has[layout] else None for layout in piece.layouts]
        return [spread[number] for number in self._numbers if has[piece.layouts[number]]]

    def __iter__(self) -> Iterator[int]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _metric(position: int, named: NamedMetric | None) -> Metric:
    return Metric(f"metric-{position}") if named is None else named.metric
