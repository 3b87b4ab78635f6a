"""Builds every part, runs them, and stops them in reverse order."""

import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from queue import Empty, SimpleQueue
from typing import Any

import attrs

from agent import __version__
from agent.beginning import FirstSample
from agent.clock import Clock, SystemClock, cpu_s
from agent.config import Config, DeviceConfig
from agent.devices.contract import Kind
from agent.errors import AgentError, StoreError
from agent.health import DeviceHealth, Health
from agent.housekeeping import Housekeeping
from agent.poller import Pace, Poller
from agent.progress import FLUSH, FLUSH_SOON, HOUSEKEEPING, PAUSE_S, UPKEEP, Sort, poll_of
from agent.reports import Reports
from agent.schedule import Schedule
from agent.service.notify import Notify
from agent.service.restarts import Restarts, folder_of
from agent.service.summary import summary
from agent.state import DataLock, StateFile
from agent.store import bound_text
from agent.storekeeping import store_of, upkeep_of
from agent.watchdog import Watchdog, watchdog_of
from agent.worker import Guarded
from agent.written import Written
from agent.zones import zone_of

log = logging.getLogger(__name__)

STOP_S = 2.5  # how long polls in hand may take to end
LAST_TRY_S = 3.5  # until then a locked store is tried again; a try takes 1 s, and all is below 5 s
OPEN_WITHIN_S = 0.5  # the first sample opens the store: one commit for both; it may not come soon
READY_WITHIN_S = 5.0  # a store that takes longer to open does not hold up the machine's start
STOP_LIMIT_S = 10.0  # how long stopping takes at most when the disk is well
STOP_BYTES_PER_S = 200_000  # and a bad card needs so long for what waits
STATE_INTERVAL_S = 2.0
RETRY_FLUSH_S = 10.0  # at most this long after a failed commit comes the next
HOUSEKEEPING_S, FIRST_HOUSEKEEPING_S = 3600.0, 60.0
UPKEEP_S, FIRST_UPKEEP_S = 60.0, 30.0
REPORTS_AFTER_START_S = 15.0
REPORTS_EARLY_S = 1.0  # the clock may be set back by less than is noticed, just before their time
REPORTS_WAIT_S = 60.0  # at most this long after their time reports wait for polls to end
SPREAD_S = 1.0  # devices begin within this time, so that their polls do not fall together
SWITCH_S = 0.001  # how long a thread may keep the interpreter while another is due

Kinds = Mapping[str, Callable[[], Kind]]


