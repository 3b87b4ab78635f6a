"""Which stretch of time a roll-up is about, and what its file is called."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo

import attrs

from agent.zones import moment_ms

DAYS = {"daily": 1, "weekly": 7}
MIDNIGHT = time(0)


@attrs.frozen
class Period:
    """``start_ms <= ts_ms < end_ms``, and the file's name without its ending."""

    start_ms: int
    end_ms: int
    stem: str


def local_date(ts_ms: int, zone: tzinfo) -> date:
    """The day that it is at a moment in ``zone``."""
    return datetime.fromtimestamp(ts_ms / 1000, zone).date()


def last_hours(span: str, now_ms: int, zone: tzinfo) -> Period:
    """The last 24 hours, or 7 days of them, named by today."""
    start_ms = now_ms - DAYS[span] * 86_400_000
    return Period(start_ms, now_ms, f"{local_date(now_ms, zone)}_{span}")


def up_to(span: str, day: date, at: time, zone: tzinfo) -> Period:
    """From the same local time a day or a week before, up to ``at`` on ``day``, named by it.

    Over a change to or from summer time that is 23 or 25 hours: roll-ups that follow each other
    leave nothing out and hold nothing twice.
    """
    start_ms = moment_ms(day - timedelta(days=DAYS[span]), at, zone)
    return Period(start_ms, moment_ms(day, at, zone), f"{day}_{span}")


def calendar_days(span: str, last_day: date, zone: tzinfo) -> Period:
    """One whole local day, or seven, the last of which gives the name."""
    first = last_day - timedelta(days=DAYS[span] - 1)
    end_ms = moment_ms(last_day + timedelta(days=1), MIDNIGHT, zone)
    return Period(moment_ms(first, MIDNIGHT, zone), end_ms, f"{last_day}_{span}")


def between(start_ms: int, end_ms: int, zone: tzinfo) -> Period:
    """A stretch that the user names; whole days lead to a short name."""
    start, end = (datetime.fromtimestamp(ms / 1000, zone) for ms in (start_ms, end_ms))
    stems = []
    for moment in (start, end):
        whole = moment.time() == MIDNIGHT
        stems.append(moment.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H%M%S"))
    return Period(start_ms, end_ms, "_".join(stems))


def day_of(period: Period) -> date:
    """The day that a daily or weekly period is named by."""
    return date.fromisoformat(period.stem.partition("_")[0])


def latest_due(now_ms: int, at: time, zone: tzinfo) -> date:
    """The newest day on which it has been ``at`` already."""
    day = local_date(now_ms, zone)
    return day if moment_ms(day, at, zone) <= now_ms else day - timedelta(days=1)


def parse_moment(text: str, zone: tzinfo) -> int:
    """A date, or a date and time with or without offset, as UTC ms.

    Raises:
        ValueError: Not ISO 8601.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return round(moment.timestamp() * 1000)


def stem_at_end(span: str, period: Period, zone: tzinfo) -> str:
    """The name of a roll-up beside the scheduled one of the day: by the local time of its end."""
    end = datetime.fromtimestamp(period.end_ms / 1000, zone)
    return f"{end:%Y-%m-%dT%H%M}_{span}"


def dates_of(stems: Iterator[str], span: str) -> Iterator[tuple[date, str]]:
    """The dates in file names of a span; other names are left out."""
    for stem in stems:
        named = stem.partition("_")[0]
        try:
            moment = datetime.fromisoformat(named)
        except ValueError:
            continue
        # Not "20261120_daily", which is a date too.
        if stem in (f"{moment.date()}_{span}", f"{moment:%Y-%m-%dT%H%M}_{span}"):
            yield moment.date(), stem
