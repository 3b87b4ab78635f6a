"""The same again, overlapping, interrupted, killed: each sample is there once in the end."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.importing import Progress, chunks
from agent.importing.reading import Reading
from tests.importing.loggers import (
    START_S,
    bench_csv,
    bench_rows,
    pi_database,
    plc_csv,
    plc_rows,
    timed,
)
from tests.importing.station import BENCH, HOST, PRESS, Station, typed
from tests.importing.test_loggers import START_MS, seconds

ROOT = Path(__file__).parent.parent.parent


def test_files_that_overlap_add_each_row_once(tmp_path: Path) -> None:
    station = Station(tmp_path, BENCH)
    times, rows = seconds(300, 250), bench_rows(300)
    daily = station.file("daily.csv", bench_csv(times[:200], rows[:200]))
    weekly = station.file("weekly.csv", bench_csv(times[100:], rows[100:]))

    first, second = station.facts(daily, weekly)

    assert (first["stored"], second["stored"], second["known"]) == (200, 100, 100)
    assert typed(station.samples("bench")) == typed(timed(times, rows))


def test_older_after_newer_is_the_same(tmp_path: Path) -> None:
    station = Station(tmp_path, BENCH)
    times, rows = seconds(300, 250), bench_rows(300)
    newer = station.file("newer.csv", bench_csv(times[150:], rows[150:]))
    older = station.file("older.csv", bench_csv(times[:150], rows[:150]))

    station.facts(newer, older)

    assert typed(station.samples("bench")) == typed(timed(times, rows))


def test_a_file_in_falling_order_is_the_same(tmp_path: Path) -> None:
    station = Station(tmp_path, BENCH)
    times, rows = seconds(300, 250), bench_rows(300)

    station.counts(station.file("x.csv", bench_csv(times[::-1], rows[::-1])))

    assert typed(station.samples("bench")) == typed(timed(times, rows))


def test_what_the_agent_polled_itself_stays_as_it_is(tmp_path: Path) -> None:
    station = Station(tmp_path, PRESS)
    times, rows = seconds(10), plc_rows(10)
    other = {**rows[4], "counter": 99}
    station.poll("press", "s7", (times[3], rows[3]), (times[4] + 345, other))

    (facts,) = station.facts(station.file("log.csv", plc_csv(times, rows)))

    assert (facts["stored"], facts["known"], facts["in_conflict"]) == (8, 1, 1)
    assert facts["in_conflict_rows"] == [
        {"line": 6, "text": "the store has other values of that time"}
    ]
    wanted = timed(times, rows)
    wanted[4] = (times[4] + 345, other)
    assert typed(station.samples("press")) == typed(wanted)


def test_a_time_twice_with_other_values_is_a_conflict(tmp_path: Path) -> None:
    station = Station(tmp_path, BENCH)
    rows = bench_rows(3)
    path = station.file("x.csv", bench_csv([START_MS, START_MS, START_MS], [rows[0], *rows[:2]]))

    counts = station.counts(path)

    assert counts == (1, 1, 1, 0)


def test_an_import_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    station = Station(tmp_path, PRESS)
    times, rows = seconds(5000), plc_rows(5000)
    path = station.file("log.csv", plc_csv(times, rows))
    asked: list[Progress] = []

    def tell(progress: Progress) -> bool:
        asked.append(progress)
        return progress.read < 2000

    is_done, first = station.take(path, tell)
    is_done_again, second = station.take(path)

    assert (is_done, is_done_again) == (False, True)
    assert first.stored == len(station.samples("press")) - second.stored == 2000
    assert (second.known, second.stored) == (2000, 3000)
    assert (asked[0].file, asked[0].total) == ("log.csv", 5000)


def test_an_import_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    station = Station(tmp_path, HOST)
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 5 * 500, 5), processes=0)
    script = (
        "import os, sys\n"
        "import agent.importing\n"
        "from agent.cli import main\n"
        "from agent.store.history import History\n"
        "write, left = History.write, [1]\n"
        "def killed(self, samples):\n"
        "    if not left:\n"
        "        os.kill(os.getpid(), 9)\n"
        "    left.pop()\n"
        "    return write(self, samples)\n"
        "History.write = killed\n"
        "agent.importing.SAMPLES = 400  # so that there are two writes\n"
        "main(['import', *sys.argv[1:]])\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(path), "--config", str(tmp_path / "agent.toml")],
        env={"PYTHONPATH": str(ROOT), "RUNTIME_DIRECTORY": str(tmp_path / "run")},
        capture_output=True,
        timeout=60,
    )

    counts = station.counts(path)

    assert killed.returncode == -9
    assert counts == (100, 400, 0, 0)
    assert len(station.samples("host")) == 500


@pytest.mark.parametrize("by_second", [True, False])
def test_rows_of_one_second_are_not_parted(tmp_path: Path, by_second: bool) -> None:
    station = Station(tmp_path, BENCH)
    path = station.file("x.csv", bench_csv([START_MS], bench_rows(1)))
    _, outcome = station.take(path)
    many = (
        Reading(START_MS + number // 3 * 1000, ("a",), (number,), 1) for number in range(30_000)
    )

    found = [*chunks(many, outcome, by_second, lambda _: True)]

    assert [len(chunk) for chunk in found] == [16_386, 13_614]


@settings(max_examples=10)
@given(parts=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=5))
def test_any_parts_of_a_series_in_any_order_come_out_once(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, int]]
) -> None:
    station = Station(tmp_path_factory.mktemp("x"), PRESS)
    times, rows = seconds(120, 500), plc_rows(120)
    files = [
        station.file(f"{number}.csv", plc_csv(times[start : start + count], rows[start:][:count]))
        for number, (start, count) in enumerate((2 * a, 2 * b) for a, b in parts)
    ]
    covered = sorted({n for a, b in parts for n in range(2 * a, min(120, 2 * (a + b)))})
    if not covered or any(2 * a >= 120 for a, _ in parts):
        return

    station.facts(*files)
    again = station.facts(*files)

    wanted = timed([times[n] for n in covered], [rows[n] for n in covered])
    assert typed(station.samples("press")) == typed(wanted)
    assert sum(each["stored"] + each["in_conflict"] for each in again) == 0
