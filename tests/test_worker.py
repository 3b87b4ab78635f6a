"""One thread for one job: what others see of it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.worker import Worker
from tests.agent_process import wait_for
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def worker(clock: FakeClock) -> Iterator[Worker]:
    worker = Worker("poll heat-pump-in-the-cellar", clock.monotonic)
    yield worker
    worker.stop()
    assert worker.join(10)


def test_a_worker_without_a_task_owes_nothing(worker: Worker) -> None:
    assert worker.busy_since_s is None


def test_each_task_is_in_hand_from_its_own_beginning(worker: Worker, clock: FakeClock) -> None:
    begun, release = threading.Semaphore(0), threading.Semaphore(0)

    def task() -> None:
        begun.release()
        release.acquire()

    since_s = []
    worker.submit(task)
    worker.submit(task)
    for _ in range(2):
        assert begun.acquire(timeout=10)
        since_s.append(worker.busy_since_s)
        clock.advance(5)
        release.release()

    assert since_s == [1000.0, 1005.0]
    assert wait_for(lambda: worker.busy_since_s is None)


def test_a_task_that_no_thread_takes_is_owed(clock: FakeClock) -> None:
    worker = Worker("gone", clock.monotonic)
    worker.stop()
    assert worker.join(10)

    worker.submit(lambda: None)
    clock.advance(5)

    assert worker.busy_since_s == 1000.0


def test_the_kernel_knows_a_thread_by_the_beginning_of_its_name(worker: Worker) -> None:
    path = Path(f"/proc/self/task/{worker.thread.native_id}/comm")

    assert wait_for(lambda: path.read_text() == "poll heat-pump-\n")
