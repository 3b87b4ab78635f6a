"""The stretches of time that aggregates are of: minutes, hours, and days of a time zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

from agent.zones import moment_ms

DAY_MS = 86_400_000
AT_ONCE = 10_000  # minutes or hours that are worked on at once, and so are held in memory
DAYS_AT_ONCE = 400


class Span(Protocol):
    """How time is divided."""

    @property
    def name(self) -> str: ...

    @property
    def length_ms(self) -> int:
        """Of one at most."""

    @property
    def at_once_ms(self) -> int:
        """What is worked on at once."""

    def edges(self, start_ms: int, end_ms: int) -> Sequence[int]:
        """Where those begin that begin in a stretch of time, and where the last of them ends."""


class Even:
    """Always as long, and a multiple of that since 1970."""

    def __init__(self, name: str, length_ms: int) -> None:
        self.name = name
        self.length_ms = length_ms
        self.at_once_ms = length_ms * AT_ONCE

    def edges(self, start_ms: int, end_ms: int) -> Sequence[int]:
        """Where they begin.

        >>> [*Even("minutes", 60).edges(1, 180)]
        [60, 120, 180]
        """
        first, last = (-(-ms // self.length_ms) * self.length_ms for ms in (start_ms, end_ms))
        return range(first, last + 1, self.length_ms)


class Days:
    """Days of a time zone, which have 23 or 25 hours, too."""

    name = "days"
    length_ms = 2 * DAY_MS  # where a zone left a day out, or had one twice
    at_once_ms = DAYS_AT_ONCE * DAY_MS

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def edges(self, start_ms: int, end_ms: int) -> Sequence[int]:
        """Where they begin."""
        day = self.day(start_ms)
        found: list[int] = []
        while not found or found[-1] < end_ms:
            begin_ms = moment_ms(day, time.min, self._zone)
            if begin_ms >= start_ms and begin_ms not in found[-1:]:
                found.append(begin_ms)
            day += timedelta(days=1)
        return found

    def day(self, ts_ms: int) -> date:
        """Which day it was."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts_ms)
        return moment.astimezone(self._zone).date()


MINUTES, HOURS = Even("minutes", 60_000), Even("hours", 3_600_000)
