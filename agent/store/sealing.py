"""Turns batches into blocks: what a device gave in about an hour becomes one."""

import sqlite3
from contextlib import closing
from functools import partial

from agent.clock import Clock
from agent.store.codec import Damaged
from agent.store.making import Source, made_of
from agent.store.planning import Extent, groups
from agent.store.query import open_to_read
from agent.store.replacing import NOT_KEPT, Kept, Replacement, Workplace

SECOND = 1_000_000  # in the numbers of batches
OLDEST_S = 4200  # so old the oldest batch becomes
NEWEST_S = 600  # those that are younger stay when the others are sealed
# More than that is sealed at once, and no more than that in one step.
BATCHES, BATCHES_BYTES, BATCHES_VALUES = 20_000, 8 << 20, 2_000_000

Chosen = dict[int, list[tuple[int, Source]]]  # batches with their numbers, by device


class SealBatches:
    """The step that seals batches.

    How old they are is told by their keys: the clock may jump. After it was set back keys stand
    still for as long; so what lies there is also sealed when nothing was for ``OLDEST_S``.
    """

    def __init__(self, workplace: Workplace, clock: Clock) -> None:
        self._workplace = workplace
        self._clock = clock
        self._kept = Kept("batch")
        self._sealed_s = clock.monotonic()

    def __call__(self) -> bool:
        """Seal what is due, as much as goes in one step; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        with closing(open_to_read(self._workplace.path)) as connection:
            before = self._due_before(connection)
            if before is None:
                return False
            chosen, has_more = self._choose(connection, before)
        replacement = Replacement(self._workplace, "batch", self._kept)
        for batches in chosen.values():
            for group in groups([Extent.of(batch) for _, batch in batches]):
                ids, blocks = zip(*(batches[number] for number in group), strict=True)
                replacement.make(ids, partial(made_of, blocks, self._workplace.pause))
        replacement.write(changes_hours=True)
        self._sealed_s = self._clock.monotonic()
        return has_more

    def _due_before(self, connection: sqlite3.Connection) -> int | None:
        """The number that what is due lies before, if anything is."""
        sql = f"SELECT min(id), max(id), count(*), sum(length(data)) FROM batch WHERE id {NOT_KEPT}"
        oldest, last, count, size = connection.execute(sql, (self._kept.text,)).fetchone()
        if oldest is None:
            return None
        (row,) = connection.execute("SELECT max(id) FROM row").fetchone()
        newest = max(last, row or 0)  # keys of rows and of batches are counted together
        is_old = newest - oldest > OLDEST_S * SECOND
        is_much = count > BATCHES or size > BATCHES_BYTES
        is_long_ago = self._clock.monotonic() - self._sealed_s > OLDEST_S
        if not (is_old or is_much or is_long_ago):
            return None
        before: int = newest - NEWEST_S * SECOND
        return before if oldest < before else int(last) + 1

    def _choose(self, connection: sqlite3.Connection, before: int) -> tuple[Chosen, bool]:
        """The oldest batches, in the order of their numbers; whether there are more."""
        found: Chosen = {}
        count = size = values = 0
        sql = f"SELECT id, device, data FROM batch WHERE id < ? AND id {NOT_KEPT} ORDER BY id"
        for id_, device, data in connection.execute(sql, (before, self._kept.text)):
            if count >= BATCHES or size >= BATCHES_BYTES or values >= BATCHES_VALUES:
                return found, True
            try:
                batch = Source(data, self._workplace.pause)
                if batch.device != device:
                    raise Damaged(f"it is of device {batch.device}, not of {device}")
            except Damaged as exc:
                self._kept.keep_unreadable(id_, exc)
                continue
            found.setdefault(device, []).append((id_, batch))
            count, size = count + 1, size + len(data)
            values += Extent.of(batch).values
        return found, False
