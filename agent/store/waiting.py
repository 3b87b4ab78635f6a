"""What waits in memory for the next commit: bounded, oldest dropped first, loss counted."""

import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Protocol

import attrs

from agent.model import Metric, Reason, Stamp
from agent.store.rows import HOST_KIND

OVERHEAD = 400  # bytes of Python objects around an event's text


@attrs.frozen
class Known:
    """What the process knows of a device: for samples that are still to come."""

    kind: str
    interval_s: float
    metrics: Mapping[str, Metric] = attrs.field(factory=dict)
    plain: bool = attrs.field()  # its samples are stored as rows, which any shell can read

    @plain.default
    def _is_host(self) -> bool:
        return self.kind == HOST_KIND


@attrs.frozen
class WaitingRow:
    """A sample on its way: its values as JSON text in the order of ``names``."""

    device: str
    stamp: Stamp
    names: tuple[str, ...]
    text: str
    names_bytes: int = 0  # of names that it does not share with an earlier row

    @property
    def size_bytes(self) -> int:
        """Of memory; one character beyond Latin 1 makes Python take 2 or 4 bytes for each."""
        return sys.getsizeof(self.text) + self.names_bytes + OVERHEAD


@attrs.frozen
class GapOpened:
    """A gap begins."""

    device: str
    start_ms: int
    reason: Reason
    detail: str

    @property
    def size_bytes(self) -> int:
        return sys.getsizeof(self.detail) + OVERHEAD


@attrs.frozen
class GapClosed:
    """The open gap of a device ends."""

    device: str
    end_ms: int
    size_bytes: int = OVERHEAD


Event = WaitingRow | GapOpened | GapClosed


@attrs.define
class Dropped:
    """What one device lost while the store could not be written."""

    first_ms: int | None = None
    last_ms: int | None = None
    count: int = 0
    opened: GapOpened | None = None  # a gap that still lasts

    def add(self, first_ms: int, last_ms: int, count: int) -> None:
        """Widen the stretch."""
        self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)
        self.count += count

    def merge(self, older: "Dropped") -> None:
        """Take in what was dropped before."""
        if older.first_ms is not None and older.last_ms is not None:
            self.add(older.first_ms, older.last_ms, older.count)
        self.opened = self.opened or older.opened


def note_lost(lost: dict[str, Dropped], event: Event) -> None:
    """Count an event that is dropped."""
    one = lost.setdefault(event.device, Dropped())
    if isinstance(event, WaitingRow):
        one.add(event.stamp.ts_ms, event.stamp.ts_ms, 1)
    elif isinstance(event, GapOpened):
        one.opened = event
    elif one.opened is not None:  # the whole gap is lost: its time is not
        one.add(one.opened.start_ms, event.end_ms, 0)
        one.opened = None


class Mirror(Protocol):
    """Holds the same events where a killed process does not lose them; called under the lock.

    Once it could not take an event it takes no more, until it could take all that it lacks.
    """

    @property
    def is_whole(self) -> bool: ...

    @property
    def count(self) -> int:
        """How many of the events that are not in hand it has."""

    def append(self, event: Event) -> None: ...

    def drop(self, event: Event) -> None: ...

    def seal(self) -> None:
        """All that is there is in hand now."""

    def cut(self) -> None:
        """What was in hand is in the file."""

    def unseal(self) -> None:
        """What was in hand waits again."""

    def mend(self, lacking: Sequence[Event]) -> None:
        """Try to be whole again."""

    def close(self) -> None:
        """Leave what it has for the next run."""


class Waiting:
    """A queue with a bound in bytes; ``append`` never blocks on a disk.

    What was taken and is not yet done is in memory too: it counts. It can't be dropped, as it may
    be in the file already; so while a commit is in hand, the oldest of what came since goes.
    """

    def __init__(self, limit_bytes: int, mirror: Mirror | None = None) -> None:
        self._limit_bytes = limit_bytes
        self._mirror = mirror
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._size_bytes = 0
        self._in_hand: list[Event] = []
        self._in_hand_bytes = 0
        self._dropped: dict[str, Dropped] = {}
        self.dropped_total = 0

    def append(self, event: Event) -> None:
        """Add at the end; drops the oldest where the bound asks for it."""
        with self._lock:
            if self._mirror is not None:
                self._mirror.append(event)
            self._events.append(event)
            self._size_bytes += event.size_bytes
            self._enforce()

    @property
    def is_filling(self) -> bool:
        """Whether so much came since the last ``take()`` that the next must not be put off.

        The other half of the room is for what comes while a commit is in hand: a disk that is well
        costs no sample, however many come and however long an interval is.
        """
        return self._size_bytes * 2 > self._limit_bytes

    def take(self) -> tuple[list[Event], dict[str, Dropped]]:
        """Everything that waits and everything that was dropped; until ``done()``, in hand."""
        with self._lock:
            self._in_hand, self._events = list(self._events), deque()
            self._in_hand_bytes, self._size_bytes = self._size_bytes, 0
            dropped, self._dropped = self._dropped, {}
            if self._mirror is not None:
                self._mirror.seal()
            return self._in_hand, dropped

    def done(self) -> None:
        """What was taken is in the file."""
        with self._lock:
            self._in_hand, self._in_hand_bytes = [], 0
            if self._mirror is not None:
                self._mirror.cut()
            self._mend()

    def give_back(self, events: list[Event], dropped: dict[str, Dropped]) -> None:
        """Undo ``take()``: the commit failed."""
        with self._lock:
            self._events.extendleft(reversed(events))
            self._size_bytes += self._in_hand_bytes
            self._in_hand, self._in_hand_bytes = [], 0
            for device, lost in dropped.items():
                self._dropped.setdefault(device, Dropped()).merge(lost)
            if self._mirror is not None:
                self._mirror.unseal()
            self._enforce()
            self._mend()

    def close(self) -> None:
        """What still comes is not mirrored."""
        with self._lock:
            if self._mirror is not None:
                self._mirror.close()

    def size(self) -> tuple[int, int]:
        """Events and bytes in memory."""
        with self._lock:
            count = len(self._events) + len(self._in_hand)
            return count, self._size_bytes + self._in_hand_bytes

    def oldest_ms(self) -> int | None:
        """When the oldest sample that is not in the file was taken, on the monotonic clock."""
        with self._lock:
            events = chain(self._in_hand, self._events)
            rows = (event for event in events if isinstance(event, WaitingRow))
            return next((row.stamp.monotonic_ms for row in rows), None)

    def samples(self) -> int:
        """How many of the events are samples."""
        with self._lock:
            events = (*self._in_hand, *self._events)
        return sum(isinstance(event, WaitingRow) for event in events)

    def _enforce(self) -> None:
        room_bytes = self._limit_bytes - self._in_hand_bytes
        while self._size_bytes > room_bytes and len(self._events) > 1:
            event = self._events.popleft()
            self._size_bytes -= event.size_bytes
            self.dropped_total += isinstance(event, WaitingRow)
            note_lost(self._dropped, event)
            if self._mirror is not None:
                self._mirror.drop(event)

    def _mend(self) -> None:
        if self._mirror is not None and not self._mirror.is_whole:
            self._mirror.mend(list(islice(self._events, self._mirror.count, None)))
