"""Times as the texts that people write and compare, ``2026-11-20T07:00:00.000Z``."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

DAY_MS = 86_400_000
EPOCH_DAY = date(1970, 1, 1).toordinal()
LEAST_MS = (date.min.toordinal() - EPOCH_DAY) * DAY_MS
BEYOND_MS = (date.max.toordinal() + 1 - EPOCH_DAY) * DAY_MS  # the first time that has no text
RANGE = range(LEAST_MS, BEYOND_MS)

_MINUTES = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS = tuple(f"{second:02}." for second in range(60))
_MILLISECONDS = tuple(f"{ms:03}Z" for ms in range(1000))


def iso(ts_ms: int) -> str | None:
    """ISO 8601 in UTC with milliseconds; ``None`` outside of the calendar.

    >>> iso(1_795_161_600_500)
    '2026-11-20T08:00:00.500Z'
    """
    return isos([ts_ms])[0]


def isos(times: Sequence[int]) -> list[str | None]:
    """The same of many, which mostly follow each other."""
    found: list[str | None] = []
    last, before = None, ""
    for ts_ms in times:
        minute, rest_ms = divmod(ts_ms, 60_000)
        if minute != last:
            if ts_ms not in RANGE:
                found.append(None)
                continue
            day, number = divmod(minute, 1440)
            before = date.fromordinal(day + EPOCH_DAY).isoformat() + _MINUTES[number]
            last = minute
        found.append(f"{before}{_SECONDS[rest_ms // 1000]}{_MILLISECONDS[rest_ms % 1000]}")
    return found


def first_not_before(text: str) -> int:
    """The first time whose text is not less than any text, as SQLite compares them.

    >>> first_not_before("1970-01-02"), first_not_before("1970-01-01T00:00:00.005Z")
    (86400000, 5)
    """
    return LEAST_MS + bisect_left(RANGE, text, key=lambda ts_ms: iso(ts_ms) or "")


def first_after(text: str) -> int:
    """The first time whose text is greater than a text.

    >>> first_after("1970-01-01T00:00:00.005Z")
    6
    """
    return LEAST_MS + bisect_right(RANGE, text, key=lambda ts_ms: iso(ts_ms) or "")
