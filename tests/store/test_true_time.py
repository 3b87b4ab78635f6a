"""Samples from before the clock was set get their true time, in whatever form they lie."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store import Reader
from agent.store.eras import look_again
from agent.store.moved import Moved
from tests.fakes import NOON_MS
from tests.store.set_later import START_MS, Board
from tests.store.stored import EVER

S = 1000
NEVER_SET = 20_000  # 1970
SAID = {
    "1970": NEVER_SET,
    "where it was switched off": NOON_MS + 101 * S,
    "before it was switched off": NOON_MS - 600 * S,
    "a little late": NOON_MS + 390 * S,
    "half a second late": NOON_MS + 399_500,
    "a little early": NOON_MS + 403 * S,
    "in the future": NOON_MS + 3600 * S,
}
every_start = pytest.mark.parametrize("said_ms", SAID.values(), ids=SAID)


@pytest.fixture(params=[True, False], ids=["rows", "batches"])
def plain(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def board(tmp_path: Path, *, plain: bool) -> Iterator[Board]:
    made = Board(tmp_path / "telemetry.db", plain=plain)
    yield made
    made.close()


def start_wrong(board: Board, said_ms: int, name: str = "boot 2") -> None:
    """A minute and a half, five minutes without power, and a clock that is set 40 s later."""
    board.run_for(100)
    board.boot(name, said_ms, off_s=300)
    board.run_for(40)
    board.learn()
    board.run_for(60)


@every_start
def test_samples_get_their_true_time_once_it_is_known(board: Board, said_ms: int) -> None:
    start_wrong(board, said_ms)
    before = board.is_as_said()

    board.mend()

    assert before
    assert board.is_true()


@every_start
def test_sealed_samples_do_so_too(board: Board, said_ms: int) -> None:
    start_wrong(board, said_ms)
    board.seal()

    board.mend()

    assert board.count("batch") == 0
    assert board.is_true()


@every_start
def test_the_mark_and_what_the_clock_said_are_kept(board: Board, said_ms: int) -> None:
    start_wrong(board, said_ms)

    board.mend()

    [moved] = board.moved()
    assert moved == Moved(START_MS + 400 * S, START_MS + 439 * S, START_MS + 400 * S - said_ms, 40)
    with Reader(board.path) as reader:
        early = reader.moved("press", START_MS, START_MS + 420 * S)
    assert [(each.last_ms, each.count) for each in early] == [(START_MS + 419 * S, 20)]


@every_start
def test_the_agent_goes_on_storing_behind_them(board: Board, said_ms: int) -> None:
    start_wrong(board, said_ms)
    board.mend()

    board.run_for(30)
    board.restart()
    board.run_for(30)

    assert board.is_true()
    assert board.sql("SELECT count(*) FROM row JOIN batch USING (id)") == [(0,)]


def test_seconds_of_the_host_are_true_unique_and_rise(board: Board) -> None:
    start_wrong(board, NOON_MS + 390 * S)

    board.mend()

    found = [ts for (ts,) in board.sql("SELECT ts FROM host_row ORDER BY ts")]
    assert found == [given.true_ms // S for given in board.given["host"]]


def test_each_boot_gets_its_own_time(board: Board) -> None:
    for number in range(3):
        start_wrong(board, NEVER_SET, f"boot {number + 2}")

    board.mend()

    assert board.is_true()
    assert [moved.count for moved in board.moved()] == [40, 40, 40]


def test_a_boot_that_is_over_is_mended_in_the_next_one(board: Board) -> None:
    start_wrong(board, NEVER_SET)
    board.boot("boot 3", NEVER_SET)
    board.run_for(20)

    board.mend()

    assert [moved.count for moved in board.moved()] == [40]
    board.learn()
    board.run_for(20)
    board.mend()
    assert board.is_true()


def test_a_time_that_is_never_learned_stays_as_it_was_said(board: Board) -> None:
    board.run_for(100)
    board.boot("boot 2", NEVER_SET)
    board.run_for(40)
    board.clock.set_wall(board.true_ms)  # by hand, and the kernel does not vouch for it
    board.run_for(20)

    board.mend()

    assert board.is_as_said()
    assert board.moved() == []


def test_who_sets_a_clock_that_was_right_keeps_the_times_it_said(board: Board) -> None:
    board.run_for(30)
    board.clock.set_wall(START_MS + 7200 * S)
    board.clock.synchronised = False
    board.run_for(30)
    board.learn()
    board.run_for(30)

    board.mend()

    assert board.is_as_said()


def test_of_two_times_that_both_were_true_the_first_counts(board: Board) -> None:
    board.boot("boot 2", NEVER_SET)
    board.run_for(20)
    board.learn()
    board.run_for(20)
    board.clock.set_wall(board.true_ms + 5 * S)  # and was set once more
    board.run_for(20)

    board.mend()

    assert [moved.moved_ms for moved in board.moved()] == [START_MS + 60 * S - NEVER_SET]
    assert [s.stamp.ts_ms for s in board.samples("press", START_MS, EVER[1])][:40] == [
        given.true_ms for given in board.given["press"][:40]
    ]


def test_a_clock_that_was_set_by_hand_first_is_two_wrong_ones(board: Board) -> None:
    board.run_for(10)
    board.boot("boot 2", NEVER_SET)
    board.run_for(20)
    board.clock.set_wall(board.true_ms + 1800 * S)
    board.run_for(20)
    board.learn()
    board.run_for(20)

    board.mend()

    assert board.is_true()
    assert [moved.count for moved in board.moved()] == [20, 20]


def test_where_the_kernel_cannot_be_asked_a_time_before_2025_was_wrong(board: Board) -> None:
    board.run_for(10)
    board.boot("boot 2", NEVER_SET)
    board.clock.synchronised = None
    board.run_for(20)
    board.clock.set_wall(board.true_ms)
    board.run_for(20)

    board.mend()

    assert board.is_true()


def test_where_the_kernel_cannot_be_asked_any_other_time_may_be_right(board: Board) -> None:
    board.boot("boot 2", NOON_MS - 600 * S)
    board.clock.synchronised = None
    board.run_for(20)
    board.clock.set_wall(board.true_ms)
    board.run_for(20)

    board.mend()

    assert board.is_as_said()


def test_a_sample_that_comes_after_the_others_were_moved_is_moved_too(board: Board) -> None:
    board.boot("boot 2", NEVER_SET)
    board.run_for(20)
    late = board.clock.stamp()
    board.wait(5)
    board.learn()
    board.run_for(20)
    board.mend()
    board.put_late("press", late, level=-1)
    board.store.flush()
    before = board.samples("press", 0, 10**6)

    board.mend()

    assert [sample.stamp for sample in before] == [late]
    assert board.samples("press", 0, 10**6) == []
    [moved] = board.moved()
    assert (moved.count, moved.last_ms) == (21, START_MS + 80 * S)


def test_samples_that_are_saved_from_elsewhere_are_moved_too(board: Board) -> None:
    start_wrong(board, NEVER_SET)
    board.mend()
    key = (START_MS + 99 * S) * 1000 + 900  # behind those of the boot before
    board.execute(
        "INSERT INTO row(id, device, ts_ms, layout, clock, v) "
        f"SELECT {key}, id, {NEVER_SET + 500}, 1, 2, '[1,2,3]' FROM device WHERE name = 'press'"
    )
    gaps, runs = board.gaps(), board.sql("SELECT * FROM run")
    board.store.transact(lambda writer: look_again(writer.connection))

    board.mend()

    [moved] = board.moved()
    assert moved.count == 41
    assert (board.gaps(), board.sql("SELECT * FROM run")) == (gaps, runs)


def test_rows_that_were_saved_from_a_boot_before_are_in_nobodys_way(board: Board) -> None:
    start_wrong(board, NEVER_SET)
    columns = "boot_id, monotonic_ms, ts_ms, synchronised"
    board.execute(f"INSERT INTO clock({columns}) VALUES('saved', 0, 0, 1)")
    for ts_ms in START_MS - 365 * 86_400 * S, START_MS - 200 * S:
        board.execute(
            "INSERT INTO row(id, device, ts_ms, layout, clock, v) "
            f"SELECT {ts_ms * 1000}, device.id, {ts_ms}, 1, max(clock.id), '[1,2,3]' "
            "FROM device, clock WHERE name = 'press'"
        )

    board.mend()

    [moved] = board.moved()
    assert moved.count == 40


def test_it_is_said_once_what_was_moved(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    start_wrong(board, NEVER_SET)

    for _ in range(3):
        board.mend()

    assert [
        record.getMessage() for record in caplog.records if "true time" in record.msg % record.args
    ] == [
        f"store: 40 samples of {device}, 2026-11-20T12:06 to 12:07, were stamped before the clock "
        "was set and have their true time now"
        for device in ("host", "press")
    ]


def test_upkeep_does_it(board: Board) -> None:
    start_wrong(board, NEVER_SET)

    board.run_upkeep()

    assert board.is_true()


def test_nothing_is_done_while_the_file_is_not_open(board: Board) -> None:
    start_wrong(board, NEVER_SET)
    board.store.close()

    assert board.upkeep.run() is None

    assert board.is_as_said()
