"""The sections of ``agent.toml`` and their defaults."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import attrs

from agent.config.faults import did_you_mean
from agent.config.options import Between, OneOf

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Names that the store's tables and views have or will have; each device is a view of its name.
RESERVED_NAMES = frozenset(
    {
        "aggregate", "batch", "block", "block_time", "catalogue", "clock", "cpu_core", "cursor",
        "device", "gap", "host_row", "journal", "layout", "meta", "metric", "process_sample",
        "row", "run", "sink", "system_sample", "training_view",
    }
)  # fmt: skip
# Tables that SQLite has in every file: a view of such a name would break the other views.
BUILT_IN_NAMES = re.compile(
    r"(sqlite|jsonb?|pragma)_.*|fts.*|rtree.*|dbstat|bytecode|tables_used", re.IGNORECASE
)
PATH_LIMIT = 4000  # characters; Linux takes 4095 bytes, and names of files follow
PLAIN_KIND = "host"  # people have queries and notebooks that read its rows
DEVICE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,47}")


@attrs.frozen
class TimeOfDay:
    """A local time of day as ``HH:MM``."""

    def allows(self, value: str) -> bool:
        return re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value) is not None

    def __str__(self) -> str:
        return 'a time from "00:00" to "23:59"'


@attrs.frozen
class TimeZone:
    """The machine's own time zone, or one by name."""

    def allows(self, value: str) -> bool:
        try:
            return value == "local" or bool(ZoneInfo(value))
        except (OSError, ValueError, KeyError):
            return False

    def hint(self, value: str) -> str:
        near = did_you_mean(value, available_timezones())
        return near if near.endswith("?") else ""

    def __str__(self) -> str:
        return '"local" or a name such as "Europe/Berlin"'


@attrs.frozen
class Folder:
    """A folder; ``~`` is the user's own, and ``words`` in braces stand for their values."""

    words: tuple[str, ...] = ()

    def allows(self, value: str) -> bool:
        rest = value
        for word in self.words:
            rest = rest.replace(f"{{{word}}}", "")
        if not value.strip() or not value.isprintable() or "{" in rest or "}" in rest:
            return False
        try:
            return len(str(Path(value).expanduser())) <= PATH_LIMIT
        except RuntimeError:  # the home of nobody
            return False

    def __str__(self) -> str:
        known = " and ".join(f"{{{word}}}" for word in self.words)
        return f"a folder, with {known} standing for their values" if known else "a folder"


@attrs.frozen
class AgentSection:
    """``[agent]``: where things are."""

    data_dir: Annotated[str, Folder()] = "data"
    timezone: Annotated[str, TimeZone()] = "local"
    log_level: Annotated[str, OneOf(("debug", "info", "warning", "error"))] = "info"


@attrs.frozen
class StoreSection:
    """``[store]``: how samples are kept."""

    flush_interval_s: Annotated[float, Between(0, 3600, "s")] = 10.0
    plain_days: Annotated[int, Between(0, 3650, "days")] = 8
    retention_days: Annotated[int, Between(0, 36500, "days")] = 365
    max_size_mb: Annotated[int, Between(50, 100_000_000, "MiB")] | None = None
    max_disk_percent: Annotated[int, Between(50, 99, "%")] = 90
    max_waiting_mb: Annotated[int, Between(1, 4096, "MiB")] = 32


@attrs.frozen
class ReportsSection:
    """``[reports]``: the CSV roll-ups."""

    time: Annotated[str, TimeOfDay()] = "07:00"
    daily: bool = True
    weekly: bool = True
    weekly_day: Annotated[str, OneOf((*WEEKDAYS, "every"))] = "monday"
    calendar: bool = False
    units: bool = False
    keep_days: Annotated[int, Between(0, 36500, "days")] = 30
    dir: Annotated[str, Folder()] = "reports"
    daily_dir: Annotated[str, Folder(("dir", "device"))] = "{dir}/{device}/daily"
    weekly_dir: Annotated[str, Folder(("dir", "device"))] = "{dir}/{device}/weekly"


@attrs.frozen
class DeviceSection:
    """What every ``[[device]]`` has; the options of its kind stand beside these."""

    name: str
    kind: str
    enabled: bool = True
    interval_s: Annotated[float, Between(0.01, 86400, "s")] | None = None
    timeout_s: Annotated[float, Between(0.05, 600, "s")] | None = None
    plain: bool | None = None


SECTIONS: Mapping[str, type[Any]] = {
    "agent": AgentSection,
    "store": StoreSection,
    "reports": ReportsSection,
}


@attrs.frozen
class DeviceConfig:
    """One device, complete: defaults of its kind filled in."""

    name: str
    kind: str
    enabled: bool
    interval_s: float
    timeout_s: float
    options: Any
    plain: bool = False  # stored as rows for a while, which any program for SQLite reads


@attrs.frozen
class Config:
    """A whole configuration, checked."""

    source: str  # the file, or "environment"
    agent: AgentSection
    store: StoreSection
    reports: ReportsSection
    devices: tuple[DeviceConfig, ...]
    data_dir: Path

    @property
    def store_path(self) -> Path:
        return self.data_dir / "telemetry.db"

    def device(self, name: str) -> DeviceConfig | None:
        """The device of that name, however its letters are cased."""
        return next((d for d in self.devices if d.name.lower() == name.lower()), None)
