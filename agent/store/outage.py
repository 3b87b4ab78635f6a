"""While the store can't be written: since when, why, what it costs; each is said once."""

import logging
from pathlib import Path

from agent.clock import Clock
from agent.errors import StoreError
from agent.words import counted

log = logging.getLogger(__name__)


class Outage:
    """Whether commits work; ``dropped`` counts are totals since the start of the agent."""

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self.error: str | None = None  # of the newest commit, if it failed
        self.since_ms: int | None = None
        self._dropped_before = 0  # of all that were dropped, those that the log has counted
        self._is_dropping = False  # and the log says so

    def failed(self, exc: StoreError, dropped: int) -> None:
        """A commit did not work."""
        if self.error is None:
            self.since_ms = self._clock.now_ms()
            log.error("%s; samples wait in memory until it can be written", exc)
        elif str(exc) != self.error:
            log.debug("%s", exc)
        self.error = str(exc)
        if self.lost(dropped) and not self._is_dropping:
            self._is_dropping = True
            log.warning("memory for samples is full: the oldest are dropped from now on")

    def ended(self, dropped: int) -> None:
        """A commit worked."""
        lost = self.lost(dropped)
        self._dropped_before = dropped
        if self.error is not None:
            tail = f"; {counted(lost, 'sample')} dropped" if lost else ""
            log.warning("%s can be written again%s", self._path, tail)
            self._is_dropping = False
        elif lost and not self._is_dropping:
            self._is_dropping = True
            log.warning("memory for samples is full during a commit: %d were dropped", lost)
        elif not lost:
            self._is_dropping = False
        self.error = self.since_ms = None

    def lost(self, dropped: int) -> int:
        """How many samples were dropped since the last commit that worked."""
        return dropped - self._dropped_before

    def lasts(self, samples: int, events: int, dropped: int, place: Path | None) -> int:
        """The agent stops with so much that waits; how many samples the file lacks.

        ``place`` is where a journal in memory keeps them.
        """
        edges, lost = events - samples, self.lost(dropped)
        if place is None:
            text = "%s and %d starts and ends of gaps are lost"
            log.error(text, counted(samples + lost, "sample"), edges)
        else:
            tail = f", {counted(lost, 'sample')} lost" if lost else ""
            log.error(
                "%s and %d starts and ends of gaps wait in %s until the agent starts "
                "again%s; they do not outlive a restart of the machine or a power cut",
                counted(samples, "sample"), edges, place, tail,
            )  # fmt: skip
        return samples + lost
