"""Merges small blocks of a device that follow each other: few large ones are smaller and quicker.

A run of blocks that fit into one is merged when the next one would not fit any more, or when none
came for a day: so each sample is written once more, and not with each hour.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial

import attrs

from agent.clock import Clock
from agent.store.codec import Block, Damaged
from agent.store.making import Source, made_of
from agent.store.planning import Extent, lives
from agent.store.query import open_to_read
from agent.store.replacing import Kept, Replacement, Workplace

LOOKED_AT = 500  # blocks of a device in one step
LOOK_S = 3600  # there is a look at least so often, also without a new block
OVER_S = 90_000  # after so long without a new block a run is over: none would fit
NEVER = -(1 << 62)  # before all keys
MERGED = "merged "  # and a device's number, in meta: up to which key there is nothing to merge


@attrs.frozen
class _Stored:
    """A block as it is listed."""

    id: int
    first_key: int
    last_key: int
    count: int


@attrs.define
class _State:
    """What is known of a device's blocks from a key on."""

    since_key: int
    written: int  # the key that is in the file
    seen: Sequence[_Stored] = ()
    seen_s: float = 0.0  # since when there are just these
    extents: dict[_Stored, Extent] = attrs.field(factory=dict)


@attrs.frozen
class _Run:
    """Blocks that fit into one, and what each comes to; ``next`` is the one behind them."""

    blocks: Sequence[_Stored]
    extents: Sequence[Extent]
    next: _Stored | None


_Merger = tuple[Sequence[_Stored], list[Source]]


class MergeBlocks:
    """The step that merges blocks, in the order of their keys.

    Up to where a device has none left to merge is remembered in the file: whoever begins anew
    would read all blocks to know how large they are.
    """

    def __init__(self, workplace: Workplace, clock: Clock) -> None:
        self._workplace = workplace
        self._clock = clock
        self._kept = Kept("block")
        self._states: dict[int, _State] = {}
        self._newest: int | None = None  # the number of the newest block when all was looked at
        self._looked_s = 0.0

    def __call__(self) -> bool:
        """Merge one run; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        with closing(open_to_read(self._workplace.path)) as connection:
            (newest,) = connection.execute("SELECT max(id) FROM block").fetchone()
            now_s = self._clock.monotonic()
            if newest is None or (newest == self._newest and now_s < self._looked_s + LOOK_S):
                return False
            chosen = next(self._chosen(connection), None)
        if chosen is None:
            self._newest, self._looked_s = newest, now_s
            self._remember()
            return False
        replacement = Replacement(self._workplace, "block", self._kept)
        for blocks, sources in chosen:
            make = partial(made_of, sources, self._workplace.pause)
            replacement.make([block.id for block in blocks], make)
        replacement.write(changes_hours=False)
        return True

    def _remember(self) -> None:
        changed = {d: s for d, s in self._states.items() if s.since_key != s.written}
        if changed:
            self._workplace.transact(lambda writer: _write(writer.connection, changed))

    def _chosen(self, connection: sqlite3.Connection) -> Iterator[list[_Merger]]:
        """What is to be merged, a run at a time."""
        for (device,) in connection.execute("SELECT id FROM device").fetchall():
            if device not in self._states:
                key = _since(connection, device)
                self._states[device] = _State(key, key)
            state = self._states[device]
            while (run := self._next_run(connection, device, state)) is not None:
                parts = lives(run.extents, range(len(run.blocks)))
                chosen = [run.blocks[part.start : part.stop] for part in parts if len(part) > 1]
                sources = [self._sources(connection, blocks) for blocks in chosen]
                if not all(sources):  # without those that are damaged the run is another one
                    continue
                _settle(state, run, parts)
                if chosen:
                    yield [*zip(chosen, sources, strict=True)]

    def _next_run(self, connection: sqlite3.Connection, device: int, state: _State) -> _Run | None:
        """The oldest run that nothing will be added to, if there is one."""
        sql = (
            "SELECT id, first_key, last_key, count FROM block "
            "WHERE device = ? AND first_key >= ? ORDER BY first_key, id LIMIT ?"
        )
        found = connection.execute(sql, (device, state.since_key, LOOKED_AT))
        stored = [block for row in found if (block := _Stored(*row)).id not in self._kept]
        if stored != state.seen:
            state.seen, state.seen_s = stored, self._clock.monotonic()
        blocks: list[_Stored] = []
        extents: list[Extent] = []
        whole = None
        for block in stored:
            extent = state.extents.get(block) or self._extent(connection, block)
            if extent is None:
                continue
            state.extents[block] = extent
            longer = extent if whole is None else whole + extent
            if blocks and (block.first_key <= blocks[-1].last_key or not longer.fits):
                return _Run(blocks, extents, block)
            blocks.append(block)
            extents.append(extent)
            whole = longer
        if blocks and self._clock.monotonic() - state.seen_s > OVER_S:
            return _Run(blocks, extents, None)
        return None

    def _extent(self, connection: sqlite3.Connection, block: _Stored) -> Extent | None:
        try:
            return Extent.of(Block(_data(connection, block)))
        except Damaged as exc:
            self._kept.keep_unreadable(block.id, exc)
            return None

    def _sources(self, connection: sqlite3.Connection, blocks: Sequence[_Stored]) -> list[Source]:
        """What is to be merged; nothing if some of it is damaged."""
        found = []
        for block in blocks:
            try:
                found.append(Source(_data(connection, block), self._workplace.pause))
            except Damaged as exc:
                self._kept.keep_unreadable(block.id, exc)
        return found if len(found) == len(blocks) else []


def _settle(state: _State, run: _Run, parts: Sequence[range]) -> None:
    """Go on behind a run; but its last part may fit together with what comes."""
    if len(parts) > 1:
        state.since_key = run.blocks[parts[-1].start].first_key
    elif run.next is None:
        state.since_key = run.blocks[-1].last_key + 1
    else:
        state.since_key = max(run.next.first_key, run.blocks[-1].first_key + 1)
    state.extents.clear()


def _since(connection: sqlite3.Connection, device: int) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (f"{MERGED}{device}",))
    found = row.fetchone()
    return int(found[0]) if found is not None else NEVER


def _write(connection: sqlite3.Connection, states: Mapping[int, _State]) -> None:
    for device, state in states.items():
        connection.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
            (f"{MERGED}{device}", state.since_key),
        )
        state.written = state.since_key


def _data(connection: sqlite3.Connection, block: _Stored) -> bytes:
    (data,) = connection.execute("SELECT data FROM block WHERE id = ?", (block.id,)).fetchone()
    return bytes(data)
