"""The store's file while it is open: made ready when it is needed, left at any error."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from agent import __version__
from agent.clock import Clock
from agent.errors import StoreError
from agent.store.hand import Hand
from agent.store.part import Run
from agent.store.recovery import Recovery
from agent.store.repair.look import is_damage
from agent.store.repair.start import in_use, make_usable
from agent.store.waiting import Dropped, Event, Known
from agent.store.writer import Writer

log = logging.getLogger(__name__)

T = TypeVar("T")


class Opened:
    """Has a ``Writer`` as long as all goes well; used by one thread at a time.

    ``recovery`` is what earlier runs left, and goes into the file before anything else.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        run_start_ms: int,
        hand: Hand,
        guard: Callable[[], None] | None,
        log_bytes: int,
    ) -> None:
        self._path = path
        self._in_use = path  # another one while a newer agent's lies there
        self._clock = clock
        self._run_start_ms = run_start_ms
        self._hand = hand
        self._guard = guard
        self._log_bytes = log_bytes
        self._writer: Writer | None = None
        self._warned: set[str] = set()
        self.recovery: Recovery | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a writer."""
        return self._writer is not None

    def commit(
        self,
        events: Sequence[Event],
        dropped: Mapping[str, Dropped],
        devices: Mapping[str, Known],
        described: Collection[str],
    ) -> None:
        """Write what waited, in one transaction; opens the file where it is not open.

        Raises:
            StoreError: It can't be written now.
        """
        try:
            self._commit(events, dropped, devices, described)
        except StoreError as exc:
            # Damage that shows only now: what lies there makes room for a new file.
            if not is_damage(exc.__cause__):
                raise
            self.give_up(str(exc.__cause__))
            if self._hand.is_in_doubt:
                raise  # whether it is in the file, the next commit finds out
            self._commit(events, dropped, devices, described)

    def _commit(
        self,
        events: Sequence[Event],
        dropped: Mapping[str, Dropped],
        devices: Mapping[str, Known],
        described: Collection[str],
    ) -> None:
        try:
            if self._writer is None:
                if self._guard is not None:
                    self._guard()
                self._make_usable()
                if self.recovery is not None:
                    self.recovery.replay(self._open, devices)
                self._writer = self._open(None)
                self._hand.settle(self._writer)
            mark = self._hand.mark if events or dropped else None
            self._writer.commit(events, dropped, devices, described, mark)
        except BaseException:
            self._abandon()
            raise

    def _make_usable(self, fault: str | None = None) -> None:
        for sentence in make_usable(self._path, self._clock.now_ms(), fault):
            log.warning("%s", sentence)
        self._in_use = in_use(self._path)

    def give_up(self, fault: str) -> None:
        """Set the file aside, which is damaged, and make room for a new one.

        Raises:
            StoreError: It can't be set aside.
        """
        self._abandon()
        self._make_usable(fault)

    def use(self, work: Callable[[Writer], T]) -> T | None:
        """Do something in a transaction of its own; ``None`` while the file is not open.

        Raises:
            StoreError: It can't be written now.
        """
        if self._writer is None:
            return None
        try:
            with self._writer.transaction():
                return work(self._writer)
        except BaseException as exc:
            self._abandon()
            if is_damage(exc.__cause__):
                self._make_usable(str(exc.__cause__))
            raise

    def close(self) -> None:
        """Note that the agent stopped in order; twice is fine."""
        if self._writer is not None:
            try:
                self._writer.end_run(self._clock.now_ms())
                self._writer.close()
                self._writer = None
            except StoreError as exc:
                log.error("%s", exc)
                self._abandon()
        if self.recovery is not None:
            self.recovery.close()

    def _open(self, run: Run | None) -> Writer:
        """A writer for this run, or for one that was killed."""
        version, start_ms = (
            (run.version, run.start_ms) if run else (__version__, self._run_start_ms)
        )
        return Writer(
            self._in_use, self._clock, version, start_ms, self._warn_once, self._log_bytes
        )

    def _abandon(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            log.warning("%s", text)
