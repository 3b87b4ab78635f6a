"""What is deleted by age, and when nothing may be: a jump of the clock, a long pause, an import."""

import logging
from datetime import UTC, datetime

from agent.clock import CLOCK_SET_MS, Clock
from agent.errors import AgentError
from agent.model import Gap, Reason
from agent.reports import Reports
from agent.store import Reader, Store
from agent.store.deleted import Deletions
from agent.store.imported import imported_ms
from agent.words import counted

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
DOUBTFUL_MS = 7 * DAY_MS  # by less, a wrong clock makes data no more than a week older
HOLD_MS = 7 * DAY_MS
JUST_NOW_MS = 3_600_000  # data so new may have been read after the clock was set


class Housekeeping:
    """Deletes old rows and roll-ups, once the clock has been plausible for a week.

    A clock that jumps a year ahead makes all data look old. So nothing is deleted for a week
    after it stepped by more than a week, or after a pause in the data of more than that: both are
    what a wrong clock looks like, and old data costs only space. A clock that was not set and
    then is, to a time soon after the newest data, is what a board without a clock chip does at
    each start: that is no reason to wait.

    Nor are samples deleted for a week after older ones than the settings keep were imported: that
    is the time to change the settings. ``texts`` says so, for who asks how the store is.
    """

    def __init__(self, store: Store, reports: Reports, clock: Clock, retention_days: int) -> None:
        self._store = store
        self._reports = reports
        self._clock = clock
        self._retention_days = retention_days
        self.texts: list[str] = []
        self._held_until_s: float | None = None
        self._set_ms: int | None = None  # what is held for may only be a clock that was set then

    def clock_stepped(self, step_ms: int) -> None:
        """The wall clock moved against the monotonic one."""
        log.warning("the clock was set %s by %s", *_direction(step_ms))
        if abs(step_ms) <= DOUBTFUL_MS:
            return
        now_ms = self._clock.now_ms()
        was_never_set = now_ms - step_ms < CLOCK_SET_MS
        self._set_ms = now_ms if was_never_set and not self._is_held_for_step() else None
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
                self._delete_samples(self._retention_days)
            self._reports.delete_old()
        except (AgentError, OSError) as exc:
            log.error("deleting by age: %s", exc)

    def _delete_samples(self, days: int) -> None:
        if self._waits_for_settings(days):
            return
        # Whole UTC days at once: else there would be a little to delete, and to log, each hour.
        before_ms = (self._clock.now_ms() - days * DAY_MS) // DAY_MS * DAY_MS
        deletions = Deletions(f"they were older than {days} days")
        if gone := self._store.delete_before(before_ms, deletions):
            text = "store: deleted %s older than %s: %s"
            log.info(text, counted(gone, "sample"), counted(days, "day"), deletions.text())

    def _waits_for_settings(self, days: int) -> bool:
        """Whether old samples were imported so lately that none are deleted; said once."""
        with Reader(self._store.path) as reader:
            since_ms = imported_ms(reader.file)
        # What is noted for a far future was so by a wrong clock, and may not hold for ever.
        if since_ms is None or abs(self._clock.now_ms() - since_ms) >= HOLD_MS:
            self.texts = []
            return False
        until = datetime.fromtimestamp((since_ms + HOLD_MS) // 1000, UTC).strftime("%Y-%m-%d %H:%M")
        text = (
            f"samples older than {days} days were imported: they are deleted after {until} UTC, "
            "unless retention_days in [store] is raised"
        )
        if [text] != self.texts:
            log.warning("store: %s", text)
        self.texts = [text]
        return True

    def is_held(self) -> bool:
        """Whether nothing may be deleted by age now.

        Raises:
            StoreError: The store can't be read.
        """
        with Reader(self._store.path) as reader:
            if self._is_held_for_step():
                if self._set_ms is None or not _follows_data(reader, self._set_ms):
                    return True
                self._held_until_s = self._set_ms = None
            since_ms = self._clock.now_ms() - HOLD_MS
            return any(_is_doubtful(reader, gap, since_ms) for gap in reader.gaps_since(since_ms))

    def _is_held_for_step(self) -> bool:
        return self._held_until_s is not None and self._clock.monotonic() < self._held_until_s


def _is_doubtful(reader: Reader, gap: Gap, since_ms: int) -> bool:
    if gap.reason not in (Reason.CLOCK, Reason.AGENT_DOWN):
        return False
    end_ms = since_ms if gap.end_ms is None else gap.end_ms
    if end_ms - gap.start_ms <= DOUBTFUL_MS:
        return False
    # From 1970 to now is no pause when other data is from yesterday.
    return gap.start_ms >= CLOCK_SET_MS or not _follows_data(reader, end_ms)


def _follows_data(reader: Reader, ts_ms: int) -> bool:
    """Whether there is data from the week before a time at which the clock was set."""
    return reader.has_data(ts_ms - DOUBTFUL_MS, ts_ms - JUST_NOW_MS)


def _direction(step_ms: int) -> tuple[str, str]:
    seconds = abs(step_ms) / 1000
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return "forward" if step_ms > 0 else "back", f"{seconds / size:.1f} {unit}"
    return "forward" if step_ms > 0 else "back", f"{seconds:.1f} s"
