"""Gaps that were noted while the clock was wrong say afterwards what was true."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.model import Reason
from agent.store import Reader
from tests.fakes import NOON_MS
from tests.store.set_later import START_MS, Board
from tests.store.test_true_time import NEVER_SET, S, every_start

DOWN, CLOCK, TIMEOUT = map(str, (Reason.AGENT_DOWN, Reason.CLOCK, Reason.TIMEOUT))


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path / "telemetry.db")
    yield made
    made.close()


def start_wrong(board: Board, said_ms: int) -> None:
    board.run_for(100)
    board.boot("boot 2", said_ms, off_s=300)


def set_clock(board: Board) -> None:
    """As the poller notes it."""
    board.wait(-1)
    last_ms = board.clock.now_ms()
    board.wait(1)
    board.learn()
    if board.true_ms - last_ms > 1500:
        for device in ("press", "host"):
            board.store.open_gap(device, last_ms, Reason.CLOCK, "the clock was set forward")
            board.store.close_gap(device, board.true_ms)


@every_start
def test_the_agent_was_down_from_the_last_sample_to_its_true_start(
    board: Board, said_ms: int
) -> None:
    start_wrong(board, said_ms)
    board.run_for(40)
    set_clock(board)
    board.run_for(60)

    board.mend()

    assert board.seconds("press") == board.seconds("host") == [(99, 400, DOWN)]


@every_start
def test_it_stays_so_when_the_agent_goes_on_and_starts_again(board: Board, said_ms: int) -> None:
    start_wrong(board, said_ms)
    board.run_for(40)
    set_clock(board)
    board.run_for(10)
    board.mend()
    board.run_for(10)
    board.wait(30)
    board.restart()
    board.run_for(10)

    assert board.seconds("press") == [(99, 400, DOWN), (459, 490, DOWN)]


@every_start
def test_the_file_may_be_opened_anew_in_the_same_run(board: Board, said_ms: int) -> None:
    start_wrong(board, said_ms)
    board.run_for(40)
    set_clock(board)
    board.run_for(10)
    board.mend()
    with pytest.raises(ZeroDivisionError):
        board.store.transact(lambda _: 1 // 0)
    board.run_for(10)

    assert board.seconds("press") == [(99, 400, DOWN)]
    assert board.count("run") == 2
    with Reader(board.path) as reader:
        assert reader.runs(1)[0].start_ms == START_MS + 400 * S


@every_start
def test_failures_while_the_clock_was_wrong_are_moved(board: Board, said_ms: int) -> None:
    start_wrong(board, said_ms)
    board.run_for(10)
    board.store.open_gap("press", board.clock.now_ms() - S, Reason.TIMEOUT, "no answer")
    board.run_for(10, 1.0, "host")
    board.run_for(20)
    set_clock(board)
    board.run_for(60)

    board.mend()

    assert board.seconds("press") == [(99, 400, DOWN), (409, 420, TIMEOUT)]


@every_start
def test_a_failure_that_lasts_while_the_clock_is_set_is_told_on_both_sides(
    board: Board, said_ms: int
) -> None:
    start_wrong(board, said_ms)
    board.run_for(10)
    board.store.open_gap("press", board.clock.now_ms() - S, Reason.TIMEOUT, "no answer")
    board.run_for(10, 1.0, "host")
    step_ms = board.clock.now_ms()
    board.learn()
    board.store.close_gap("press", step_ms)
    if board.true_ms - step_ms > 1500:
        board.store.open_gap("press", step_ms, Reason.CLOCK, "the clock was set forward")
        board.store.close_gap("press", board.true_ms)
    board.store.open_gap("press", board.true_ms, Reason.TIMEOUT, "no answer")
    board.run_for(10, 1.0, "host")
    board.run_for(20)

    board.mend()

    gaps = board.seconds("press")
    assert gaps == [(99, 400, DOWN), (409, 420, TIMEOUT), (420, 430, TIMEOUT)]


@every_start
def test_an_agent_that_began_again_while_the_clock_was_wrong_was_down_twice(
    board: Board, said_ms: int
) -> None:
    start_wrong(board, said_ms)
    board.run_for(20)
    board.wait(30)
    board.restart()
    board.run_for(20)
    set_clock(board)
    board.run_for(60)

    board.mend()

    assert sorted(board.seconds("press")) == [(99, 400, DOWN), (419, 450, DOWN)]


@every_start
def test_an_agent_that_began_again_when_the_clock_was_set_was_down_twice(
    board: Board, said_ms: int
) -> None:
    start_wrong(board, said_ms)
    board.run_for(20)
    board.wait(30)
    board.learn()
    board.restart()
    board.run_for(20)

    board.mend()

    assert sorted(board.seconds("press")) == [(99, 400, DOWN), (419, 450, DOWN)]


@every_start
def test_a_device_that_was_heard_of_late_was_not_without_an_agent(
    board: Board, said_ms: int
) -> None:
    start_wrong(board, said_ms)
    board.store.open_gap("press", board.clock.now_ms(), Reason.REFUSED, "nobody is there")
    board.run_for(20, 1.0, "host")
    step_ms = board.clock.now_ms()
    board.learn()
    board.store.close_gap("press", step_ms)
    board.store.open_gap("press", board.true_ms, Reason.REFUSED, "nobody is there")
    board.run_for(20)

    board.mend()

    assert sorted(board.seconds("press")) == [(99, 400, DOWN), (400, 420, "refused")]


def test_gaps_of_boots_before_stay_as_they_are(board: Board) -> None:
    board.boot("boot 2", NEVER_SET)
    board.run_for(10)
    board.store.open_gap("press", board.clock.now_ms(), Reason.TIMEOUT, "no answer")
    board.run_for(10, 1.0, "host")
    board.run_for(10)
    never_learned = board.seconds("press")
    board.boot("boot 3", NEVER_SET)
    board.run_for(40)
    board.learn()
    board.run_for(10)

    board.mend()

    assert [gap for gap in board.seconds("press") if gap[2] == TIMEOUT] == never_learned


def test_gaps_of_boots_behind_stay_as_they_are(board: Board) -> None:
    start_wrong(board, NEVER_SET)
    board.run_for(20)
    board.learn()
    board.run_for(20)
    board.boot("boot 3", NEVER_SET)
    board.store.open_gap("press", NEVER_SET + 5 * S, Reason.TIMEOUT, "no answer")
    board.run_for(10, 1.0, "host")
    board.run_for(10)

    board.mend()

    said = ((NEVER_SET + 5 * S - START_MS) / S, (NEVER_SET + 10 * S - START_MS) / S, TIMEOUT)
    assert said in board.seconds("press")


def test_a_file_that_is_new_has_no_gap_before_its_first_run(board: Board) -> None:
    board.clock.set_wall(NOON_MS - 10**9)
    board.clock.synchronised = False
    board.restart()
    board.run_for(20)
    set_clock(board)
    board.run_for(20)

    board.mend()

    assert board.seconds("press") == []
    assert board.is_true()


def test_gaps_are_moved_also_where_no_sample_was_read(board: Board) -> None:
    start_wrong(board, NEVER_SET)
    for device in ("press", "host"):
        board.store.open_gap(device, NEVER_SET, Reason.REFUSED, "nobody is there")
    board.store.flush()
    board.wait(20)
    board.learn()
    for device in ("press", "host"):
        board.store.close_gap(device, NEVER_SET + 20 * S)
        board.store.open_gap(device, NEVER_SET + 20 * S, Reason.CLOCK, "was set")
        board.store.close_gap(device, board.true_ms)
    board.run_for(20)

    board.mend()

    assert sorted(board.seconds("press")) == [(99, 400, DOWN), (400, 420, "refused")]
