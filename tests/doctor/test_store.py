"""The store in the check-up: sound or damaged, growing, written by one agent alone."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.console.table import size_text
from agent.doctor.finding import Level
from agent.doctor.machine import Space
from agent.doctor.store import check_store
from agent.errors import StoreError
from agent.model import Sample
from agent.state import StateFile
from agent.store import Store
from agent.store.check import quick_check, schema_version, summary, time_span
from agent.store.outlook import Limits, outlook_of
from agent.store.room import Room
from agent.store.usage import usage_of
from tests.doctor.machines import GB, Tree, bad, case_of, levels
from tests.fakes import NOON_MS, FakeClock

HOST = '[[device]]\nname = "host"\nkind = "host"\n'
DAY_S = 86_400


def fill(folder: Path, days: int, text: str = "x") -> Path:
    """A store with a sample a day, the last one of noon."""
    clock = FakeClock(NOON_MS - days * DAY_S * 1000)
    path = folder / "data" / "telemetry.db"
    store = Store(path, clock)
    store.add_device("press", "s7", 1.0)
    store.add_device("host", "host", 1.0)
    for _ in range(days + 1):
        store.append(Sample("press", clock.stamp(), {"level": 1.5, "text": text}))
        store.append(Sample("host", clock.stamp(), {"cpu": 1.5}))
        clock.advance(DAY_S)
    assert store.flush()
    store.close()
    return path


def test_without_a_store_there_is_nothing_to_say_against_it(tree: Tree) -> None:
    ((level, text),) = levels(check_store(case_of(tree, HOST)))

    assert (level, text.partition(": ")[2]) == ("note", "there is no store yet, the agent makes it")


def test_a_sound_store_is_ok(tree: Tree, tmp_path: Path) -> None:
    path = fill(tmp_path, 0)

    found = levels(check_store(case_of(tree, HOST)))

    assert [level for level, _ in found] == ["ok"]
    assert found[0][1].startswith(f"{path}: ")
    assert found[0][1].endswith(", sound")


def test_the_log_beside_the_store_counts_to_its_size(tree: Tree, tmp_path: Path) -> None:
    path = fill(tmp_path, 0)
    files = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    size = sum(file.stat().st_size for file in files if file.exists())

    assert levels(check_store(case_of(tree, HOST)))[0][1] == f"{path}: {size_text(size)}, sound"


def test_a_damaged_store_is_a_problem(tree: Tree, tmp_path: Path) -> None:
    path = fill(tmp_path, 300, "x" * 500)
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        stream.write(b"\xa5" * 20_000)

    found = bad(check_store(case_of(tree, HOST)))

    assert found[0].level is Level.PROBLEM
    assert "damaged" in found[0].text


@pytest.mark.parametrize("content", [b"no database, but text enough to tell" * 100, b"", b"x"])
def test_what_is_no_store_is_a_problem(tree: Tree, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/telemetry.db").write_bytes(content)

    found = bad(check_store(case_of(tree, HOST)))

    assert [each.level for each in found] == [Level.PROBLEM]
    assert found[0].fix == "stop the agent, then: agent store repair"


def test_growth_is_told_by_when_there_is_no_more_room(tree: Tree, tmp_path: Path) -> None:
    path = fill(tmp_path, 100)
    growth = outlook_of(usage_of(path, 10), Room(1, 1, 1), Limits(0, None, 90)).a_day
    assert growth is not None
    little = Space(1 * GB, int(1 * GB * 0.1 + 10.2 * growth))

    plenty = levels(check_store(case_of(tree, HOST)))
    tight = bad(check_store(case_of(tree, HOST, space=lambda _: little)))
    lower = levels(
        check_store(
            case_of(tree, f"[store]\nmax_disk_percent = 80\n{HOST}", space=lambda _: little)
        )
    )

    assert plenty[-1][0] == "ok"
    assert plenty[-1][1].endswith(", and there is room for that")
    assert [each.text.partition(": ")[2] for each in tight] == [
        "max_disk_percent in [store] is reached in 10 days, then the oldest samples are deleted"
    ]
    assert "is reached in 0 days" in lower[-1][1]


def test_samples_of_the_future_are_told(tree: Tree, tmp_path: Path) -> None:
    fill(tmp_path, 0)

    (finding,) = bad(check_store(case_of(tree, HOST, clock=FakeClock(NOON_MS - 7_200_000))))

    assert finding.text.startswith("the newest sample is 2 h ahead of the clock")


def test_what_the_running_agent_can_not_store_is_a_problem(tree: Tree, tmp_path: Path) -> None:
    environ = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    store = {"error": "disk full", "waiting": 1, "dropped": 2}
    StateFile(tmp_path / "data", environ).write({"pid": os.getpid(), "store": store})

    found = bad(check_store(case_of(tree, HOST, environ=environ)))

    assert found[0].text == (
        "the running agent can't store: disk full; 1 sample waits in memory, 2 are lost"
    )


def test_another_program_that_may_write_the_store_is_named(tree: Tree, tmp_path: Path) -> None:
    path = fill(tmp_path, 0)
    process = tree.root / "proc/4711"
    for number, flags in ((3, "0100000"), (4, "0100002")):
        (process / "fd").mkdir(parents=True, exist_ok=True)
        (process / f"fd/{number}").symlink_to(path)
        tree.write(f"proc/4711/fdinfo/{number}", f"pos:\t0\nflags:\t{flags}\n")
    tree.write("proc/4711/comm", "sqlitebrowser\n")

    (finding,) = bad(check_store(case_of(tree, HOST)))

    assert finding.text.startswith("sqlitebrowser (process 4711) has the store open for writing")
    assert "sqlite3 -readonly" in finding.fix


def test_the_whole_file_is_checked_while_an_agent_writes(tmp_path: Path) -> None:
    path = fill(tmp_path, 3)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert quick_check(path, 10) == []


def test_a_check_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = fill(tmp_path, 2000, "x" * 200)

    assert quick_check(path, 0.0) is None
    assert summary(path, 0.0).contents is None


def test_the_summary_counts_samples_of_each_device(tmp_path: Path) -> None:
    path = fill(tmp_path, 9)

    found = summary(path, 10)

    assert found.version == schema_version()
    assert found.contents is not None
    assert [(each.device, each.kind, each.rows, each.last_ms) for each in found.contents] == [
        ("host", "host", 10, NOON_MS),
        ("press", "s7", 10, NOON_MS),
    ]
    assert any("CREATE TABLE row" in sql for sql in found.schema)
    assert time_span(path, 10) == (NOON_MS - 9 * DAY_S * 1000, NOON_MS)


def test_a_store_without_samples_has_no_span(tmp_path: Path) -> None:
    store = Store(tmp_path / "telemetry.db", FakeClock())
    store.add_device("press", "s7", 1.0)
    assert store.flush()
    store.close()

    assert time_span(tmp_path / "telemetry.db", 10) is None


def test_what_can_not_be_read_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store yet"):
        quick_check(tmp_path / "telemetry.db", 1)
