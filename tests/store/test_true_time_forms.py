"""Blocks, batches and rows that are cut where the clock was set, and what is kept beside them."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.model import Value
from agent.store.aggregates import HOUR_MS, MINUTE_MS, QUARTER_MS
from agent.store.codec import Block
from agent.store.hours import day_of
from agent.store.query import open_to_read
from agent.store.true_time import TrueTime
from agent.store.true_time.rows import MOVED_AT_ONCE
from tests.fakes import NOON_MS
from tests.store.set_later import START_MS, Board
from tests.store.test_true_time import NEVER_SET, S

HOUR_S = 3600
LATE_MS = NOON_MS - 1234 * S  # said, where a board begins five minutes after noon


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path / "telemetry.db")
    yield made
    made.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path / "plain.db", plain=True)
    yield made
    made.close()


def aggregates_are_right(board: Board) -> bool:
    """Whether what is kept by the hour is what the blocks come to, and minutes are of blocks."""
    with closing(open_to_read(board.path)) as connection:
        kept = {
            (device, span_ms, start_ms): data
            for device, span_ms, start_ms, data in connection.execute(
                "SELECT device, span_ms, start_ms, data FROM aggregate WHERE span_ms IN (?, ?)",
                (QUARTER_MS, HOUR_MS),
            )
        }
        made = {}
        for device, start_ms in {(device, start_ms) for device, _, start_ms in kept}:
            rows = day_of(connection, device, start_ms)
            made.update({(r.device, r.span_ms, r.day_ms): r.data for r in rows if r.data})
        without = connection.execute(
            "SELECT count(*) FROM aggregate WHERE span_ms = ? AND NOT EXISTS (SELECT 1 FROM block "
            "WHERE block.id = aggregate.block AND block.device = aggregate.device "
            "AND start_ms BETWEEN first_ms - ? AND last_ms)",
            (MINUTE_MS, MINUTE_MS),
        ).fetchone()
    return content_of(kept) == content_of(made) and without == (0,)


def content_of(kept: Mapping[Any, bytes]) -> dict[Any, Any]:
    """What is in aggregates, but for columns of nothing: metrics without a value may have one."""
    found = {}
    for key, data in kept.items():
        columns = Block(data).piece().columns
        found[key] = {at: [*column] for at, column in columns.items() if any(column)}
    return found


def test_a_step_in_mid_hour_cuts_blocks_and_batches(board: Board) -> None:
    board.run_for(HOUR_S // 2, 10)
    board.run_upkeep()
    board.boot("boot 2", LATE_MS, off_s=300)
    board.run_for(HOUR_S // 2, 10)
    board.learn()
    board.run_for(2 * HOUR_S, 10)
    board.seal()
    board.run_for(30)
    cut = [b for b in board.blocks() if len({*b.block.clocks()}) > 1]

    board.mend()

    assert len(cut) == 1
    assert [len({*b.block.clocks()}) for b in board.blocks()] == [1, 1, 1]
    assert board.is_true()
    assert aggregates_are_right(board)


@pytest.mark.parametrize("said_ms", [NEVER_SET, LATE_MS, NOON_MS + 10 * HOUR_S * S])
def test_what_is_kept_by_the_hour_is_that_of_the_true_time(board: Board, said_ms: int) -> None:
    board.run_for(3 * HOUR_S, 10, "press")
    board.run_upkeep()
    board.boot("boot 2", said_ms, off_s=300)
    board.run_for(3 * HOUR_S, 10, "press")
    board.run_upkeep()
    board.learn()
    board.run_for(3 * HOUR_S, 10, "press")
    board.run_upkeep()

    assert board.is_true()
    assert aggregates_are_right(board)
    days = board.sql("SELECT DISTINCT start_ms FROM aggregate WHERE span_ms = ?", HOUR_MS)
    assert days == [(START_MS // 86_400_000 * 86_400_000,)]
    found = board.sql("SELECT min(first_ms) FROM block")
    assert found == [(START_MS,)]


def test_a_batch_in_which_the_clock_was_set_is_cut(board: Board) -> None:
    board.boot("boot 2", LATE_MS, off_s=300)
    for device in ("press", "host") * 3:
        board.put(device)
        board.wait(1)
    board.learn()
    for device in ("press", "host") * 3:
        board.put(device)
        board.wait(1)
    board.store.flush()
    before = board.count("batch")

    board.mend()

    assert (before, board.count("batch")) == (1, 2)
    assert board.is_true()


def test_layouts_that_come_and_go_are_kept_apart(board: Board) -> None:
    board.boot("boot 2", LATE_MS, off_s=300)
    for number in range(40):
        if number == 20:
            board.learn()
        values: dict[str, Value] = (
            {"a": number, "b": None} if number % 3 else {"b": "text", "c": number / 7}
        )
        board.put_values("press", values)
        board.wait(1)
    board.store.flush()
    board.seal()

    board.mend()

    assert board.is_true()


def test_a_host_that_is_not_plain_lies_in_batches_too(board: Board) -> None:
    board.store.add_device("host", "host", 1.0, plain=False)
    board.run_for(50)
    board.boot("boot 2", NEVER_SET)
    board.store.add_device("host", "host", 1.0, plain=False)
    board.run_for(50)
    board.learn()
    board.run_for(50)

    board.mend()

    assert board.count("host_row") == 0
    assert board.is_true()
    numbers = [id_ for (id_,) in board.sql("SELECT id FROM batch WHERE device = 1 ORDER BY id")]
    keys = [batch.first_key for _, batch in board.batches() if batch.device == 1]
    assert keys == sorted(keys)
    assert len(numbers) == len({*numbers})


@pytest.mark.parametrize("said_ms", [NEVER_SET, NOON_MS + 40 * S, NOON_MS + 400 * S])
def test_many_rows_are_moved_in_steps_and_are_in_order_at_any_moment(
    plain: Board, said_ms: int
) -> None:
    plain.boot("boot 2", said_ms)
    plain.run_for(3 * MOVED_AT_ONCE, 1.0)
    plain.learn()
    plain.run_for(20)
    step = TrueTime(plain.upkeep.workplace, plain.store.intervals_s)

    steps = 0
    while step():
        steps += 1
        levels = [sample.values["level"] for sample in plain.samples()]
        assert levels == [*range(len(levels))]
        assert len(levels) == len(plain.given["press"])

    assert steps > 6
    assert plain.is_true()


def test_samples_of_one_moment_stay_in_order(plain: Board) -> None:
    plain.boot("boot 2", NEVER_SET)
    for number in range(MOVED_AT_ONCE + 200):
        plain.put("press", level=number)
        if number % 7 == 0:
            plain.put("host", level=number)
        if number % 300 == 299:
            plain.wait(5)
            plain.store.flush()
    plain.wait(1)
    plain.learn()
    plain.run_for(20)

    plain.mend()

    assert plain.is_true("press")


def test_samples_are_not_lost_when_sealing_comes_between(board: Board) -> None:
    board.boot("boot 2", NEVER_SET)
    board.run_for(600)
    board.learn()
    board.run_for(60)
    step = TrueTime(board.upkeep.workplace, board.store.intervals_s)
    while board.count("clock") == 2 or not any(
        5 in batch.clocks() or 3 in batch.clocks() for _, batch in board.batches()
    ):
        step()

    board.seal()
    while step():
        pass

    assert board.is_true()


def test_a_damaged_block_costs_itself(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    board.boot("boot 2", NEVER_SET)
    board.run_for(100)
    board.seal()
    board.run_for(100)
    board.learn()
    board.run_for(20)
    board.execute("UPDATE block SET data = zeroblob(50)")
    caplog.set_level(logging.ERROR)

    board.mend()

    assert [moved.count for moved in board.moved()] == [100]


def test_where_keys_are_ahead_of_the_true_time_they_stay_in_order(board: Board) -> None:
    board.clock.set_wall(START_MS + 10**9)  # eleven days ahead
    board.clock.synchronised = False
    board.run_for(50)
    board.clock.set_wall(board.true_ms)
    board.clock.synchronised = True
    board.run_for(50)
    board.boot("boot 2", NEVER_SET)
    board.run_for(50)
    board.learn()
    board.run_for(50)

    board.mend()

    assert board.is_true("press")
    assert [moved.count for moved in board.moved()] == [50, 50]


def test_two_samples_of_a_second_before_the_clock_was_set_stay_in_order(plain: Board) -> None:
    plain.run_for(5)
    plain.boot("boot 2", START_MS + 6000, off_s=300.05)
    for pause_s in (1, 1, 1, 0.9, 0.95):
        plain.put("host")
        plain.wait(pause_s)
    plain.learn()
    plain.run_for(20)

    plain.mend()

    by_key = plain.sql("SELECT ts_ms FROM host_row ORDER BY ts")
    assert by_key == plain.sql("SELECT ts_ms FROM host_row ORDER BY ts_ms")
    assert plain.sql("SELECT max(abs(ts - ts_ms / 1000)) FROM host_row") == [(1,)]
