"""The values that every part hands to the next."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

Value = float | int | bool | str | None


GAP_INTERVALS = 1.5  # a stretch without samples longer than so many intervals is a gap

# Columns beside the metrics, in views and reports; no metric may have these names.
RESERVED_METRICS = frozenset({"time", "ts", "ts_ms"})


class MetricType(StrEnum):
    """What a metric's values are, as far as it is known before the first read."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    TEXT = "text"


class Reason(StrEnum):
    """Why a device has no samples for a stretch of time."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    BAD_DATA = "bad data"
    CLOCK = "clock"
    AGENT_DOWN = "agent down"
    STORE = "store"
    DAMAGED = "damaged"
    RETENTION = "retention"
    BUG = "agent error"


@attrs.frozen
class Metric:
    """One named value that a device offers; ``unit`` is empty where there is none."""

    name: str
    unit: str = ""
    type: MetricType = MetricType.FLOAT
    help: str = ""


@attrs.frozen
class Stamp:
    """One moment on both clocks: UTC milliseconds since 1970 and milliseconds since boot."""

    ts_ms: int
    monotonic_ms: int


@attrs.frozen
class Sample:
    """All values of one device at one moment.

    A metric that is absent was not offered; one that is ``None`` was offered and is invalid.
    """

    device: str
    stamp: Stamp
    values: Mapping[str, Value]


@attrs.frozen
class Gap:
    """A stretch without samples; ``end_ms`` is ``None`` while it lasts."""

    device: str
    start_ms: int
    end_ms: int | None
    reason: Reason
    detail: str = ""
