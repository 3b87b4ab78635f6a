"""Upkeep as a whole: little at a time, nothing in trouble, no step stops another."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import Reader
from agent.store.codec import Piece, encode
from agent.store.exact import DifferenceError, compare
from agent.store.making import checked, made_of_piece
from agent.store.replacing import Kept, Replacement
from agent.store.upkeep import ROUND_S, Upkeep
from tests.fakes import FakeClock
from tests.store.stored import EVER
from tests.store.upkept import Sealed


@pytest.fixture
def upkept(tmp_path: Path, clock: FakeClock) -> Iterator[Sealed]:
    made = Sealed(tmp_path / "telemetry.db", clock)
    yield made
    made.close()


class Work:
    """A step that has something to do so many times, and takes its time."""

    def __init__(self, clock: FakeClock, times: int, takes_s: float = 0.0) -> None:
        self._clock = clock
        self.left = times
        self.takes_s = takes_s
        self.calls = 0

    def __call__(self) -> bool:
        self.calls += 1
        self.left -= 1
        self._clock.advance(self.takes_s)
        return self.left > 0


def with_steps(upkept: Sealed, *steps: Work) -> Upkeep:
    upkept.poll(1)
    upkept.upkeep.steps[:] = steps
    return upkept.upkeep


def test_steps_are_called_until_they_have_no_more_to_do(upkept: Sealed) -> None:
    one, other = Work(upkept.clock, 3), Work(upkept.clock, 1)

    again_s = with_steps(upkept, one, other).run()

    assert again_s is None
    assert (one.calls, other.calls) == (3, 1)


def test_a_long_backlog_is_worked_off_a_second_at_a_time_with_rests(upkept: Sealed) -> None:
    work = Work(upkept.clock, 100, takes_s=0.25)

    again_s = with_steps(upkept, work).run()

    assert again_s == pytest.approx(3 * ROUND_S)
    assert work.calls == 4


def test_a_long_backlog_holds_up_no_other_step(upkept: Sealed) -> None:
    works = [Work(upkept.clock, 1000, takes_s=0.9) for _ in range(3)]
    upkeep = with_steps(upkept, *works)

    for _ in range(9):
        upkeep.run()

    assert [work.calls for work in works] == [6, 6, 6]


def test_nothing_is_done_before_the_file_is_open(tmp_path: Path, clock: FakeClock) -> None:
    upkept = Sealed(tmp_path / "telemetry.db", clock)
    work = Work(clock, 1)
    upkept.upkeep.steps[:] = [work]

    assert upkept.upkeep.run() is None

    assert work.calls == 0
    upkept.close()


def test_nothing_is_done_while_the_store_is_in_trouble(
    upkept: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    upkept.poll(5000, every_s=10)
    locked = sqlite3.connect(upkept.path, isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    upkept.put()
    assert not upkept.store.flush()
    before = upkept.count("batch")

    upkept.run_upkeep()

    assert upkept.count("batch") == before
    locked.execute("ROLLBACK")
    locked.close()
    assert upkept.store.flush()
    upkept.run_upkeep()
    assert upkept.count("block") == 1
    assert upkept.has_all()


def test_a_file_that_is_locked_is_an_error_once_and_nothing_is_lost(
    upkept: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    upkept.poll(5000, every_s=10)
    locked = sqlite3.connect(upkept.path, isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")

    for _ in range(2):
        upkept.run_upkeep()
        upkept.store.flush()
    locked.execute("ROLLBACK")
    locked.close()

    texts = [r.getMessage() for r in caplog.records if r.name == "agent.store.upkeep"]
    assert len(texts) == 1
    assert "another program has locked it" in texts[0]
    upkept.store.flush()
    upkept.poll(1)
    upkept.run_upkeep()
    assert upkept.count("block") == 1
    assert upkept.has_all()


def test_a_step_that_fails_stops_no_other_and_is_told_once(
    upkept: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> bool:
        raise StoreError("cannot write x: the disk is full, free some space")

    work = Work(upkept.clock, 1)
    upkept.poll(1)
    upkept.upkeep.steps[:] = [broken, work]

    upkept.run_upkeep()
    upkept.run_upkeep()

    assert work.calls == 2
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "free some space" in errors[0]


def test_a_bug_in_a_step_stops_no_other(upkept: Sealed, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> bool:
        raise RuntimeError("a bug")

    work = Work(upkept.clock, 1)
    upkept.poll(1)
    upkept.upkeep.steps[:] = [broken, work]

    upkept.run_upkeep()

    assert work.calls == 1
    assert "a bug" in caplog.text


def test_a_stop_leaves_what_is_in_hand_as_it_was(upkept: Sealed) -> None:
    upkept.poll(5000, every_s=10)
    upkept.upkeep.stop()
    before = upkept.count("batch")

    for step in upkept.upkeep.steps[:1]:
        upkept.upkeep._call(step)  # as if it were in hand

    assert upkept.upkeep.run() is None
    assert upkept.count("batch") == before
    assert upkept.has_all()


def test_a_reader_sees_the_store_as_it_was_when_it_was_opened(upkept: Sealed) -> None:
    upkept.poll(5000, every_s=10)

    with Reader(upkept.path) as reader:
        samples = reader.samples("press", *EVER)
        found = [next(samples) for _ in range(10)]
        upkept.run_upkeep()
        found += samples

    assert upkept.count("block") == 1
    assert [sample.stamp.ts_ms for sample in found] == [ms for ms, _ in upkept.sent["press"]]
    assert upkept.has_all()


def piece(*cells: float) -> Piece:
    numbers = range(len(cells))
    zeros = [0] * len(cells)
    return Piece(1, numbers, numbers, zeros, zeros, {0: (0,)}, {0: cells})


@pytest.mark.parametrize(
    "other",
    [piece(1, 2, 4), piece(1.0, 2, 3), piece(True, 2, 3), piece(1, 2)],
    ids=["a value", "a type", "a bool", "a sample"],
)
def test_a_block_that_differs_from_what_went_in_is_refused(other: Piece) -> None:
    with pytest.raises(DifferenceError, match="came out differently"):
        checked(encode(other), piece(1, 2, 3), lambda: None)


def test_zeros_differ_by_their_sign() -> None:
    with pytest.raises(DifferenceError, match="column 7"):
        compare("column 7", [0.0], [-0.0])


def test_what_gives_no_block_stays_and_is_told_once(
    upkept: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    upkept.poll(40, every_s=1)
    ids = [int(str(id_)) for (id_,) in upkept.sql("SELECT id FROM batch")]
    kept = Kept("batch")
    replacement = Replacement(upkept.upkeep.workplace, "batch", kept)

    def differs() -> None:
        compare("keys", [1], [2])

    replacement.make(ids[:2], differs)  # type: ignore[arg-type]
    replacement.make(ids[2:3], lambda: made_of_piece(piece(1, 2), lambda: None))

    assert replacement.write(changes_hours=False)
    assert [int(str(id_)) for (id_,) in upkept.sql("SELECT id FROM batch")] == [*ids[:2], *ids[3:]]
    assert ids[0] in kept
    assert len([text for text in caplog.messages if "keys came out differently" in text]) == 1


def test_what_was_deleted_meanwhile_does_not_come_back(upkept: Sealed) -> None:
    upkept.poll(40, every_s=1)
    ids = [int(str(id_)) for (id_,) in upkept.sql("SELECT id FROM batch")]
    replacement = Replacement(upkept.upkeep.workplace, "batch", Kept("batch"))
    replacement.make(ids, lambda: made_of_piece(piece(1, 2), lambda: None))
    upkept.store.transact(lambda writer: writer.connection.execute("DELETE FROM batch"))

    assert not replacement.write(changes_hours=True)
    assert upkept.count("block") == 0
