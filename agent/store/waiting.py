"""What waits in memory for the next commit: bounded, oldest dropped first, loss counted."""

import threading
from collections import deque

import attrs

from agent.model import Reason, Stamp

ROW_OVERHEAD = 200  # bytes of Python objects around a row's text


@attrs.frozen
class WaitingRow:
    """A sample on its way: its values as JSON text in the order of ``names``."""

    device: str
    stamp: Stamp
    names: tuple[str, ...]
    text: str

    @property
    def size_bytes(self) -> int:
        return len(self.text) + ROW_OVERHEAD


@attrs.frozen
class GapOpened:
    """A gap begins."""

    device: str
    start_ms: int
    reason: Reason
    detail: str
    size_bytes: int = ROW_OVERHEAD


@attrs.frozen
class GapClosed:
    """The open gap of a device ends."""

    device: str
    end_ms: int
    size_bytes: int = ROW_OVERHEAD


Event = WaitingRow | GapOpened | GapClosed


@attrs.define
class Dropped:
    """What one device lost while the store could not be written."""

    first_ms: int
    last_ms: int
    count: int


class Waiting:
    """A queue with a bound in bytes; ``append`` never blocks on a disk."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._size_bytes = 0
        self._dropped: dict[str, Dropped] = {}
        self.dropped_total = 0

    def append(self, event: Event) -> None:
        """Add at the end; drops the oldest where the bound asks for it."""
        with self._lock:
            self._events.append(event)
            self._size_bytes += event.size_bytes
            self._enforce()

    def take(self) -> tuple[list[Event], dict[str, Dropped]]:
        """Everything that waits and everything that was dropped, handed over."""
        with self._lock:
            events, self._events = list(self._events), deque()
            dropped, self._dropped = self._dropped, {}
            self._size_bytes = 0
            return events, dropped

    def give_back(self, events: list[Event], dropped: dict[str, Dropped]) -> None:
        """Undo ``take()``: the commit failed."""
        with self._lock:
            self._events.extendleft(reversed(events))
            self._size_bytes += sum(event.size_bytes for event in events)
            for device, lost in dropped.items():
                self._note(device, lost)
            self._enforce()

    def size(self) -> tuple[int, int]:
        """Events and bytes that wait."""
        with self._lock:
            return len(self._events), self._size_bytes

    def _enforce(self) -> None:
        while self._size_bytes > self._limit_bytes and len(self._events) > 1:
            event = self._events.popleft()
            self._size_bytes -= event.size_bytes
            if isinstance(event, WaitingRow):
                self.dropped_total += 1
                ts_ms = event.stamp.ts_ms
                self._note(event.device, Dropped(ts_ms, ts_ms, 1))

    def _note(self, device: str, lost: Dropped) -> None:
        known = self._dropped.get(device)
        if known is None:
            self._dropped[device] = lost
            return
        known.first_ms = min(known.first_ms, lost.first_ms)
        known.last_ms = max(known.last_ms, lost.last_ms)
        known.count += lost.count
