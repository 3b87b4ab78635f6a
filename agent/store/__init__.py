"""The store: every sample, crash-safe, in one SQLite file. The only SQL of the agent."""

import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from agent import __version__
from agent.clock import Clock
from agent.errors import StoreError
from agent.model import Metric, Reason, Sample
from agent.store.query import Reader
from agent.store.rows import encode, storable
from agent.store.waiting import Dropped, Event, GapClosed, GapOpened, Waiting, WaitingRow
from agent.store.writer import Known, Writer

__all__ = ["Reader", "Store", "StoreState", "sqlite_version"]

log = logging.getLogger(__name__)

NAMES_LIMIT = 256  # readings with different names that are remembered
DELETE_AT_ONCE = 2000  # rows of one transaction, so that no commit waits long for it


@attrs.frozen
class StoreState:
    """How the store is; ``error`` is ``None`` while all is well."""

    path: str
    error: str | None
    error_since_ms: int | None
    last_commit_ms: int | None
    waiting: int
    waiting_bytes: int
    dropped: int
    flush_interval_s: float


def sqlite_version() -> str:
    """The version of the SQLite library that is in use."""
    return sqlite3.sqlite_version


class Store:
    """Takes samples from many threads, never blocks them, and commits them in groups.

    The constructor does no I/O. While the file can't be written, samples wait in memory, at
    most ``waiting_bytes`` of them; then the oldest go, and their time becomes a gap.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        flush_interval_s: float = 10.0,
        waiting_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self._path = path
        self._clock = clock
        self._flush_interval_s = flush_interval_s
        self._wake: Callable[[], None] | None = None
        self._waiting = Waiting(waiting_bytes)
        self._devices: dict[str, Known] = {}
        self._undescribed: set[str] = set()
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._is_closed = False
        self._writer: Writer | None = None
        self._writing = threading.Lock()
        self._run_start_ms = clock.now_ms()
        self._error: str | None = None
        self._error_since_ms: int | None = None
        self._last_commit_ms: int | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def is_open(self) -> bool:
        """Whether the file could be opened."""
        return self._writer is not None

    def add_device(self, name: str, kind: str, interval_s: float) -> None:
        """Make a device known; before its first sample."""
        self._devices[name] = Known(kind, interval_s)

    def describe(self, device: str, metrics: Sequence[Metric]) -> None:
        """Units, types and helps of a device's metrics, as far as they are known by now."""
        known = self._devices[device]
        cleaned = [
            attrs.evolve(metric, unit=storable(metric.unit), help=storable(metric.help))
            for metric in metrics
        ]
        by_name = {**known.metrics, **{metric.name: metric for metric in cleaned}}
        self._devices[device] = attrs.evolve(known, metrics=by_name)
        self._undescribed.add(device)

    def on_append(self, wake: Callable[[], None]) -> None:
        """With ``flush_interval_s = 0``: call ``wake``, which has ``flush()`` called soon."""
        self._wake = wake

    def append(self, sample: Sample) -> None:
        """Take one sample; it is committed within ``flush_interval_s``.

        Raises:
            ValueError: A value is not finite, or a name has no UTF-8.
        """
        names, names_bytes = self._shared(tuple(sample.values))
        text = encode(list(sample.values.values()))
        self._waiting.append(WaitingRow(sample.device, sample.stamp, names, text, names_bytes))
        if self._wake is not None and self._flush_interval_s == 0:
            self._wake()

    def open_gap(self, device: str, start_ms: int, reason: Reason, detail: str = "") -> None:
        """A stretch without samples begins."""
        self._waiting.append(GapOpened(device, start_ms, reason, storable(detail)))

    def close_gap(self, device: str, end_ms: int) -> None:
        """The stretch without samples of a device is over."""
        self._waiting.append(GapClosed(device, end_ms))

    def flush(self) -> bool:
        """Commit what waits; whether it worked. A failure is logged once, and is in ``state()``."""
        with self._writing:
            events, dropped = self._waiting.take()
            is_ready = self._is_closed or (self._writer is not None and self._error is None)
            if not events and not dropped and is_ready:
                return True
            try:
                self._commit(events, dropped)
            except BaseException as exc:
                self._waiting.give_back(events, dropped)
                if not isinstance(exc, StoreError):
                    raise  # a bug of ours: it must not cost what waits
                self._failed(exc)
                return False
            self._recovered()
            return True

    def delete_before(self, ts_ms: int) -> int:
        """Delete all rows older than a time, in small steps; how many went.

        Raises:
            StoreError: The store cannot be written now.
        """
        gone = 0
        while True:
            with self._writing:
                if self._writer is None:
                    return gone
                try:
                    step = self._writer.delete_before(ts_ms, DELETE_AT_ONCE)
                except BaseException:
                    self._abandon()
                    raise
            gone += step
            if step < DELETE_AT_ONCE:
                return gone

    def state(self) -> StoreState:
        """How the store is now."""
        waiting, waiting_bytes = self._waiting.size()
        return StoreState(
            str(self._path), self._error, self._error_since_ms, self._last_commit_ms,
            waiting, waiting_bytes, self._waiting.dropped_total, self._flush_interval_s,
        )  # fmt: skip

    def close(self) -> None:
        """Commit what waits and close the file; twice is fine."""
        if not self.flush():
            log.error("%d samples and gaps are lost", self._waiting.size()[0])
        with self._writing:
            self._is_closed = True
            if self._writer is None:
                return
            try:
                self._writer.end_run(self._clock.now_ms())
                self._writer.close()
                self._writer = None
            except StoreError as exc:
                log.error("%s", exc)
                self._abandon()

    def _shared(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        """Names as an earlier row has them, and how many bytes of memory they add."""
        known = self._names.get(names)
        if known is not None:
            return known, 0
        "".join(names).encode("utf-8")  # what the file does not take must not get as far as that
        if len(self._names) >= NAMES_LIMIT:
            self._names.clear()
        self._names[names] = names
        return names, sys.getsizeof(names) + sum(map(sys.getsizeof, names))

    def _commit(self, events: Sequence[Event], dropped: Mapping[str, Dropped]) -> None:
        described = [name for name in list(self._devices) if name in self._undescribed]
        self._undescribed.difference_update(described)
        devices = dict(self._devices)
        try:
            if self._writer is None:
                self._writer = Writer(self._path, self._clock, __version__, self._run_start_ms)
            self._writer.commit(events, dropped, devices, described)
        except BaseException:
            self._undescribed.update(described)
            self._abandon()
            raise
        self._last_commit_ms = self._clock.now_ms()

    def _abandon(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()

    def _failed(self, exc: StoreError) -> None:
        if self._error is None:
            self._error_since_ms = self._clock.now_ms()
            log.error("%s; samples wait in memory until it can be written", exc)
        elif str(exc) != self._error:
            log.debug("%s", exc)
        self._error = str(exc)

    def _recovered(self) -> None:
        if self._error is not None:
            log.warning("%s can be written again", self._path)
        self._error = None
        self._error_since_ms = None
