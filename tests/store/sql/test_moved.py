"""The table ``moved``: which samples have another time than their clock said, and what it said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.set_later import START_MS, Board
from tests.store.sql.asked import ask

SAID_MS = 20_000  # 1970
MOVED_MS = START_MS + 120_000 - SAID_MS


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """Five seconds of a right clock, two minutes without power, four of a clock in 1970."""
    made = Board(tmp_path / "telemetry.db")
    made.run_for(5)
    made.boot("boot 2", SAID_MS, off_s=115)
    made.run_for(4, 1.0, "press")
    made.learn()
    made.run_for(5)
    yield made
    made.close()


def test_it_is_empty_until_samples_get_their_true_time(board: Board) -> None:
    assert ask(board.path, "SELECT * FROM moved") == []


def test_it_has_a_row_for_each_device_and_each_clock_that_was_wrong(board: Board) -> None:
    board.mend()

    found = ask(board.path, "SELECT * FROM moved")

    assert found == [
        (
            "press",
            "2026-11-20T12:02:00.000Z",
            START_MS + 120_000,
            "2026-11-20T12:02:03.000Z",
            START_MS + 123_000,
            4,
            MOVED_MS,
            "1970-01-01T00:00:20.000Z",
        )
    ]


def test_with_it_each_sample_tells_what_its_clock_said(board: Board) -> None:
    board.mend()

    found = ask(
        board.path,
        "SELECT press.ts_ms - moved_ms FROM press LEFT JOIN moved "
        "ON device = 'press' AND press.ts_ms BETWEEN moved.ts_ms AND moved.last_ms",
    )

    said = [given.said_ms for given in board.given["press"][5:9]]
    assert [ts_ms for (ts_ms,) in found] == [None] * 5 + said + [None] * 5
