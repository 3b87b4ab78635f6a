"""What is deleted by age, and when nothing may be: after a jump of the clock or a long pause."""

import logging

from agent.clock import Clock
from agent.errors import AgentError
from agent.model import Reason
from agent.reports import Reports
from agent.store import Reader, Store

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
DOUBTFUL_STEP_MS = 3_600_000
DOUBTFUL_PAUSE_MS = 7 * DAY_MS
HOLD_MS = 7 * DAY_MS


class Housekeeping:
    """Deletes old rows and roll-ups, once the clock has been plausible for a week.

    A clock that jumps a year ahead makes all data look old. So nothing is deleted for a week
    after it stepped by more than an hour, or after a pause in the data of more than a week: both
    are what a wrong clock looks like, and old data costs only space.
    """

    def __init__(self, store: Store, reports: Reports, clock: Clock, retention_days: int) -> None:
        self._store = store
        self._reports = reports
        self._clock = clock
        self._retention_days = retention_days
        self._held_until_s: float | None = None

    def clock_stepped(self, step_ms: int) -> None:
        """The wall clock moved against the monotonic one."""
        log.warning("the clock was set %s by %s", *_direction(step_ms))
        if abs(step_ms) >= DOUBTFUL_STEP_MS:
            self._held_until_s = self._clock.monotonic() + HOLD_MS / 1000

    def run(self) -> None:
        """Delete what is older than the settings say, unless the clock is in doubt."""
        if not self._store.flush() or not self._store.is_open:
            return
        try:
            if self.is_held():
                log.debug("nothing is deleted by age, the clock is in doubt")
                return
            if self._retention_days:
                before_ms = self._clock.now_ms() - self._retention_days * DAY_MS
                gone = self._store.delete_before(before_ms)
                if gone:
                    days = self._retention_days
                    log.info("store: deleted %d samples older than %d days", gone, days)
            self._reports.delete_old()
        except (AgentError, OSError) as exc:
            log.error("deleting by age: %s", exc)

    def is_held(self) -> bool:
        """Whether nothing may be deleted by age now.

        Raises:
            StoreError: The store can't be read.
        """
        if self._held_until_s is not None and self._clock.monotonic() < self._held_until_s:
            return True
        since_ms = self._clock.now_ms() - HOLD_MS
        with Reader(self._store.path) as reader:
            return any(
                gap.reason in (Reason.CLOCK, Reason.AGENT_DOWN)
                and (gap.end_ms or since_ms) - gap.start_ms >= DOUBTFUL_PAUSE_MS
                for gap in reader.gaps_since(since_ms)
            )


def _direction(step_ms: int) -> tuple[str, str]:
    seconds = abs(step_ms) / 1000
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return "forward" if step_ms > 0 else "back", f"{seconds / size:.1f} {unit}"
    return "forward" if step_ms > 0 else "back", f"{seconds:.1f} s"
