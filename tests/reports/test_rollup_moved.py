"""A report tells which of its samples were stamped before the clock was set."""

from pathlib import Path

from agent.reports.periods import Period
from agent.reports.rollup import write
from agent.store import Reader
from tests.reports.kept import BERLIN, manifest
from tests.store.set_later import START_MS, Board

HOUR = Period(START_MS, START_MS + 3_600_000, "hour")


def test_the_manifest_says_what_was_moved_and_the_lines_have_true_times(tmp_path: Path) -> None:
    board = Board(tmp_path / "telemetry.db")
    board.run_for(20)
    board.boot("boot 2", 20_000)
    board.run_for(20)
    board.learn()
    board.run_for(20)
    board.mend()

    with Reader(board.path) as reader:
        made = write(reader, "press", HOUR, tmp_path / "hour.csv", BERLIN)
    board.close()

    lines = (tmp_path / "hour.csv").read_text().splitlines()[1:]
    assert [line[:23] for line in lines[19:22]] == [
        "2026-11-20T13:00:19.000",
        "2026-11-20T13:01:20.000",
        "2026-11-20T13:01:21.000",
    ]
    assert manifest(made.path)["moved"] == [
        {
            "start": "2026-11-20T13:01:20.000+01:00",
            "end": "2026-11-20T13:01:39.000+01:00",
            "samples": 20,
            "moved_ms": START_MS + 80_000 - 20_000,
        }
    ]


def test_where_nothing_was_moved_the_manifest_says_nothing_of_it(tmp_path: Path) -> None:
    board = Board(tmp_path / "telemetry.db")
    board.run_for(20)

    with Reader(board.path) as reader:
        made = write(reader, "press", HOUR, tmp_path / "hour.csv", BERLIN)
    board.close()

    assert "moved" not in manifest(made.path)
