"""The blocks and batches of a file: found by device and time, read one at a time."""

import logging
from collections.abc import Iterator
from functools import partial

import attrs

from agent.store.asked import OpenFile
from agent.store.book import Entry
from agent.store.codec import Block, Damaged
from agent.store.moment import time_text
from agent.store.segments import Place, Slice, inside
from agent.words import counted

log = logging.getLogger(__name__)

SINCE_VERSION = 2  # files of older agents have rows only
BLOCK_MS = 86_400_000  # from the first to the last sample of a block at most
BLOCK_RANK, BATCH_RANK = 0, 1


@attrs.frozen
class DamagedBlock:
    """A block or a batch that can't be read; ``count`` is ``None`` where it is not known."""

    device: str
    first_ms: int
    last_ms: int
    count: int | None


@attrs.frozen
class _Batch:
    """Where a batch lies; ``about`` says what is lost if it can't be read."""

    id: int
    first_key: int
    last_key: int
    about: DamagedBlock


class Sealed:
    """Finds and reads what is sealed; damage is said in the log once, and kept in ``damaged``."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        ((version,),) = file.rows("PRAGMA user_version")
        self.is_there = version >= SINCE_VERSION
        self._batches: dict[int, list[_Batch]] = {}  # by device
        self.damaged: list[DamagedBlock] = []

    def blocks(self, entry: Entry, start_ms: int, end_ms: int) -> Iterator[Place]:
        """Blocks that may have samples in a stretch of time, in the order of their first keys."""
        sql = (
            "SELECT id, first_ms, last_ms, first_key, last_key, count FROM block WHERE device = ? "
            "AND first_ms >= ? AND first_ms < ? AND last_ms >= ? ORDER BY first_key, id"
        )
        rows = self._rows(sql, entry.id, start_ms - BLOCK_MS, end_ms, start_ms)
        for id_, first_ms, last_ms, first_key, last_key, count in rows:
            about = DamagedBlock(entry.name, first_ms, last_ms, count)
            read = partial(self._read, "block", id_, entry, about)
            yield Place(first_key, last_key, (BLOCK_RANK, id_), read)

    def batches(self, entry: Entry, start_ms: int, end_ms: int) -> Iterator[Place]:
        """The same of batches."""
        if entry.id not in self._batches:
            self._batches[entry.id] = [*self._find_batches(entry)]
        for each in self._batches[entry.id]:
            if each.about.first_ms < end_ms and each.about.last_ms >= start_ms:
                read = partial(self._read, "batch", each.id, entry, each.about)
                yield Place(each.first_key, each.last_key, (BATCH_RANK, each.id), read)

    def _find_batches(self, entry: Entry) -> Iterator[_Batch]:
        """All of them, as nothing but their headings tells their times; there are few."""
        last_key = 0
        for (id_,) in self._rows("SELECT id FROM batch WHERE device = ? ORDER BY id", entry.id):
            batch = self._read("batch", id_, entry, None)
            if batch is None:
                yield _Batch(id_, last_key, last_key, _about(entry, id_))
            else:
                about = DamagedBlock(entry.name, batch.first_ms, batch.last_ms, batch.count)
                yield _Batch(id_, batch.first_key, batch.last_key, about)
                last_key = batch.last_key

    def damaged_in(self, device: str, start_ms: int, end_ms: int) -> list[DamagedBlock]:
        """What of a device's stretch of time was met and could not be read, by time."""
        found = [
            each
            for each in self.damaged
            if each.device == device and each.first_ms < end_ms and each.last_ms >= start_ms
        ]
        return sorted(found, key=lambda each: (each.first_ms, each.last_ms))

    def slices(self, entry: Entry, start_ms: int, end_ms: int) -> Iterator[Slice]:
        """What has samples in a stretch of time, in no order."""
        for find in (self.blocks, self.batches):
            for place in find(entry, start_ms, end_ms):
                source = place.open()
                if source is not None and (found := inside(source.times(), start_ms, end_ms)):
                    yield Slice(source, found)

    def newest(self, entry: Entry) -> Block | None:
        """The batch or block with the last sample of those that can be read."""
        batches = self._rows("SELECT id FROM batch WHERE device = ? ORDER BY id DESC", entry.id)
        read = (self._read("batch", id_, entry, _about(entry, id_)) for (id_,) in batches)
        batch = next((each for each in read if each is not None), None)
        sql = (
            "SELECT id, first_ms, last_ms, last_key, count FROM block WHERE device = ? "
            "ORDER BY last_key DESC, id DESC"
        )
        for id_, first_ms, last_ms, last_key, count in self._rows(sql, entry.id):
            if batch is not None and batch.last_key >= last_key:
                break
            about = DamagedBlock(entry.name, first_ms, last_ms, count)
            block = self._read("block", id_, entry, about)
            if block is not None:
                return block
        return batch

    def _rows(self, sql: str, *values: int) -> Iterator[tuple]:  # type: ignore[type-arg]
        return self._file.rows(sql, *values) if self.is_there else iter(())

    def _read(self, table: str, id_: int, entry: Entry, about: DamagedBlock | None) -> Block | None:
        """A block or a batch; without ``about`` it is no matter whether it is damaged."""
        try:
            data = self._file.data(table, id_)
            if isinstance(data, str):
                raise Damaged(data)
            block = Block(data)
            if block.device != entry.id:
                raise Damaged("it is another device's")
        except Damaged as exc:
            if about is not None:
                self._note(about, str(exc))
            return None
        return block

    def _note(self, about: DamagedBlock, why: str) -> None:
        if about in self.damaged:
            return
        self.damaged.append(about)
        count = "samples" if about.count is None else counted(about.count, "sample")
        first, last = time_text(about.first_ms), time_text(about.last_ms)
        log.error(
            "%s: %s of %s from %s to %s are left out, they are damaged (%s); "
            "keep the rest with: agent store repair",
            self._file.path, count, about.device, first, last, why,
        )  # fmt: skip


def _about(entry: Entry, id_: int) -> DamagedBlock:
    """What is known of a batch that can't be read: it is numbered in microseconds of its start."""
    return DamagedBlock(entry.name, id_ // 1000, id_ // 1000, None)
