"""Jobs in real time, in fractions of a second: that hang, raise or want to run again."""

import logging
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.schedule import Schedule
from tests.agent_process import wait_for

LONG_S = 10.0  # only a failing test waits so long


@pytest.fixture
def schedule() -> Iterator[Schedule]:
    schedule = Schedule(SystemClock())
    yield schedule
    schedule.stop(0.0)


class Job:
    """Counts its runs; a test waits for the n-th."""

    def __init__(self, body: Callable[[int], float | None] = lambda _: None) -> None:
        self.count = 0
        self._body = body
        self._changed = threading.Condition()

    def __call__(self) -> float | None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        return self._body(self.count)

    def reached(self, count: int) -> bool:
        """Whether so many runs came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, LONG_S)


def test_a_job_that_hangs_delays_neither_others_nor_the_end(schedule: Schedule) -> None:
    release = threading.Event()

    def hang(_: int) -> None:
        release.wait(LONG_S)

    hung, well = Job(hang), Job()
    left_out: Counter[bool] = Counter()

    def skipped(count: int, *, is_running: bool) -> None:
        left_out[is_running] += count

    schedule.every("hung", 0.01, hung, skipped=skipped)
    schedule.every("well", 0.01, well)
    schedule.start()

    assert hung.reached(1)
    assert well.reached(20)
    stuck = schedule.stop(0.05)

    release.set()
    assert stuck == ["hung"]
    assert hung.count == 1
    assert left_out[True] > 0


def test_a_job_that_raises_goes_on_at_its_next_tick_and_it_is_logged_once(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: int) -> None:
        raise ValueError("a bug")

    job = Job(fail)
    schedule.every("broken", 0.01, job)
    schedule.start()

    assert job.reached(5)

    schedule.stop(LONG_S)
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == [
        "broken failed, it runs again at its next time"
    ]


def test_a_job_that_asks_for_it_runs_again_after_so_many_seconds(schedule: Schedule) -> None:
    job = Job(lambda count: 0.01 if count < 5 else None)
    schedule.every("retry", 3600.0, job)
    schedule.start()

    assert job.reached(5)


def test_a_job_that_asks_for_a_pause_is_left_alone_so_long(schedule: Schedule) -> None:
    patient, busy = Job(lambda _: 3600.0), Job()
    schedule.every("patient", 0.01, patient)
    schedule.every("busy", 0.01, busy)
    schedule.start()

    assert patient.reached(1)
    assert busy.reached(30)

    assert patient.count <= 2  # a tick may come between its end and its wish


def test_a_job_runs_once_when_it_is_to(schedule: Schedule) -> None:
    once, busy = Job(), Job()
    schedule.once("once", 0.01, once)
    schedule.every("busy", 0.01, busy)
    schedule.start()

    assert once.reached(1)
    assert busy.reached(10)

    assert once.count == 1


def test_a_job_on_demand_runs_in_its_own_thread_and_after_a_failure_again(
    schedule: Schedule,
) -> None:
    threads: list[str] = []

    def body(count: int) -> None:
        threads.append(threading.current_thread().name)
        if count == 1:
            raise ValueError("a bug")

    job = Job(body)
    wake = schedule.on_demand("on demand", job)
    schedule.start()

    wake()
    assert job.reached(1)
    wake()
    assert job.reached(2)

    schedule.stop(LONG_S)
    assert threads == ["on demand", "on demand"]


def test_stopping_twice_or_before_the_start_is_fine(schedule: Schedule) -> None:
    schedule.every("job", 0.01, Job())

    assert schedule.stop(LONG_S) == schedule.stop(LONG_S) == []


def test_the_loop_is_due_again_soon_and_only_while_it_is_on(schedule: Schedule) -> None:
    clock = SystemClock()
    job = Job()
    schedule.every("job", 3600.0, job)
    before = schedule.due_s

    schedule.start()
    assert job.reached(1)
    due_s = wait_for(lambda: schedule.due_s)

    schedule.stop(LONG_S)
    assert before is None
    assert due_s < clock.monotonic() + LONG_S  # though the next run comes in an hour
    assert schedule.due_s is None


def test_a_loop_that_hangs_is_overdue(schedule: Schedule) -> None:
    clock = SystemClock()
    release = threading.Event()
    entered = threading.Event()

    def skipped(count: int, *, is_running: bool) -> None:
        entered.set()
        release.wait(LONG_S)

    job = Job(lambda _: release.wait(LONG_S) and None)
    schedule.every("job", 0.01, job, skipped=skipped)
    schedule.start()
    assert entered.wait(LONG_S)
    now_s = clock.monotonic()

    overdue = wait_for(lambda: clock.monotonic() > now_s and schedule.due_s)

    release.set()
    assert overdue <= now_s


def test_the_kernel_knows_the_thread_of_the_loop_by_its_name(schedule: Schedule) -> None:
    schedule.start()

    thread = wait_for(lambda: schedule.thread)

    assert wait_for(lambda: comm_of(thread) == "scheduler")


def comm_of(thread: threading.Thread) -> str:
    return Path(f"/proc/self/task/{thread.native_id}/comm").read_text().strip()


def test_the_schedule_loads_no_large_modules_and_leaves_them_whole_for_others() -> None:
    code = (
        "import sys, agent.schedule\n"
        "large = {'asyncio', 'ssl', 'multiprocessing', 'email', 'importlib.metadata'}\n"
        "print(sorted(large & set(sys.modules)))\n"
        "import asyncio, concurrent.futures.process, importlib.metadata, multiprocessing\n"
        "print(asyncio.run(asyncio.sleep(0, 1)), concurrent.futures.process.BrokenProcessPool)\n"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.splitlines() == [
        "[]",
        "1 <class 'concurrent.futures.process.BrokenProcessPool'>",
    ]