class App:
    """A whole agent; ``run()`` returns when it was told to stop."""

    def __init__(
        self,
        config: Config,
        kinds: Kinds,
        clock: Clock | None = None,
        notify: Notify | None = None,
    ) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._notify = notify or Notify({})
        self._started_ms = self._clock.now_ms()
        self._lock = DataLock(config.data_dir)
        self._lock.hold()
        # put() may interrupt itself, in signal handlers too; an Event's set() would wait for ever.
        self._wakes: SimpleQueue[bool] = SimpleQueue()  # of the main thread; True: stop
        zone = zone_of(config.agent.timezone)
        self.health = Health(self._clock)
        self.store = store_of(config, self._clock, self._hold_lock)
        self._schedule = Schedule(self._clock, zone)
        devices = [device for device in config.devices if device.enabled]
        self._reports_after_s = _reports_after_s(devices)
        # Less than what the schedule waits: it may wake a little early.
        wait_s = self._reports_after_s / 2
        self._reports = Reports(config, self._clock, zone, flush=self.store.flush, wait_s=wait_s)
        keep_days = config.store.retention_days
        self._housekeeping = Housekeeping(self.store, self._reports, self._clock, keep_days)
        self._upkeep, self._space = upkeep_of(config, self.store, self._clock)
        self._written = Written(self._clock, zone)
        self._state = StateFile(config.data_dir)
        self._pollers = {device.name: self._poller(device, kinds) for device in devices}
        self._plan(devices)
        self._looked_s = self._clock.monotonic()
        self._store_tried = threading.Event()
        self._writing_state = threading.Lock()
        self._guarded = Guarded()
        self._watchdog = self._watch(devices)

    def run(self, duration_s: float | None = None) -> int:
        """Poll until ``stop()`` is called, or for ``duration_s``; how many samples were lost."""
        # A poll that is due waits for whichever thread computes: 5 ms by default, times many.
        sys.setswitchinterval(SWITCH_S)
        try:
            self.store.open_journal()
            self._say_started()
            self._schedule.start()
            self._wait(math.inf if duration_s is None else duration_s)
        finally:
            lost = self._shut_down()
        return lost

    def stop(self) -> None:
        """Have ``run()`` return soon; safe in a signal handler, twice is fine."""
        self._wakes.put(True)

    def _wait(self, duration_s: float) -> None:
        """Until it was told to stop, or so long; meanwhile this thread looks after the others.

        The kernel hands a signal to any thread, but Python's handler runs in the main one, and
        only once that wakes: without a bound, one SIGTERM in thirty was never seen under load.
        """
        began_s = self._clock.monotonic()
        end_s = began_s + duration_s
        while (left_s := end_s - self._clock.monotonic()) > 0:
            try:
                if self._wakes.get(timeout=min(left_s, self._watchdog.look_s)):
                    return
            except Empty:
                pass
            if self._store_tried.is_set() or self._clock.monotonic() - began_s > READY_WITHIN_S:
                self._guarded("telling systemd", self._watchdog.ready)
            self._guarded("looking for what hangs", self._look_for_hangs)

    def _look_for_hangs(self) -> None:
        self._watchdog.look()
        if any(hang.part.sort is Sort.SCHEDULER for hang in self._watchdog.hangs):
            self._look()  # nobody else has it done

    def _watch(self, devices: Sequence[DeviceConfig]) -> Watchdog:
        return watchdog_of(
            self._schedule,
            {device.name: device.timeout_s for device in devices},
            self._clock,
            self._notify,
            Restarts(folder_of(os.environ), self._clock),
            lambda hung: summary(self._devices(), self.store.state(), hung),
        )

    def _poller(self, device: DeviceConfig, kinds: Kinds) -> Poller:
        kind = kinds[device.kind]()
        driver = kind.driver(device.options, device.timeout_s)
        pace = Pace(device.interval_s, device.timeout_s, kind.backoff_floor_s)
        self.store.add_device(device.name, device.kind, device.interval_s, plain=device.plain)
        self.health.add_device(device.name, device.kind, device.interval_s)
        return Poller(device.name, driver, pace, self._clock, self.store, self.health)

    def _plan(self, devices: list[DeviceConfig]) -> None:
        self._flush_soon = self._schedule.on_demand(FLUSH_SOON, self._flush_now)
        self.store.on_append(self._flush_soon)
        first_sample = FirstSample(self._flush_soon)
        for number, device in enumerate(devices):
            poller = self._pollers[device.name]
            self._schedule.every(
                poll_of(device.name),
                device.interval_s,
                first_sample.noting(poller.poll),
                offset_s=min(device.interval_s, SPREAD_S) * number / len(devices),
                skipped=poller.left_out,
            )
        flush_s = self._config.store.flush_interval_s
        self._schedule.every(FLUSH, flush_s or 1.0, self._flush, offset_s=flush_s)
        # Neither polls nor stop() wait for a slow card, and in most runs it is open by then.
        self._schedule.once("open store", OPEN_WITHIN_S, self._open_store)
        self._schedule.every("state", STATE_INTERVAL_S, self._look)
        self._schedule.every(
            HOUSEKEEPING, HOUSEKEEPING_S, self._housekeeping.run, offset_s=FIRST_HOUSEKEEPING_S
        )
        self._schedule.every(UPKEEP, UPKEEP_S, self._upkeep.run, offset_s=FIRST_UPKEEP_S)
        self._plan_reports()

    def _plan_reports(self) -> None:
        at = time.fromisoformat(self._config.reports.time)
        # One worker makes them, whoever asks: two at once would make the same report twice.
        make_due = self._schedule.on_demand("make reports", self._reports.make_due)

        def clock_stepped(step_ms: int) -> None:
            self._housekeeping.clock_stepped(step_ms)
            make_due()

        # A poll that began before that time of day ends after it, and belongs to that report.
        self._schedule.daily("reports", at, make_due, self._reports_after_s)
        self._schedule.once("reports at start", REPORTS_AFTER_START_S, make_due)
        self._schedule.on_clock_step(clock_stepped)

    def _flush(self) -> float | None:
        if self.store.flush():
            return None
        return min(RETRY_FLUSH_S, self._config.store.flush_interval_s or 1.0)

    def _flush_now(self) -> None:
        try:
            self.store.flush()
        finally:
            if not self._store_tried.is_set():
                self._store_tried.set()
                self._wakes.put(False)

    def _open_store(self) -> None:
        if not self._store_tried.is_set():
            self._flush_soon()

    def _say_started(self) -> None:
        count = len(self._pollers)
        store = self.store.state()
        bound = bound_text(store.power_cut_s, has_journal=store.journal is not None)
        log.info(
            "agent %s: polling %d device%s into %s; %s",
            __version__, count, "" if count == 1 else "s", self.store.path, bound,
        )  # fmt: skip
        if not count:
            log.warning("no device is configured and enabled: nothing will be polled")

    def _hold_lock(self) -> None:
        """Before the store's file is opened: the folder may not have been there at the start."""
        try:
            self._lock.hold()
        except AgentError as exc:
            raise StoreError(str(exc)) from exc

    def _shut_down(self) -> int:
        log.info("stopping")
        waiting_bytes = self.store.state().waiting_bytes
        self._watchdog.stopping(STOP_LIMIT_S + waiting_bytes / STOP_BYTES_PER_S)
        end_s = self._clock.monotonic() + LAST_TRY_S
        self._upkeep.stop()
        stuck = self._schedule.stop(STOP_S)
        for name in stuck:
            log.warning("%s did not end in time and is left behind", name)
        for name, poller in self._pollers.items():
            if poll_of(name) not in stuck:
                poller.close()
        try:
            return self.store.close(tries_s=max(0.0, end_s - self._clock.monotonic()))
        finally:
            self._state.remove()
            self._lock.release()
            self._notify.close()
            log.info("stopped")

    def _look(self) -> None:
        now_s, before_s = self._clock.monotonic(), self._looked_s
        self._looked_s = now_s
        if now_s - before_s < PAUSE_S + STATE_INTERVAL_S:  # else the machine stood still
            for poller in self._pollers.values():
                poller.look_for_hang()
        if self._writing_state.acquire(blocking=False):  # the main thread may want it, too
            try:
                self._state.write(self.state())
            finally:
                self._writing_state.release()

    def _devices(self) -> list[DeviceHealth]:
        return self.health.devices(self._watchdog.hanging_devices)

    def state(self) -> dict[str, Any]:
        """What ``agent status`` shows of a running agent."""
        return {
            "version": __version__,
            "pid": os.getpid(),
            "config": self._config.source,
            "data_dir": str(self._config.data_dir),
            "started_ms": self._started_ms,
            "now_ms": self._clock.now_ms(),
            "clock_synchronised": self._clock.is_synchronised(),
            "cpu_s": round(cpu_s(), 3),
            "hangs": self._watchdog.state(),
            "store": attrs.asdict(self.store.state()),
            "space": [*self._space.texts, *self._housekeeping.texts],
            "written": self._written.state(),
            "devices": [device.state() for device in self._devices()],
        }


def _reports_after_s(devices: Sequence[DeviceConfig]) -> float:
    """How long after their time reports are made: polls in hand then belong to them."""
    slowest_s = max((device.timeout_s for device in devices), default=0.0)
    return max(REPORTS_EARLY_S, min(2 * slowest_s, REPORTS_WAIT_S))
