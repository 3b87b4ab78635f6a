"""How much the agent wrote to disks: since its start, and today."""

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from agent.clock import Clock

COUNTERS = Path("/proc/self/io")
FIELD = "write_bytes:"


class Written:
    """Reads what the kernel counts: pages of files on disks that the agent changed, each time.

    That is what reaches the disk but for the file system's own notes, 0 to 3 % more on ext4. Files
    in memory do not count. What others do on the agent's behalf is not in it.
    """

    def __init__(self, clock: Clock, zone: tzinfo, counters: Path = COUNTERS) -> None:
        self._clock = clock
        self._zone = zone
        self._counters = counters
        self._start = self._day = self._bytes()
        self._day_since_ms = clock.now_ms()
        self._today = self._date()

    def state(self) -> dict[str, Any] | None:
        """Bytes of today, since when that is, and bytes since the start; if it can be told.

        To be called often: that is how it learns that a day begins.
        """
        now, today = self._bytes(), self._date()
        if today != self._today:
            self._today, self._day, self._day_since_ms = today, now, self._clock.now_ms()
        if now is None or self._start is None or self._day is None:
            return None
        return {
            "today_bytes": now - self._day,
            "today_since_ms": self._day_since_ms,
            "since_start_bytes": now - self._start,
        }

    def _date(self) -> object:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self._clock.now_ms())
        return moment.astimezone(self._zone).date()

    def _bytes(self) -> int | None:
        try:
            lines = self._counters.read_text("ascii").splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith(FIELD))
        except (OSError, ValueError, IndexError, StopIteration):  # not Linux, or it is closed to us
            return None
