"""How a store bears an outage: what it costs, what is counted, what is said of it, how it ends."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.model import Reason, Sample
from agent.store import Store
from agent.store.waiting import GapClosed, Waiting
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import Stored
from tests.store.test_failures import LIMIT, messages

FULL = "memory for samples is full: the oldest are dropped from now on"


@pytest.fixture
def broken(tmp_path: Path, clock: FakeClock) -> Iterator[Stored]:
    """A store with little memory and a failed commit, and a text file in place of its folder."""
    stored = Stored(tmp_path / "data" / "telemetry.db", clock, waiting_bytes=LIMIT)
    stored.path.parent.write_text("in the way")
    stored.store.flush()
    yield stored
    stored.close()


def put_many(stored: Stored, count: int = 4000) -> None:
    """More samples than fit."""
    for number in range(count):
        stored.put(number=number)


def test_in_an_outage_samples_ask_for_no_flush_until_a_regular_one_works(
    tmp_path: Path, clock: FakeClock
) -> None:
    woken = []
    stored = Stored(tmp_path / "data" / "telemetry.db", clock, flush_interval_s=0.0)
    stored.path.parent.write_text("in the way")
    stored.store.on_append(lambda: woken.append(stored.store.flush()))

    put_many(stored, 3)
    stored.path.parent.unlink()
    stored.store.flush()
    stored.put(number=3)

    assert woken == [False, True]
    assert len(stored.values()) == 4
    stored.close()


def test_what_is_in_hand_counts_until_it_is_done() -> None:
    waiting = Waiting(LIMIT)
    waiting.append(GapClosed("press", NOON_MS))
    size = waiting.size()

    waiting.take()
    in_hand = waiting.size()
    waiting.done()

    assert (in_hand, waiting.size()) == (size, (0, 0))


def test_what_is_given_back_counts_once() -> None:
    waiting = Waiting(LIMIT)
    waiting.append(GapClosed("press", NOON_MS))
    size = waiting.size()

    waiting.give_back(*waiting.take())
    waiting.take()
    waiting.done()

    assert size[0] == 1
    assert waiting.size() == (0, 0)


def test_what_comes_while_a_commit_is_in_hand_is_bounded_with_it() -> None:
    waiting = Waiting(2500)  # six events of 400 bytes each
    for number in range(6):
        waiting.append(GapClosed("press", number))
    events, _ = waiting.take()

    for number in range(6, 12):
        waiting.append(GapClosed("press", number))
    size = waiting.size()
    waiting.done()
    left, _ = waiting.take()

    assert events == [GapClosed("press", number) for number in range(6)]
    assert size == (7, 2800)  # the newest always has room
    assert left == [GapClosed("press", 11)]


def test_dropping_is_said_once_while_it_lasts_and_counted_at_its_end(
    broken: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    for _ in range(3):
        put_many(broken)
        broken.store.flush()
    during = messages(caplog)
    broken.path.parent.unlink()

    broken.store.flush()

    dropped = broken.store.state().dropped
    end = f"{broken.path} can be written again; {dropped:,} samples dropped"
    assert during == [FULL]
    assert messages(caplog)[1:] == [end]


def test_a_second_outage_counts_its_own_drops_only(
    broken: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    put_many(broken)
    broken.path.parent.unlink()
    broken.store.flush()
    caplog.clear()
    broken.path.unlink()

    broken.put()
    broken.store.flush()
    broken.store.flush()

    assert messages(caplog)[-1] == f"{broken.path} can be written again"


def test_closing_counts_what_waits_and_what_was_dropped_before(
    broken: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    put_many(broken)
    broken.store.open_gap("press", NOON_MS, Reason.TIMEOUT)
    broken.store.flush()

    lost = broken.store.close()

    assert broken.store.state().dropped > 0
    assert lost == 4000
    assert messages(caplog)[-1] == "4,000 samples and 1 starts and ends of gaps are lost"


def test_closing_a_store_that_can_be_written_loses_nothing(stored: Stored) -> None:
    stored.put(number=1)

    assert stored.store.close() == 0

    assert stored.values() == [{"number": 1}]


def test_closing_tries_again_for_as_long_as_it_may(tmp_path: Path, clock: FakeClock) -> None:
    """Takes two waits of 0.2 s: the third try finds the file in order."""
    tries = []

    def guard() -> None:
        tries.append(clock.monotonic())
        if len(tries) < 3:
            raise StoreError("not yet")

    store = Store(tmp_path / "telemetry.db", clock, guard=guard)
    store.add_device("press", "s7", 1.0)
    store.append(Sample("press", clock.stamp(), {"level": 1}))

    lost = store.close(tries_s=10.0)

    assert (lost, len(tries)) == (0, 3)


@pytest.mark.parametrize(("step_s", "tries"), [(0.0, 3), (1.0, 1)])
def test_closing_ends_its_tries_by_the_clock_and_also_when_that_stands_still(
    tmp_path: Path, clock: FakeClock, step_s: float, tries: int
) -> None:
    """Takes two waits of 0.2 s with the clock that stands still."""
    tried = []

    def guard() -> None:
        tried.append(clock.monotonic())
        clock.advance(step_s)
        raise StoreError("never")

    store = Store(tmp_path / "telemetry.db", clock, guard=guard)
    store.add_device("press", "s7", 1.0)
    store.append(Sample("press", clock.stamp(), {"level": 1}))

    assert store.close(tries_s=0.4) == 1

    assert len(tried) == tries


def test_the_guard_is_asked_each_time_the_file_is_opened(tmp_path: Path, clock: FakeClock) -> None:
    answers: list[StoreError | None] = [StoreError("another agent writes here"), None, None]
    path = tmp_path / "telemetry.db"

    def guard() -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    store = Store(path, clock, guard=guard)
    refused = (store.flush(), path.exists(), store.state().error)
    opened = (store.flush(), store.flush(), len(answers))
    path.unlink()
    store.add_device("press", "s7", 1.0)
    store.append(Sample("press", clock.stamp(), {"level": 1}))
    again = (store.flush(), store.flush(), len(answers))

    assert refused == (False, False, "another agent writes here")
    assert opened == (True, True, 1)
    assert again == (False, True, 0)
    store.close()


def test_samples_that_come_during_a_commit_are_counted_with_it(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "telemetry.db"
    entered, go_on = threading.Event(), threading.Event()

    def guard() -> None:  # the commit hangs in the opening of the file
        entered.set()
        assert go_on.wait(10)

    store = Store(path, clock, waiting_bytes=LIMIT, guard=guard)
    store.add_device("press", "s7", 1.0)

    def append(count: int) -> None:
        for number in range(count):
            store.append(Sample("press", clock.stamp(), {"number": number}))

    append(1000)
    worker = threading.Thread(target=store.flush)
    worker.start()
    assert entered.wait(10)
    append(4000)
    state = store.state()
    go_on.set()
    worker.join(10)

    assert state.waiting == 5000 - state.dropped > 1000
    assert state.waiting_bytes <= LIMIT
    assert messages(caplog) == [
        f"memory for samples is full during a commit: {state.dropped} were dropped"
    ]
    assert store.close() == 0


@pytest.mark.parametrize("interval_s", [0.0, 10.0])
def test_the_bound_of_a_commit_that_hangs_grows_with_what_a_power_cut_would_cost(
    interval_s: float, tmp_path: Path, clock: FakeClock
) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def guard() -> None:
        entered.set()
        assert go_on.wait(10)

    path = tmp_path / "telemetry.db"
    store = Store(path, clock, flush_interval_s=interval_s, guard=guard)
    store.add_device("press", "s7", 1.0)
    store.append(Sample("press", clock.stamp(), {"number": 1}))
    clock.advance(interval_s)
    worker = threading.Thread(target=store.flush)
    worker.start()
    assert entered.wait(10)

    bounds = []
    for _ in range(3):
        bounds.append(store.state().power_cut_s)
        clock.advance(4)
    go_on.set()
    worker.join(10)

    assert bounds == [interval_s, interval_s, interval_s + 8]
    assert store.state().power_cut_s == interval_s
    store.close()
