"""One device: read, stamp, check, store; back off when it fails, for ever."""

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Protocol

import attrs

from agent.clock import Clock
from agent.devices.contract import Driver
from agent.errors import DeviceError
from agent.health import Health
from agent.model import GAP_INTERVALS, Metric, Reason, Sample, Stamp, Value

log = logging.getLogger(__name__)

BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
JITTER = 0.2  # devices that failed together do not come back together
HANG_GRACE_S = 2.0  # a poll that takes this much longer than its time-out hangs
STEP_MS = 1000.0  # a step of the clock by less is none
DETAIL_LIMIT = 500  # characters
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


@attrs.frozen
class Reading:
    """What a driver says after a poll; ``found`` only when it has connected anew."""

    values: Mapping[str, Value]
    metrics: Sequence[Metric]
    found: tuple[str, ...] | None
    warnings: tuple[str, ...]


class Poller:
    """Polls one device; ``poll()`` is never called twice at once.

    ``left_out()`` and ``look_for_hang()`` are called from other threads while a poll runs.
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
        self._is_described = False  # since the driver connected
        self._failures = 0
        self._before: Stamp | None = None  # of the poll before
        self._newest_ms: int | None = None  # the latest wall time of any poll
        self._took_s = 0.0
        self._last: Stamp | None = None  # up to here the time is told of, by samples and gaps
        self._lock = threading.Lock()
        self._began: Stamp | None = None  # of the poll that runs
        self._gap: DeviceError | None = None  # why the gap that is open began

    def poll(self) -> float | None:
        """One poll. Seconds until the next try when it failed, else ``None``: at the next tick."""
        stamp = self._clock.stamp()
        began_s = self._clock.monotonic()
        self._note_time(stamp)
        with self._lock:
            self._began = stamp
        try:
            reading = self._read()
        except DeviceError as exc:
            return self._failed(stamp, exc)
        except Exception as exc:
            # The one place where any exception is caught: a bug in a driver costs its device.
            is_known = self._gap is not None and self._gap.reason is Reason.BUG
            log.log(
                logging.DEBUG if is_known else logging.ERROR,
                "%s: error in the driver of this device, please report it",
                self._name,
                exc_info=True,
                extra={"device": self._name},
            )
            text = f"error in the driver: {type(exc).__name__}: {exc}"
            return self._failed(stamp, DeviceError(text, Reason.BUG))
        finally:
            self._took_s = self._clock.monotonic() - began_s
            with self._lock:
                self._began = None
        self._succeeded(stamp, reading)
        return None

    def left_out(self, count: int, *, is_running: bool) -> None:
        """Polls that never began, because this one is still running or the machine was busy."""
        self._health.left_out(self._name, count, is_running=is_running)

    def look_for_hang(self) -> None:
        """Begin a gap when the poll that runs should have ended long ago."""
        with self._lock:
            began = self._began
            if began is None or self._gap is not None:
                return
            lasted_s = self._clock.monotonic() - began.monotonic_ms / 1000
            if lasted_s < self._hangs_after_s:
                return
            text = f"no end of a poll after {lasted_s:.0f} s, the device or its driver hangs"
            self._begin_gap(began.ts_ms, DeviceError(text, Reason.TIMEOUT))
            # Inside the lock: a poll that ends now says afterwards that the device is well.
            self._health.ill(self._name, began.ts_ms, DeviceError(text, Reason.TIMEOUT))

    def close(self) -> None:
        """Let go of the device."""
        try:
            self._driver.close()
        except Exception:  # a driver must not stop the others from being closed
            about = {"device": self._name}
            log.debug("%s: closing", self._name, exc_info=True, extra=about)

    def _read(self) -> Reading:
        values = checked(self._driver.read())
        found = None if self._is_described else tuple(self._driver.describe())
        return Reading(values, self._driver.metrics, found, tuple(self._driver.warnings()))

    def _succeeded(self, stamp: Stamp, reading: Reading) -> None:
        self._failures = 0
        if reading.metrics is not self._described:
            self._described = reading.metrics
            self._sink.describe(self._name, self._described)
        with self._lock:
            if self._gap is not None:
                self._sink.close_gap(self._name, stamp.ts_ms)
                self._gap = None
        self._sink.append(Sample(self._name, stamp, reading.values))
        self._last = stamp
        self._health.well(self._name, stamp.ts_ms, len(reading.values), self._took_s)
        if reading.found is not None:
            self._is_described = True
            self._health.found(self._name, reading.found)
        self._health.warned(self._name, reading.warnings)

    def _failed(self, stamp: Stamp, error: DeviceError) -> float:
        self.close()
        self._is_described = False
        with self._lock:
            if self._gap is None or self._gap.reason is not error.reason:
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
        self._gap = error
        self._sink.open_gap(self._name, start_ms, error.reason, str(error)[:DETAIL_LIMIT])

    def _note_time(self, stamp: Stamp) -> None:
        """Gaps since the poll before that no poll tells of."""
        before, newest_ms = self._before, self._newest_ms
        self._before = stamp
        if before is None or newest_ms is None:
            self._newest_ms = stamp.ts_ms
            return
        self._newest_ms = max(newest_ms, stamp.ts_ms)
        gap_ms = GAP_INTERVALS * self._pace.interval_s * 1000
        passed_ms = stamp.monotonic_ms - before.monotonic_ms
        with self._lock:
            if abs(stamp.ts_ms - before.ts_ms - passed_ms) > max(STEP_MS, gap_ms):
                self._note_step(before.ts_ms + passed_ms, stamp, newest_ms)
            elif self._gap is None and passed_ms > gap_ms + 1000 * self._hangs_after_s:
                self._note_pause(before, stamp, passed_ms / 1000)

    def _note_step(self, before_ms: int, stamp: Stamp, newest_ms: int) -> None:
        """The wall clock was set, from ``before_ms``: a gap that lasts goes on from the new time.

        What was skipped is a gap too, but not where there are samples from before the clock was
        set back.
        """
        lasting = self._gap
        if lasting is not None:
            self._sink.close_gap(self._name, before_ms)
            newest_ms = max(newest_ms, before_ms)
        step_ms = stamp.ts_ms - newest_ms
        if step_ms > max(STEP_MS, GAP_INTERVALS * self._pace.interval_s * 1000):
            text = f"the clock was set forward by {(stamp.ts_ms - before_ms) / 1000:.0f} s"
            self._sink.open_gap(self._name, newest_ms, Reason.CLOCK, text)
            self._sink.close_gap(self._name, stamp.ts_ms)
        if lasting is not None:
            self._begin_gap(stamp.ts_ms, lasting)
        self._last = stamp

    def _note_pause(self, before: Stamp, stamp: Stamp, passed_s: float) -> None:
        """Nothing was polled for long, though no poll failed."""
        reason, text = Reason.AGENT_DOWN, f"nothing was polled for {passed_s:.0f} s"
        if self._took_s > self._hangs_after_s:
            reason, text = Reason.TIMEOUT, f"a poll took {self._took_s:.0f} s"
        self._sink.open_gap(self._name, before.ts_ms, reason, text)
        self._sink.close_gap(self._name, stamp.ts_ms)
        self._last = stamp

    @property
    def _hangs_after_s(self) -> float:
        return self._pace.timeout_s + HANG_GRACE_S


def checked(values: Mapping[str, Value]) -> dict[str, Value]:
    """Values as they may be stored: finite, of our types, of sound size.

    Raises:
        DeviceError: The driver gave something that can't be stored.
    """
    if not values:
        raise DeviceError("no values in the answer")
    if len(values) > METRICS_LIMIT:
        raise DeviceError(f"{len(values)} values in one answer, allowed: {METRICS_LIMIT}")
    return {
        _name(name): value if type(value) is float and isfinite(value) else _value(name, value)
        for name, value in values.items()
    }


@lru_cache(maxsize=METRICS_LIMIT)  # the same names come at every poll
def _name(name: str) -> str:
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise DeviceError(
            f"the metric name {name[:NAME_LIMIT]!r} is empty, too long or unprintable"
        )
    return name


def _value(name: str, value: Value) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if -INT_LIMIT < value < INT_LIMIT:
            return value
        raise DeviceError(f"{name}: a whole number of more than 64 bits")
    if isinstance(value, float):
        return value if isfinite(value) else None
    # SQLite takes UTF-8 only, and a surrogate without its half has none.
    return value[:TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")
