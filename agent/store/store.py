"""Takes samples from many threads, lets them wait, and commits them in groups."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import attrs

from agent import __version__
from agent.clock import Clock
from agent.errors import StoreError
from agent.model import Metric, Reason, Sample
from agent.store.by_age import ByAge
from agent.store.deleted import Deletions
from agent.store.facts import StoreState
from agent.store.hand import Hand
from agent.store.journal import Journal
from agent.store.log_file import log_bytes_within
from agent.store.names import SharedNames
from agent.store.opened import Opened
from agent.store.outage import Outage
from agent.store.part import Run
from agent.store.recovery import Recovery
from agent.store.rows import HOST_KIND, encode, storable
from agent.store.waiting import Dropped, Event, GapClosed, GapOpened, Known, Waiting, WaitingRow
from agent.store.writer import Writer

T = TypeVar("T")

RETRY_S = 0.2  # between two tries to commit while closing
COMMIT_S = 5.0  # a poll and a commit take some time, too; when it is more, the bound says so


class Store:
    """Takes samples from many threads, never blocks them, and commits them in groups.

    The constructor does no I/O. While the file can't be written, samples wait in memory, at
    most ``waiting_bytes`` of them; then the oldest go, and their time becomes a gap.

    ``guard`` is called before the file is opened, each time; it may raise a ``StoreError``.
    ``journal_folders`` are where what waits may be mirrored, best first; without one in memory
    that can be used, each sample asks for a flush. With ``None`` nothing is mirrored.
    ``max_size_mb`` is what the file and its log are wanted to stay below; that is for upkeep.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        flush_interval_s: float = 10.0,
        waiting_bytes: int = 32 * 1024 * 1024,
        guard: Callable[[], None] | None = None,
        journal_folders: Sequence[Path] | None = None,
        max_size_mb: int | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._flush_interval_s = flush_interval_s
        self._wake: Callable[[], None] | None = None
        self._devices: dict[str, Known] = {}
        self._run_start_ms = clock.now_ms()
        self._journal: Journal | None = None
        if journal_folders is not None:
            self._journal = Journal(journal_folders, waiting_bytes, self._devices)
        self._waiting_bytes = waiting_bytes
        self._waiting = Waiting(waiting_bytes, self._journal)
        self._hand = Hand(self._waiting, self._journal)
        log_bytes = log_bytes_within(max_size_mb)
        self._file = Opened(path, clock, self._run_start_ms, self._hand, guard, log_bytes)
        self._undescribed: set[str] = set()
        self._names = SharedNames()
        self._is_closed = False
        self._writing = threading.Lock()
        self._outage = Outage(str(path), clock)
        self._last_commit_ms: int | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def is_open(self) -> bool:
        """Whether the file could be opened."""
        return self._file.is_open

    def open_journal(self) -> None:
        """Find a place for the journal, and what a killed process left; before any sample."""
        if self._journal is not None:
            run = Run.of(self._path, self._clock, self._run_start_ms, __version__)
            left = self._journal.open(run)
            next_number = self._journal.next_number
            self._file.recovery = Recovery(left, self._waiting_bytes, next_number)

    def add_device(
        self, name: str, kind: str, interval_s: float, *, plain: bool | None = None
    ) -> None:
        """Make a device known; before its first sample.

        The samples of a ``plain`` one are stored as rows, which the ``sqlite3`` shell reads; by
        default that is a host.
        """
        is_plain = kind == HOST_KIND if plain is None else plain
        self._devices[name] = Known(kind, interval_s, plain=is_plain)

    def intervals_s(self) -> dict[str, float]:
        """How often each device is polled, by its name."""
        return {name: known.interval_s for name, known in list(self._devices.items())}

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
        """Call ``wake``, which has ``flush()`` called soon, when what waits should not wait longer.

        That is with each sample where ``flush_interval_s`` is 0, or when a killed process would
        take what waits along; and once half of the memory for samples is taken.
        """
        self._wake = wake

    def append(self, sample: Sample) -> None:
        """Take one sample; it is committed within ``flush_interval_s``.

        Raises:
            ValueError: A value is not finite, or a name has no UTF-8.
        """
        names, names_bytes = self._names.of(tuple(sample.values))
        text = encode(list(sample.values.values()))
        self._waiting.append(WaitingRow(sample.device, sample.stamp, names, text, names_bytes))
        self._wake_if_asked()

    def open_gap(self, device: str, start_ms: int, reason: Reason, detail: str = "") -> None:
        """A stretch without samples begins."""
        self._waiting.append(GapOpened(device, start_ms, reason, storable(detail)))
        self._wake_if_asked()

    def close_gap(self, device: str, end_ms: int) -> None:
        """The stretch without samples of a device is over."""
        self._waiting.append(GapClosed(device, end_ms))

    def _wake_if_asked(self) -> None:
        # While the store can't be written, each try would write all that waits: a regular flush
        # is the next one.
        if self._wake is None or self._outage.error is not None:
            return
        if self._interval_s == 0 or self._waiting.is_filling:
            self._wake()

    @property
    def _interval_s(self) -> float:
        """How long samples may wait: not at all where a killed process would take them along."""
        is_exposed = self._journal is not None and not self._journal.is_whole
        return 0.0 if is_exposed else self._flush_interval_s

    def flush(self) -> bool:
        """Commit what waits; whether it worked. A failure is logged once, and is in ``state()``."""
        with self._writing:
            is_in_trouble = self._outage.error is not None or self._hand.is_in_doubt
            if is_in_trouble and not self._is_writable():
                return False
            events, dropped = self._hand.take()
            is_ready = self._is_closed or (self.is_open and self._outage.error is None)
            if not events and not dropped and is_ready:
                return True
            try:
                self._commit(events, dropped)
            except BaseException as exc:
                self._hand.failed()
                if not isinstance(exc, StoreError):
                    raise  # a bug of ours: it must not cost what waits
                self._outage.failed(exc, self._waiting.dropped_total)
                return False
            self._hand.done()
            self._outage.ended(self._waiting.dropped_total)
            return True

    def _is_writable(self) -> bool:
        """After a failure: whether an empty commit works now.

        What waits is not in hand meanwhile, so that the oldest of it can still be dropped; but for
        a batch that the file may have: it is looked for there first.
        """
        try:
            self._commit([], {})
        except StoreError as exc:
            self._outage.failed(exc, self._waiting.dropped_total)
            return False
        return True

    def transact(self, work: Callable[[Writer], T]) -> T | None:
        """Do something in a write transaction of its own, between two commits of samples.

        ``None`` while the file is not open. What ``work`` raises undoes all that it did.

        Raises:
            StoreError: The store cannot be written now.
        """
        with self._writing:
            return self._file.use(work)

    def give_up(self, fault: str) -> None:
        """Go on in a new file: that which is there was found to be damaged.

        Raises:
            StoreError: It can't be set aside.
        """
        with self._writing:
            self._file.give_up(fault)

    def delete_before(self, ts_ms: int, deletions: Deletions | None = None) -> int:
        """Delete all samples older than a time, in small steps; how many went.

        Raises:
            StoreError: The store cannot be written now.
        """
        deletions = deletions or Deletions("they were too old")
        deletion = ByAge(ts_ms, deletions)
        while self.transact(lambda writer: deletion.step(writer.connection, writer.lag_ms)):
            pass
        return deletions.samples

    def state(self) -> StoreState:
        """How the store is now."""
        waiting, waiting_bytes = self._waiting.size()
        journal = self._journal
        place = journal.place if journal is not None else None
        bound_s = None if self._outage.error is not None else self._bound_s()
        return StoreState(
            str(self._path), self._outage.error, self._outage.since_ms, self._last_commit_ms,
            waiting, waiting_bytes, self._waiting.dropped_total, self._flush_interval_s,
            str(place) if place is not None else None, journal.error if journal else None,
            bound_s, 0.0 if place is not None else bound_s,
        )  # fmt: skip

    def _bound_s(self) -> float:
        """How much a power cut costs at most: more than wanted while a commit takes long."""
        oldest_ms = self._waiting.oldest_ms()
        if oldest_ms is not None:
            waits_s = self._clock.monotonic() - oldest_ms / 1000
            if waits_s > self._interval_s + COMMIT_S:
                return float(math.ceil(waits_s))
        return self._interval_s

    def close(self, tries_s: float = 0.0) -> int:
        """Commit what waits and close the file; how many samples it lacks. Twice is fine.

        A failing commit is tried again for ``tries_s``. Those lack that no commit took: samples
        that wait and those dropped before; once a commit works, the file has the latter as a gap.
        With a journal what waits is not lost yet: the next run stores it.
        """
        lacking = 0
        if not self._flush_within(tries_s):
            samples, events = self._waiting.samples(), self._waiting.size()[0]
            place = self._journal.place if self._journal is not None else None
            lacking = self._outage.lasts(samples, events, self._waiting.dropped_total, place)
        with self._writing:
            self._is_closed = True
            self._file.close()
            self._waiting.close()
        return lacking

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

    def _commit(self, events: Sequence[Event], dropped: Mapping[str, Dropped]) -> None:
        described = [name for name in list(self._devices) if name in self._undescribed]
        self._undescribed.difference_update(described)
        try:
            self._file.commit(events, dropped, dict(self._devices), described)
        except BaseException:
            self._undescribed.update(described)
            raise
        self._last_commit_ms = self._clock.now_ms()
