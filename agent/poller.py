"""One device: read, stamp, check, store; back off when it fails, for ever."""

import logging
import math
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs

from agent.clock import Clock
from agent.devices.contract import Driver
from agent.errors import DeviceError
from agent.health import Health
from agent.model import Metric, Reason, Sample, Stamp, Value

log = logging.getLogger(__name__)

BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
JITTER = 0.2  # devices that failed together do not come back together
HANG_GRACE_S = 2.0  # a poll that takes this much longer than its time-out hangs
CLOCK_GAP_INTERVALS = 1.5
INT_LIMIT = 2**64
TEXT_LIMIT = 64 * 1024  # characters
NAME_LIMIT = 200
METRICS_LIMIT = 20_000


class Sink(Protocol):
    """Where samples and gaps go."""

    def append(self, sample: Sample) -> None: ...

    def describe(self, device: str, metrics: Sequence[Metric]) -> None: ...

    def open_gap(self, device: str, start_ms: int, reason: Reason, detail: str = "") -> None: ...

    def close_gap(self, device: str, end_ms: int) -> None: ...


@attrs.frozen
class Pace:
    """How often a device is polled, how long a poll may take, how soon it may be tried again."""

    interval_s: float
    timeout_s: float
    backoff_floor_s: float = 0.0


class Poller:
    """Polls one device; ``poll()`` is never called twice at once.

    ``left_out()`` is called from another thread while a poll runs, and is how a poll that
    hangs is noticed.
    """

    def __init__(
        self,
        name: str,
        driver: Driver,
        pace: Pace,
        clock: Clock,
        sink: Sink,
        health: Health,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._driver = driver
        self._pace = pace
        self._clock = clock
        self._sink = sink
        self._health = health
        self._jitter = jitter
        self._described: Sequence[Metric] | None = None
        self._found: Sequence[str] | None = None
        self._failures = 0
        self._last: Stamp | None = None
        self._lock = threading.Lock()
        self._began_s: float | None = None
        self._gap: Reason | None = None  # the reason of the gap that is open

    def poll(self) -> float | None:
        """One poll. Seconds until the next try when it failed, else ``None``: at the next tick."""
        stamp = self._clock.stamp()
        began_s = self._clock.monotonic()
        with self._lock:
            self._began_s = began_s
        try:
            values = checked(self._driver.read())
        except DeviceError as exc:
            return self._failed(stamp, exc)
        except Exception as exc:
            # The one place where any exception is caught: a bug in a driver costs its device.
            log.exception("%s: error in the driver of this device, please report it", self._name)
            text = f"error in the driver: {type(exc).__name__}: {exc}"
            return self._failed(stamp, DeviceError(text, Reason.BUG))
        finally:
            with self._lock:
                self._began_s = None
        self._succeeded(stamp, values, self._clock.monotonic() - began_s)
        return None

    def left_out(self, count: int, *, is_running: bool) -> None:
        """Polls that never began, because this one is still running or the machine was busy."""
        self._health.left_out(self._name, count, is_running=is_running)
        with self._lock:
            began_s = self._began_s
            if not is_running or began_s is None or self._gap is not None:
                return
            lasted_s = self._clock.monotonic() - began_s
            if lasted_s < self._pace.timeout_s + HANG_GRACE_S:
                return
            text = f"no end of a poll after {lasted_s:.0f} s, the device or its driver hangs"
            start = self._last or self._clock.stamp()
            self._begin_gap(start.ts_ms, DeviceError(text, Reason.TIMEOUT))
        self._health.ill(self._name, self._clock.now_ms(), DeviceError(text, Reason.TIMEOUT))

    def close(self) -> None:
        """Let go of the device."""
        try:
            self._driver.close()
        except Exception:  # a driver must not stop the others from being closed
            log.debug("%s: closing", self._name, exc_info=True)

    def _succeeded(self, stamp: Stamp, values: Mapping[str, Value], took_s: float) -> None:
        self._failures = 0
        if self._driver.metrics is not self._described:
            self._described = self._driver.metrics
            self._sink.describe(self._name, self._described)
        self._note_clock(stamp)
        with self._lock:
            if self._gap is not None:
                self._sink.close_gap(self._name, stamp.ts_ms)
                self._gap = None
        self._sink.append(Sample(self._name, stamp, values))
        self._last = stamp
        self._health.well(self._name, stamp.ts_ms, len(values), took_s)
        found = self._driver.describe()
        if found != self._found:
            self._found = found
            self._health.found(self._name, tuple(found))

    def _failed(self, stamp: Stamp, error: DeviceError) -> float:
        self.close()
        with self._lock:
            if self._gap is not error.reason:
                if self._gap is not None:
                    self._sink.close_gap(self._name, stamp.ts_ms)
                    self._begin_gap(stamp.ts_ms, error)
                else:
                    self._begin_gap((self._last or stamp).ts_ms, error)
        self._health.ill(self._name, stamp.ts_ms, error)
        delay_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        delay_s *= 1 + JITTER * (2 * self._jitter() - 1)
        return max(delay_s, self._pace.backoff_floor_s)

    def _begin_gap(self, start_ms: int, error: DeviceError) -> None:
        self._gap = error.reason
        self._sink.open_gap(self._name, start_ms, error.reason, str(error)[:500])

    def _note_clock(self, stamp: Stamp) -> None:
        """A gap where the wall clock was set forward between two samples."""
        last = self._last
        if last is None or self._gap is not None:
            return
        step_ms = (stamp.ts_ms - last.ts_ms) - (stamp.monotonic_ms - last.monotonic_ms)
        if step_ms > max(1000.0, CLOCK_GAP_INTERVALS * self._pace.interval_s * 1000):
            text = f"the clock was set forward by {step_ms / 1000:.0f} s"
            self._sink.open_gap(self._name, last.ts_ms, Reason.CLOCK, text)
            self._sink.close_gap(self._name, stamp.ts_ms)


def checked(values: Mapping[str, Value]) -> dict[str, Value]:
    """Values as they may be stored: finite, of our types, of sound size.

    Raises:
        DeviceError: The driver gave something that can't be stored.
    """
    if not values:
        raise DeviceError("no values in the answer")
    if len(values) > METRICS_LIMIT:
        raise DeviceError(f"{len(values)} values in one answer, allowed: {METRICS_LIMIT}")
    return {_name(name): _value(name, value) for name, value in values.items()}


def _name(name: str) -> str:
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise DeviceError(
            f"the metric name {name[:NAME_LIMIT]!r} is empty, too long or unprintable"
        )
    return name


def _value(name: str, value: Value) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        if -INT_LIMIT < value < INT_LIMIT:
            return value
        raise DeviceError(f"{name}: a whole number of more than 64 bits")
    # SQLite takes UTF-8 only, and a surrogate without its half has none.
    return value[:TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")
