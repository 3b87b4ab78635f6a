"""The time zone of the user with its times of day, and one whose time never jumps."""

import warnings
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from agent.clock import Clock
from agent.errors import ConfigError

ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - monotonic zero as a date; no zone has it


def zone_of(name: str) -> tzinfo:
    """The zone of a name that the configuration has checked; ``local`` is the machine's.

    Raises:
        ConfigError: The machine does not know its zone, or contradicts itself.
    """
    if name != "local":
        return ZoneInfo(name)
    import tzlocal

    try:
        with warnings.catch_warnings():
            # It says in its own words that a machine has no zone set, and takes UTC: so be it.
            warnings.simplefilter("ignore")
            zone: tzinfo = tzlocal.get_localzone()
    except (KeyError, ValueError, OSError) as exc:
        # Such as TZ=CET-1CEST, or an /etc/timezone that is not what /etc/localtime is.
        lines = str(exc.args[0] if exc.args else exc).splitlines()
        why = lines[0].strip(" .") if lines else "it does not say why"
        raise ConfigError(
            f"the time zone of this machine cannot be used: {why}; "
            'name one in [agent], such as timezone = "Europe/Berlin"'
        ) from exc
    return zone


def moment_ms(day: date, at: time, zone: tzinfo) -> int:
    """When it is ``at`` on a day in ``zone``, UTC ms."""
    return round(datetime.combine(day, at, zone).timestamp() * 1000)


def next_time_of_day(after_ms: int, at: time, zone: tzinfo) -> int:
    """The first moment later than ``after_ms`` at which it is ``at`` in ``zone``, UTC ms.

    On a day that has ``at`` twice it is the first of the two.
    """
    day = datetime.fromtimestamp(after_ms / 1000, zone).date()
    while (found_ms := moment_ms(day, at, zone)) <= after_ms:
        day += timedelta(days=1)
    return found_ms


class MonotonicZone(tzinfo):
    """A zone in which it is as late as the monotonic clock says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def fromutc(self, _: datetime) -> datetime:
        return self.at(self._clock.monotonic())

    def at(self, monotonic_s: float) -> datetime:
        """A monotonic time as a date in this zone."""
        return (ORIGIN + timedelta(seconds=monotonic_s)).replace(tzinfo=self)

    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(0)

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, _: datetime | None) -> str:
        return "monotonic"
