"""Puts what was saved into the store, each sample once: whoever does it again adds nothing."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import TypeVar

import attrs

from agent.errors import StoreError
from agent.store.codec import Block, Piece
from agent.store.hours import Hours, HoursRow
from agent.store.making import Made, insert, joined, made_again, made_of, made_of_piece
from agent.store.query import open_to_read
from agent.store.repair.names import Names
from agent.store.repair.renumber import Numbers
from agent.store.repair.there import Mark, There
from agent.store.replacing import Workplace
from agent.store.rows import Layout, Path, RawRow, arrange, encode
from agent.store.writer import Writer

T = TypeVar("T")

VALUES = (int, float, str, type(None))  # what a row's values can be


@attrs.frozen
class OldRow:
    """A row of the damaged store."""

    table: str
    key: int
    device: int
    ts_ms: int
    layout: int
    clock: int
    text: str


@attrs.frozen
class OldGap:
    """A gap of the damaged store."""

    device: int
    start_ms: int
    end_ms: int
    reason: str
    detail: str


@attrs.frozen
class OldBlock:
    """A block or a batch of the damaged store."""

    data: bytes
    block: Block


class Target:
    """The store that takes over, one bounded piece of work at a time.

    Raises:
        StoreError: From every method: it can't be read or written now.
    """

    def __init__(self, workplace: Workplace, names: Names) -> None:
        self._workplace = workplace
        self.numbers = Numbers(names)

    def write(self, work: Callable[[Writer], T]) -> T:
        """Do something in a transaction."""
        done: list[T] = []
        self._workplace.transact(lambda writer: done.append(work(writer)))
        if not done:
            raise StoreError(f"{self._workplace.path} is not open")
        return done[0]

    def name(self, device: int) -> str:
        """What a device is called there, by its old number."""
        self._learn(device, {}, ())
        return self.numbers.devices[device].name

    def _learn(self, device: int, layouts: Mapping[int, Layout], clocks: Iterable[int]) -> None:
        wanted = {*clocks}
        if not self.numbers.has(device, layouts, wanted):
            self.write(lambda writer: self.numbers.learn(writer, device, layouts, wanted))

    def add_blocks(self, blocks: Sequence[OldBlock]) -> int:
        """Store the samples of blocks of one device, which fit into one; how many were new."""
        piece = joined([each.block for each in blocks])
        self._learn(piece.device, piece.positions, piece.clocks)
        new = self._new(piece)
        if not new:
            return 0
        made = self._made(blocks, piece, new)
        hours = self._hours(made)
        self.write(lambda writer: _insert(writer.connection, made, hours))
        return len(new)

    def _made(self, blocks: Sequence[OldBlock], piece: Piece, new: Sequence[int]) -> list[Made]:
        """As they are, where nothing of them changes: that is by far the quickest."""
        pause = self._workplace.pause
        if [*new] != [*range(len(piece.keys))] or not self.numbers.is_same(piece):
            return [made_of_piece(self.numbers.renumbered(piece, new), pause)]
        if len(blocks) == 1:
            return [made_again(blocks[0].data, pause)]
        return [made_of([each.block for each in blocks], pause)]

    def _hours(self, made: Sequence[Made]) -> list[HoursRow]:
        with closing(open_to_read(self._workplace.path)) as connection:
            hours = Hours(connection)
            for each in made:
                hours.add(each)
        return hours.rows()

    def _new(self, piece: Piece) -> Sequence[int]:
        """Which samples the store does not have, in the order of their keys."""
        there = There(self._workplace.path)
        clocks = [self.numbers.clocks[clock] for clock in piece.clocks]
        name = self.numbers.devices[piece.device].name
        known = there.marks(name, min(piece.times), max(piece.times), {*clocks})
        marks = [*map(there.mark, piece.times, clocks)]
        new: dict[Mark, int] = {}
        for number in sorted(range(len(marks)), key=piece.keys.__getitem__):
            if marks[number] not in known:
                new.setdefault(marks[number], number)
        return [*new.values()]

    def add_rows(self, rows: Sequence[OldRow]) -> tuple[int, list[OldRow]]:
        """Store rows of one device and layout: how many were new, and which can't be read."""
        device, layout = rows[0].device, rows[0].layout
        positions = self.numbers.known_layout(device, layout)
        if positions is None:
            return 0, [*rows]
        self._learn(device, {layout: positions}, [row.clock for row in rows])
        texts = self._texts(rows, positions)
        there = There(self._workplace.path)
        clocks = [self.numbers.clocks[row.clock] for row in rows]
        times = [row.ts_ms for row in rows]
        name = self.numbers.devices[device].name
        known = there.marks(name, min(times), max(times), {*clocks})
        lines = []
        for row, clock, text in zip(rows, clocks, texts, strict=True):
            mark = there.mark(row.ts_ms, clock)
            if text is not None and mark not in known:
                known.add(mark)
                lines.append((row.table, row.key, row.ts_ms, clock, text))
        if lines:
            new = self.numbers.devices[device].id, self.numbers.layouts[device, layout].number
            self.write(lambda writer: _insert_rows(writer, lines, *new))
        return len(lines), [row for row, text in zip(rows, texts, strict=True) if text is None]

    def _texts(self, rows: Sequence[OldRow], positions: Layout) -> list[str | None]:
        """The texts of rows in the new file; ``None`` for those that are damaged."""
        device = self.numbers.devices[rows[0].device]
        new = self.numbers.layouts[rows[0].device, rows[0].layout]
        # Where all but hosts have a metric is known without its name.
        places = {at: device.old_paths.get(at, (str(at), (at,))) for at in positions}
        order = [new.paths[at] for at in positions]
        is_same = order == [places[at][1] for at in positions]
        return [_text(row, positions, places, None if is_same else order) for row in rows]

    def add_gaps(self, gaps: Iterable[OldGap]) -> None:
        """Store gaps that the store does not have."""
        gaps = [*gaps]
        for gap in gaps:
            self._learn(gap.device, {}, ())

        def insert_all(writer: Writer) -> None:
            for gap in gaps:
                device = self.numbers.devices[gap.device].id
                put_gap(writer.connection, device, gap.start_ms, gap.end_ms, gap.reason, gap.detail)

        self.write(insert_all)

    def add_runs(self, runs: Sequence[tuple[str, str, int, int | None]]) -> None:
        """Store runs of the agent before those that the store has, newest first."""

        def insert_all(writer: Writer) -> None:
            for run in runs:
                found = "SELECT 1 FROM run WHERE boot_id = ? AND start_ms = ?"
                if writer.connection.execute(found, (run[0], run[2])).fetchone() is None:
                    writer.connection.execute(
                        "INSERT INTO run(id, boot_id, version, start_ms, end_ms) "
                        "SELECT min(0, coalesce(min(id), 1) - 1), ?, ?, ?, ? FROM run",
                        run,
                    )

        self.write(insert_all)


