"""Cadence: when each job runs. The only user of APScheduler, and it runs on the monotonic clock.

APScheduler asks ``datetime.now(zone)`` for the time, and that asks the zone. Ours answers with the
monotonic clock as a date, so the scheduler lives on a time line that no wall clock can bend:
measured on the plain one, a clock set back an hour stops all polls for an hour, and one set forward
a year at a 1 s interval costs 37 s of CPU and 1.9 GB. Times of day are translated to that line, and
again whenever wall and monotonic clock have moved against each other.
"""

import inspect
import logging
import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta, timezone, tzinfo
from functools import partial
from typing import Any, Protocol

from agent.clock import Clock
from agent.stand_ins import standing_in
from agent.worker import Guarded, Worker, name_thread
from agent.zones import MonotonicZone, next_time_of_day

# APScheduler asks these for one small thing each; whole, they cost 6 MB of memory and a third of
# the time in which the agent starts. Its thread and process pools and its plugins are not used.
UNUSED: dict[str, dict[str, object]] = {
    "asyncio": {"iscoroutinefunction": inspect.iscoroutinefunction},
    "multiprocessing": {},
    "concurrent.futures.process": {"BrokenProcessPool": OSError},
    "importlib.metadata": {
        "PackageNotFoundError": LookupError,
        "entry_points": lambda group: (),  # noqa: ARG005 - it is called by this name
        "version": lambda _: "3.11",
    },
}

with standing_in(UNUSED):
    from apscheduler.events import EVENT_JOB_MAX_INSTANCES
    from apscheduler.executors.base import BaseExecutor
    from apscheduler.job import Job
    from apscheduler.jobstores.base import JobLookupError
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.base import BaseTrigger
    from apscheduler.triggers.date import DateTrigger

log = logging.getLogger(__name__)

CHECK_CLOCK_S = 5.0  # how late a step of the wall clock is noticed by jobs at times of day
STEP_MS = 500
Result = float | None  # a job may ask to be called again in so many seconds


class Skipped(Protocol):
    """Told how many runs of a job were left out because it was late or still running."""

    def __call__(self, count: int, *, is_running: bool) -> None: ...


class GridTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at ``start + n x interval``; what is late is left out in one step, never made up."""

    def __init__(self, start: datetime, interval_s: float) -> None:
        self.start = start
        self.interval = timedelta(microseconds=max(1, round(interval_s * 1e6)))

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        if previous is None and now <= self.start:
            return self.start
        last = now if previous is None else max(previous, now)
        return self.start + ((last - self.start) // self.interval + 1) * self.interval

    def missed(self, due: datetime, now: datetime) -> int:
        """How many ticks between a run's due time and now were left out."""
        return max(0, (now - due) // self.interval)


class DailyTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires some time after a local time of day; on days that lack or repeat it, once."""

    def __init__(self, clock: Clock, zone: tzinfo, at: time, after_s: float = 0.0) -> None:
        self._clock = clock
        self._zone = zone
        self._at = at
        self._after_ms = round(after_s * 1000)
        self._fired_ms: int | None = None  # the newest time of day that was fired for
        self._next_ms = 0
        self._next: datetime | None = None

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        now_ms = self._clock.now_ms() - self._after_ms
        if previous is not None and previous == self._next:  # asked twice for each time it fires
            self._fired_ms = self._next_ms
        after_ms = now_ms
        # Woken a little early, the time of day that was just fired for would come again.
        if self._fired_ms is not None and 0 <= self._fired_ms - now_ms < 60_000:
            after_ms = self._fired_ms
        self._next_ms = next_time_of_day(after_ms, self._at, self._zone)
        self._next = now + timedelta(milliseconds=self._next_ms - now_ms)
        return self._next


class WorkerExecutor(BaseExecutor):  # type: ignore[misc]
    """Hands each job to its own worker."""

    def __init__(self, schedule: "Schedule") -> None:
        super().__init__()
        self._schedule = schedule

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        def task() -> None:
            try:
                self._schedule.run_job(job, run_times[-1])
            finally:
                self._run_job_success(job.id, [])

        self._schedule.workers[job.id].submit(task)


class MonotonicScheduler(BackgroundScheduler):  # type: ignore[misc]
    """Wakes often enough to see the wall clock step; ``due_s`` is when its loop must have run."""

    def __init__(self, look: Callable[[], None], now: Callable[[], float], **options: Any) -> None:
        super().__init__(**options)
        self._look = look
        self._now = now
        self.due_s: float | None = None
        self.thread: threading.Thread | None = None

    def _main_loop(self) -> None:
        name_thread("scheduler")
        self.thread = threading.current_thread()
        super()._main_loop()

    def _process_jobs(self) -> float:
        self.due_s = self._now()
        self._look()
        wait_s = super()._process_jobs()
        wait_s = CHECK_CLOCK_S if wait_s is None else min(wait_s, CHECK_CLOCK_S)
        self.due_s = self._now() + wait_s
        return wait_s


class Schedule:
    """Runs jobs, each in a thread of its own and never twice at once.

    A job may return a number of seconds after which it wants to run again, before its grid's
    next tick or after it: that is how a poller backs off.
    """

    def __init__(self, clock: Clock, zone: tzinfo = timezone.utc) -> None:  # noqa: UP017
        self._clock = clock
        self._zone = zone
        self._line = MonotonicZone(clock)
        self._functions: dict[str, Callable[[], Result]] = {}
        self._guarded = Guarded()
        self._skipped: dict[str, tuple[GridTrigger, Skipped]] = {}
        self._counted: dict[str, datetime] = {}  # the newest tick that was told of
        self._daily: dict[str, DailyTrigger] = {}
        self._offset_ms = self._wall_offset_ms()
        self.workers: dict[str, Worker] = {}
        self._stepped: list[Callable[[int], None]] = []
        self._scheduler = MonotonicScheduler(
            self._look_at_clock,
            clock.monotonic,
            timezone=self._line,
            executors={"default": WorkerExecutor(self)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(
            lambda event: self._count_left_out(
                event.job_id, event.scheduled_run_times[-1], is_running=True
            ),
            EVENT_JOB_MAX_INSTANCES,
        )
        # A job that is still running is counted by us; APScheduler would log it at every tick.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def every(
        self,
        name: str,
        interval_s: float,
        function: Callable[[], Result],
        *,
        offset_s: float = 0.0,
        skipped: Skipped | None = None,
    ) -> None:
        """Run a job now plus ``offset_s``, and then at every interval from there."""
        start = self._line.at(self._clock.monotonic() + offset_s)
        trigger = GridTrigger(start, interval_s)
        if skipped is not None:
            self._skipped[name] = trigger, skipped
        self._add(name, function, trigger, start)

    def daily(
        self, name: str, at: time, function: Callable[[], Result], after_s: float = 0.0
    ) -> None:
        """Run a job ``after_s`` seconds after a local time of day."""
        trigger = self._daily[name] = DailyTrigger(self._clock, self._zone, at, after_s)
        first = trigger.get_next_fire_time(None, self._line.at(self._clock.monotonic()))
        self._add(name, function, trigger, first)

    def once(self, name: str, after_s: float, function: Callable[[], Result]) -> None:
        """Run a job one time."""
        first = self._line.at(self._clock.monotonic() + after_s)
        self._add(name, function, DateTrigger(first, self._line), first)

    def on_demand(self, name: str, function: Callable[[], object]) -> Callable[[], None]:
        """A function that has the job run soon in its own thread; calls before that are one."""
        worker = self.workers[name] = Worker(name, self._clock.monotonic)
        waiting = threading.Event()

        def task() -> None:
            waiting.clear()
            self._guarded(name, function)

        def wake() -> None:
            if not waiting.is_set():
                waiting.set()
                worker.submit(task)

        return wake

    def on_clock_step(self, function: Callable[[int], None]) -> None:
        """Call a function, which must be quick, with the ms by which the wall clock stepped."""
        self._stepped.append(function)

    @property
    def due_s(self) -> float | None:
        """By when, on the monotonic clock, the loop must have run again; ``None``: it is not on."""
        return self._scheduler.due_s if self._scheduler.running else None

    @property
    def thread(self) -> threading.Thread | None:
        """The thread of the loop."""
        return self._scheduler.thread

    def start(self) -> None:
        """Begin to run jobs."""
        self._scheduler.due_s = self._clock.monotonic()
        self._scheduler.start()

    def stop(self, timeout_s: float) -> list[str]:
        """Start no more runs and wait for those in hand; the names of jobs that did not end."""
        end = self._clock.monotonic() + timeout_s
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for worker in self.workers.values():
            worker.stop()
        return [
            name
            for name, worker in self.workers.items()
            if not worker.join(max(0.0, end - self._clock.monotonic()))
        ]

    def run_job(self, job: Job, due: datetime) -> None:
        """One run of a job, in its worker."""
        self._count_left_out(job.id, due, is_running=False)
        again_s = self._guarded(job.id, self._functions[job.id])
        if again_s is None or not self._scheduler.running:
            return
        try:
            again = self._line.at(self._clock.monotonic() + again_s)
            self._scheduler.modify_job(job.id, next_run_time=again)
        except JobLookupError:
            log.debug("%s: the schedule was stopped meanwhile", job.id)

    def _add(
        self, name: str, function: Callable[[], Result], trigger: BaseTrigger, first: datetime
    ) -> None:
        self._functions[name] = function
        self.workers[name] = Worker(name, self._clock.monotonic)
        self._scheduler.add_job(function, trigger, id=name, name=name, next_run_time=first)

    def _count_left_out(self, name: str, due: datetime, *, is_running: bool) -> None:
        """Tell of the ticks that are over without a run of their own, of each one once."""
        if name not in self._skipped:
            return
        grid, skipped = self._skipped[name]
        last = due - grid.interval if is_running else due  # a late run is that of its own tick
        last = max(last, self._counted.get(name, last))
        count = grid.missed(last, self._line.at(self._clock.monotonic()))
        if count:
            self._counted[name] = last + count * grid.interval
            self._guarded(f"counting {name}", partial(skipped, count, is_running=is_running))

    def _wall_offset_ms(self) -> int:
        stamp = self._clock.stamp()
        return stamp.ts_ms - stamp.monotonic_ms

    def _look_at_clock(self) -> None:
        offset_ms = self._wall_offset_ms()
        step_ms = offset_ms - self._offset_ms
        if abs(step_ms) < STEP_MS:
            return
        self._offset_ms = offset_ms
        now = self._line.at(self._clock.monotonic())
        for name, trigger in self._daily.items():
            self._scheduler.modify_job(name, next_run_time=trigger.get_next_fire_time(None, now))
        for function in self._stepped:
            self._guarded("noting the step of the clock", partial(function, step_ms))
