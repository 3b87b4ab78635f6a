"""Moments as people read them in the log."""

from datetime import UTC, datetime, timedelta


def time_text(ts_ms: int) -> str:
    """A moment in UTC.

    >>> time_text(1_795_176_000_000)
    '2026-11-20T12:00:00+00:00'
    """
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts_ms)
    except OverflowError:  # it is damaged
        return f"{ts_ms} ms"
    return moment.isoformat(timespec="seconds")
