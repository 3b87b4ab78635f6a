"""The time zone of the user: by name, or the machine's own."""

from datetime import tzinfo
from zoneinfo import ZoneInfo


def zone_of(name: str) -> tzinfo:
    """The zone of a name that the configuration has checked; ``local`` is the machine's."""
    if name != "local":
        return ZoneInfo(name)
    import tzlocal

    zone: tzinfo = tzlocal.get_localzone()
    return zone
