"""Which part hangs, by a clock that stands still until a test moves it."""

import threading
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.progress import (
    FLUSH,
    FLUSH_SOON,
    HOUSEKEEPING,
    UPKEEP,
    Part,
    Progress,
    Sort,
    cpu_used,
    parts_of,
    stacks,
)
from agent.schedule import Schedule
from agent.worker import Worker
from tests.agent_process import wait_for
from tests.fakes import FakeClock

BOUND_S = 30.0
LOOK_S = 0.5


class Owing:
    """A part of the agent with what it says of itself."""

    def __init__(self, sort: Sort = Sort.SCHEDULER) -> None:
        self.since_s: float | None = None
        self.work = 0
        self.part = Part(
            sort, "part", BOUND_S, "part hangs for {for_s}",
            lambda: self.since_s, lambda: [threading.current_thread()], lambda: self.work,
        )  # fmt: skip


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def owing() -> Owing:
    return Owing()


@pytest.fixture
def progress(clock: FakeClock, owing: Owing) -> Progress:
    progress = Progress(clock, [owing.part])
    progress.hangs()
    return progress


def pass_time(progress: Progress, clock: FakeClock, seconds: float) -> list[str]:
    """Ask all the time, as the main thread does; what hangs in the end."""
    for _ in range(round(seconds / LOOK_S)):
        clock.advance(LOOK_S)
        progress.hangs()
    return [hang.text for hang in progress.hangs()]


def work(progress: Progress, clock: FakeClock, owing: Owing, times: int) -> list[str]:
    """The part is seen to work so often, each time just within its bound; what hangs meanwhile."""
    hangs = []
    for _ in range(times):
        owing.work += 1
        hangs += pass_time(progress, clock, BOUND_S - 1)
    return hangs


def test_a_part_that_owes_nothing_never_hangs(progress: Progress, clock: FakeClock) -> None:
    assert pass_time(progress, clock, 1000) == []


def test_a_part_hangs_when_it_owes_for_longer_than_its_bound(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()

    assert pass_time(progress, clock, BOUND_S) == []
    assert pass_time(progress, clock, 1) == ["part hangs for 31 s"]


def test_a_part_that_goes_on_hangs_no_more(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()
    pass_time(progress, clock, 100)

    owing.since_s = clock.monotonic()

    assert pass_time(progress, clock, BOUND_S) == []


def test_what_is_not_due_yet_is_not_owed(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic() + 100

    assert pass_time(progress, clock, 100 + BOUND_S) == []


def test_a_process_that_stood_still_accuses_nobody_until_all_had_their_time(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()
    pass_time(progress, clock, 20)

    clock.advance(3600)

    assert pass_time(progress, clock, BOUND_S) == []
    assert pass_time(progress, clock, 1) != []


def test_a_part_that_hangs_is_found_though_each_question_comes_late(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()

    found = []
    for _ in range(300):
        clock.advance(3.2)
        found.append(bool(progress.hangs()))

    first = found.index(True)
    assert first < 2 * BOUND_S / 3.2
    assert all(found[first:])


def test_of_pauses_soon_after_one_another_only_the_first_gives_the_whole_time_again(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()
    clock.advance(3600)
    assert pass_time(progress, clock, 20) == []

    clock.advance(3600)

    assert pass_time(progress, clock, 5) == []
    assert pass_time(progress, clock, 5) != []


def test_a_pause_long_after_another_gives_the_whole_time_again(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    clock.advance(3600)
    pass_time(progress, clock, 4 * BOUND_S)
    owing.since_s = clock.monotonic()
    pass_time(progress, clock, 20)

    clock.advance(3600)

    assert pass_time(progress, clock, BOUND_S) == []


def test_a_part_that_works_between_late_questions_does_not_hang(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    for _ in range(300):
        owing.since_s = clock.monotonic()
        clock.advance(3.2)
        assert progress.hangs() == []


def test_a_step_of_the_wall_clock_accuses_nobody(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()

    clock.set_wall(clock.now_ms() + 10**12)

    assert pass_time(progress, clock, BOUND_S) == []


def test_a_part_that_works_on_does_not_hang(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()

    assert work(progress, clock, owing, 20) == []
    assert pass_time(progress, clock, 2) == ["part hangs for 582 s"]


def test_a_part_that_works_without_end_hangs_at_last(
    progress: Progress, clock: FakeClock, owing: Owing
) -> None:
    owing.since_s = clock.monotonic()

    assert work(progress, clock, owing, 62) == []
    assert work(progress, clock, owing, 2) == ["part hangs for 1856 s"]


@pytest.mark.parametrize("name", [UPKEEP, HOUSEKEEPING])
def test_what_is_done_beside_polling_hangs_when_it_does_nothing_for_twice_the_watchdogs_time(
    name: str, clock: FakeClock
) -> None:
    release = threading.Event()
    schedule = Schedule(clock)

    def hang() -> None:
        release.wait()

    wakes = {
        each: schedule.on_demand(each, hang) for each in (FLUSH, FLUSH_SOON, HOUSEKEEPING, UPKEEP)
    }
    worker = schedule.workers[name]
    progress = Progress(clock, parts_of(schedule, {}, watchdog_s=60))
    wakes[name]()
    wait_for(lambda: "release.wait" in stacks([worker.thread]))
    wait_for(lambda: cpu_used([worker.thread]) == cpu_used([worker.thread]))

    before = pass_time(progress, clock, 119)
    after = pass_time(progress, clock, 10)

    release.set()
    schedule.stop(10)
    assert before == []
    [text] = after
    assert text.startswith(f"{name} of the store hangs: it has done nothing for 12")


def test_the_stacks_show_where_a_thread_is() -> None:
    release = threading.Event()
    worker = Worker("poll plc", SystemClock().monotonic)

    def hang() -> None:
        release.wait()

    worker.submit(hang)
    wait_for(lambda: "release.wait" in stacks([worker.thread]))

    found = stacks([worker.thread])

    release.set()
    worker.stop()
    worker.join(10)
    assert found.startswith("thread 'poll plc', the newest call last:\n")
    assert stacks([worker.thread]) == "thread 'poll plc' is no more"


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the kernel does not say")
def test_a_thread_that_computes_is_told_from_one_that_waits() -> None:
    worker = Worker("store", SystemClock().monotonic)
    before = cpu_used([worker.thread])

    worker.submit(lambda: None)
    wait_for(lambda: cpu_used([worker.thread]) != before)

    wait_for(lambda: cpu_used([worker.thread]) == cpu_used([worker.thread]))
    worker.stop()
    worker.join(10)
    assert cpu_used([worker.thread]) == ""
