"""The time zone of the user, and times of day in it."""

from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from agent.errors import ConfigError


def zone_of(name: str) -> tzinfo:
    """The zone of a name that the configuration has checked; ``local`` is the machine's.

    Raises:
        ConfigError: The machine does not know its zone, or contradicts itself.
    """
    if name != "local":
        return ZoneInfo(name)
    import tzlocal

    try:
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
