"""The store: every sample, crash-safe, in one SQLite file. The only SQL of the agent."""

import logging
import math
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
from agent.store.outage import Outage
from agent.store.query import Reader
from agent.store.rows import encode, storable
from agent.store.waiting import Dropped, Event, GapClosed, GapOpened, Waiting, WaitingRow
from agent.store.writer import Known, Writer

__all__ = ["Reader", "Store", "StoreState", "sqlite_version"]

log = logging.getLogger(__name__)

NAMES_LIMIT = 256  # readings with different names that are remembered
RETRY_S = 0.2  # between two tries to commit while closing
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

    ``guard`` is called before the file is opened, each time; it may raise a ``StoreError``.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        flush_interval_s: float = 10.0,
        waiting_bytes: int = 32 * 1024 * 1024,
        guard: Callable[[], None] | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._flush_interval_s = flush_interval_s
        self._guard = guard
        self._wake: Callable[[], None] | None = None
        self._waiting = Waiting(waiting_bytes)
        self._devices: dict[str, Known] = {}
        self._undescribed: set[str] = set()
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._is_closed = False
        self._writer: Writer | None = None
        self._writing = threading.Lock()
        self._run_start_ms = clock.now_ms()
        self._outage = Outage(str(path), clock)
        self._last_commit_ms: int | None = None
        self._warned: set[str] = set()

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
        # While the store can't be written, each try would write all that waits: a regular flush
        # is the next one.
        if self._wake is not None and self._flush_interval_s == 0 and self._outage.error is None:
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
            if self._outage.error is not None and not self._is_writable():
                return False
            events, dropped = self._waiting.take()
            is_ready = self._is_closed or (self._writer is not None and self._outage.error is None)
            if not events and not dropped and is_ready:
                return True
            try:
                self._commit(events, dropped)
            except BaseException as exc:
                self._waiting.give_back(events, dropped)
                if not isinstance(exc, StoreError):
                    raise  # a bug of ours: it must not cost what waits
                self._outage.failed(exc, self._waiting.dropped_total)
                return False
            self._waiting.done()
            self._outage.ended(self._waiting.dropped_total)
            return True

    def _is_writable(self) -> bool:
        """After a failure: whether an empty commit works now.

        What waits is not in hand meanwhile, so that the oldest of it can still be dropped.
        """
        try:
            self._commit([], {})
        except StoreError as exc:
            self._outage.failed(exc, self._waiting.dropped_total)
            return False
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
            str(self._path), self._outage.error, self._outage.since_ms, self._last_commit_ms,
            waiting, waiting_bytes, self._waiting.dropped_total, self._flush_interval_s,
        )  # fmt: skip

    def close(self, tries_s: float = 0.0) -> int:
        """Commit what waits and close the file; how many samples are lost. Twice is fine.

        A failing commit is tried again for ``tries_s``. Lost is what no commit took: samples that
        wait and those dropped before; once a commit works, the file has the latter as a gap.
        """
        lost = 0 if self._flush_within(tries_s) else self._say_lost()
        with self._writing:
            self._is_closed = True
            self._close_writer()
        return lost

    def _flush_within(self, tries_s: float) -> bool:
        end_s = self._clock.monotonic() + tries_s
        pause = threading.Event()
        for _ in range(math.ceil(tries_s / RETRY_S)):  # bounded by a clock that stands still, too
            if self.flush():
                return True
            if self._clock.monotonic() >= end_s:
                return False
            pause.wait(RETRY_S)
        return self.flush()

    def _say_lost(self) -> int:
        samples = self._waiting.samples()
        edges = self._waiting.size()[0] - samples
        samples += self._outage.lost(self._waiting.dropped_total)
        log.error("%d samples and %d starts and ends of gaps are lost", samples, edges)
        return samples

    def _close_writer(self) -> None:
        if self._writer is not None:
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
                if self._guard is not None:
                    self._guard()
                self._writer = Writer(
                    self._path, self._clock, __version__, self._run_start_ms, self._warn_once
                )
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

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            log.warning("%s", text)