def put_gap(
    connection: sqlite3.Connection,
    device: int,
    start_ms: int,
    end_ms: int,
    reason: str,
    detail: str,
) -> None:
    """Insert a gap, if there is none with that start and reason."""
    sql = "SELECT 1 FROM gap WHERE device = ? AND start_ms = ? AND reason = ?"
    if connection.execute(sql, (device, start_ms, reason)).fetchone() is None:
        connection.execute(
            "INSERT INTO gap(device, start_ms, end_ms, reason, detail) VALUES(?, ?, ?, ?, ?)",
            (device, start_ms, end_ms, reason, detail),
        )


def _insert(
    connection: sqlite3.Connection, made: Sequence[Made], hours: Sequence[HoursRow]
) -> None:
    for each in made:
        insert(connection, each)
    for row in hours:
        row.write(connection)


def _insert_rows(
    writer: Writer, lines: Sequence[tuple[str, int, int, int, str]], device: int, layout: int
) -> None:
    for table, key, ts_ms, clock, text in lines:
        writer.connection.execute(
            f"INSERT INTO {table} VALUES(?, ?, ?, ?, ?, ?)",
            (writer.past_key(table, key, ts_ms), device, ts_ms, layout, clock, text),
        )


def _text(
    row: OldRow,
    positions: Layout,
    places: Mapping[int, tuple[str, Path]],
    order: Sequence[Path | None] | None,
) -> str | None:
    try:
        raw = RawRow(row.key, row.ts_ms, positions, row.clock, row.text)
        values = [*raw.values(places).values()]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if len(values) != len(positions) or not all(isinstance(v, VALUES) for v in values):
        return None
    return row.text if order is None else arrange(encode(values), order)
