"""The journal: what waits in memory, a second time on tmpfs, where a killed process leaves it.

It is a folder of parts. Each commit takes the parts that are there, marks them with a row that it
writes, and removes them when it is done: after a crash the mark tells whether they are in the
store's file. Nothing is synced, as memory needs no sync.
"""

import errno
import hashlib
import logging
import os
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.errors import StoreError
from agent.store.memory import MemoryFolder, open_folder
from agent.store.part import END, Part, Run, make_part, numbers_of, open_part
from agent.store.records import Encoder, Metrics, NameRecords
from agent.store.waiting import Dropped, Event, Known, note_lost
from agent.store.witness import Witness

log = logging.getLogger(__name__)

PART_BYTES = 1024 * 1024  # about so much goes at once when the oldest must
SMALLEST_PART_BYTES = 16 * 1024
ROOM_BYTES = 2 * PART_BYTES  # free before a full memory is tried again
ASIDE = "damaged"  # the name of the newest part that could not be read


class Journal:
    """Takes events in the same order as the queue; all but ``mark`` is called under its lock.

    ``known`` is read when a device is heard of for the first time in a part.
    """

    def __init__(
        self, folders: Sequence[Path], limit_bytes: int, known: Mapping[str, Known]
    ) -> None:
        self._folders = tuple(dict.fromkeys(folders))
        self._run: Run | None = None
        self._part_bytes = max(min(PART_BYTES, limit_bytes // 16), SMALLEST_PART_BYTES)
        # Of the oldest part some events may be dropped already; the newest is filled to its end.
        self._limit_bytes = limit_bytes + 2 * self._part_bytes
        self._known = known
        self._settled: dict[str, Metrics] = {}
        self._names = NameRecords()
        self._folder: MemoryFolder | None = None
        self._opened: list[MemoryFolder] = []
        self._number = 0
        self._parts: deque[Part] = deque()
        self._in_hand: list[Part] = []
        self._is_sealed = True  # the newest part takes no more
        self._is_closed = False
        self.error: str | None = "it is not open"  # why it is not whole

    @property
    def place(self) -> Path | None:
        """Where it lies while it is whole."""
        return self._folder.path if self._folder is not None and self.is_whole else None

    @property
    def is_whole(self) -> bool:
        """Whether it has every event that waits."""
        return self.error is None

    @property
    def count(self) -> int:
        """How many of the events that are not in hand it has."""
        return sum(part.live for part in self._parts)

    def open(self, run: Run) -> list[Part]:
        """Find its place; the parts that earlier runs of this boot left for the same file."""
        self._run, self.error = run, None
        left: list[Part] = []
        for base in self._folders:
            try:
                folder = open_folder(base, folder_name(run.path), make=self._folder is None)
            except StoreError as exc:
                log.debug("%s", exc)
                continue
            if folder is not None:
                self._opened.append(folder)
                left += self._left_in(folder, run)
                self._folder = self._folder or folder
        if self._folder is None:
            self._fail("no folder of ours in memory (tmpfs) to keep it in")
        return sorted(left, key=lambda part: (part.run.started_s, part.run.token, part.number))

    def _left_in(self, folder: MemoryFolder, run: Run) -> list[Part]:
        left = []
        for number in numbers_of(folder):
            self._number = max(self._number, number)
            try:
                part = open_part(folder, number)
            except (StoreError, OSError) as exc:
                log.warning("%s: what waited there is not used", exc)
                _set_aside(folder, number)
                continue
            if part is None:
                continue
            if (part.run.boot_id, part.run.path) == (run.boot_id, run.path):
                left.append(part)
                continue
            log.warning(
                "%s is of another start of the machine or another file, removed",
                folder.path / part.name,
            )
            _remove(part)
        return left

    def append(self, event: Event) -> None:
        """Write an event behind the others; where that fails, it is not whole any more."""
        if self.error is not None or self._is_closed:
            return
        try:
            self._append(event)
        except OSError as exc:
            self._fail(exc.strerror or str(exc))
        except (ValueError, struct.error, OverflowError) as exc:  # a bug of ours costs no sample
            self._fail(f"{type(exc).__name__}: {exc}")

    def _append(self, event: Event) -> None:
        part = self._open_part()
        assert part.encoder is not None
        part.write(part.encoder.records(event))
        part.live += 1
        if part.size_bytes >= self._part_bytes:
            self._is_sealed = True

    def _open_part(self) -> Part:
        """The part that takes what comes.

        Raises:
            OSError: There is no room for one.
        """
        if not self._is_sealed:
            return self._parts[-1]
        held = sum(part.size_bytes for part in (*self._in_hand, *self._parts))
        if held > self._limit_bytes:
            raise OSError(None, f"it is full, at {held / 2**20:.1f} MiB")
        if self._run is None or self._folder is None or not self._folder.is_there:
            raise FileNotFoundError(None, "its folder was removed")
        if not self._folder.has_room(self._part_bytes):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = make_part(self._folder, self.next_number(), self._run)
        part.encoder = Encoder(self._known, self._settled, self._names)
        self._parts.append(part)
        self._is_sealed = False
        return part

    def next_number(self) -> int:
        """For a part; later ones have larger numbers."""
        self._number += 1
        return self._number

    def _fail(self, why: str) -> None:
        self._is_sealed = True
        if self.error is None:
            log.warning("no journal in memory: %s; each poll is written at once meanwhile", why)
        self.error = why

    def drop(self, event: Event) -> None:
        """The oldest event that is not in hand was dropped."""
        part = next((part for part in self._parts if part.live), None)
        if part is None:
            return  # it was never written
        part.live -= 1
        note_lost(part.lost, event)
        if part.live == 0:
            self._drop_part(part)

    def _drop_part(self, part: Part) -> None:
        """All of it was dropped: what is left is to say so."""
        self._is_sealed = self._is_sealed or part is self._parts[-1]
        if self.error is None:
            try:
                heir = self._open_part()
                assert heir.encoder is not None
                heir.write(heir.encoder.dropped(part.number, part.lost))
                for name, one in part.lost.items():
                    heir.lost.setdefault(name, Dropped()).merge(one)
            except OSError as exc:
                self._fail(exc.strerror or str(exc))
        self._parts.remove(part)
        _remove(part)

    def seal(self) -> None:
        """All parts are in hand."""
        self._in_hand += self._parts
        self._parts.clear()
        self._is_sealed = True

    def mark(self, witness: Witness) -> None:
        """What is in hand is in the store's file once that row is there."""
        mark_all(self._in_hand, witness)

    def cut(self) -> None:
        """What was in hand is in the store's file."""
        for part in self._in_hand:
            if part.encoder is not None:
                self._settled.update(part.encoder.described)
            _remove(part)
        self._in_hand.clear()

    def unseal(self) -> None:
        """What was in hand waits again."""
        self._parts.extendleft(reversed(self._in_hand))
        self._in_hand.clear()

    def mend(self, lacking: Sequence[Event]) -> None:
        """After a failure: go on as soon as there is room for what it lacks, and more."""
        if self._is_closed or self._run is None:
            return
        if self._folder is None or not self._folder.is_there:
            self._folder = self._find_folder(self._run)
        if self._folder is None or not self._folder.has_room(ROOM_BYTES):
            return
        try:
            self._open_part()
            for event in lacking:
                self._append(event)
        except (OSError, ValueError, struct.error, OverflowError) as exc:
            log.debug("still no journal in memory: %s", exc)
            self._is_sealed = True
            return
        log.info("the journal in memory works again")
        self.error = None

    def _find_folder(self, run: Run) -> MemoryFolder | None:
        for base in self._folders:
            try:
                folder = open_folder(base, folder_name(run.path), make=True)
            except StoreError as exc:
                log.debug("%s", exc)
                continue
            if folder is not None:
                self._opened.append(folder)
                return folder
        return None

    def close(self) -> None:
        """Leave what is still there for the next run; twice is fine."""
        self._is_closed = True
        for part in (*self._in_hand, *self._parts):
            if part.live == 0 and not part.lost:
                _remove(part)
            part.close()
        while self._opened:
            self._opened.pop().close()
        self._folder = None


def folder_name(path: str) -> str:
    """The folder of the journal for a store's file."""
    return f"journal-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"


def mark_all(parts: Sequence[Part], witness: Witness) -> None:
    """Mark parts; one that can't be marked is removed, as it would be read a second time."""
    for part in parts:
        try:
            part.mark(witness)
        except OSError as exc:
            log.debug("marking %s: %s", part.name, exc.strerror)
            _remove(part)


def _remove(part: Part) -> None:
    try:
        part.remove()
    except OSError as exc:
        log.warning("cannot remove %s: %s", part.folder.path / part.name, exc.strerror)


def _set_aside(folder: MemoryFolder, number: int) -> None:
    try:
        folder.set_aside(f"{number:08d}{END}", ASIDE)
    except OSError as exc:
        log.warning("cannot move %s: %s", folder.path / f"{number:08d}{END}", exc.strerror)
