"""Which tables there are, and what their columns are called."""

from datetime import UTC
from pathlib import Path

import pytest

from agent.store.sql.engine import Engine
from agent.store.views import VIEW_METRICS
from tests.fakes import FakeClock
from tests.store.laid import Laid
from tests.store.sql.asked import ask, at, columns
from tests.store.stored import Stored
from tests.store.version_1 import write_version_1


def test_each_device_has_its_tables_and_there_are_tables_of_facts(stored: Stored) -> None:
    stored.put("host", cpu_total=1.5)
    stored.put("press", level=1)
    stored.store.flush()

    found = {name for (name,) in ask(stored.path, "SELECT name FROM sqlite_master")}

    aggregated = {f"{d}_{span}" for d in ("host", "press") for span in ("minutes", "hours", "days")}
    hosts = {"system_sample", "cpu_core", "process_sample", "training_view"}
    assert found == {"host", "press", "devices", "metrics", "gaps", "moved"} | hosts | aggregated


def test_columns_are_those_of_the_view(stored: Stored) -> None:
    for device in ("host", "press"):
        names = {"load1": 1, "core1_usage": 2, "core0_usage": 3, 'a"b': 4, "process1_pid": 5}
        stored.put_values(device, names)
    stored.store.flush()
    host = stored.sql("SELECT name FROM pragma_table_info('host')")

    assert [(name,) for name in columns(stored.path, "SELECT * FROM host")] == host
    assert columns(stored.path, "SELECT * FROM press") == ["time", "ts_ms", *names]


def test_names_that_differ_in_case_only_are_told_apart(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["Time", "flow", "Flow"])
    laid.block([at(0, 1, 2, 3)])
    laid.close()

    assert columns(laid.path, "SELECT * FROM press") == [
        "time", "ts_ms", "Time:1", "flow", "Flow:1",
    ]  # fmt: skip
    assert ask(laid.path, 'SELECT "Time:1", flow, "flow:1" FROM press') == [(1, 2, 3)]


def test_of_too_many_metrics_those_of_now_are_shown(tmp_path: Path) -> None:
    names = [f"metric{number}" for number in range(VIEW_METRICS + 5)]
    laid = Laid(tmp_path / "telemetry.db", "s7", names)
    laid.block([at(0, *range(len(names)))])
    newest = VIEW_METRICS + 4
    laid.rows([type(at(0))(10_000, 10, (0, newest), ["old", "new"])])
    laid.close()

    found = columns(laid.path, "SELECT * FROM press")

    assert len(found) == VIEW_METRICS + 2
    assert {names[0], names[newest]} <= {*found}
    assert ask(laid.path, f"SELECT {names[newest]} FROM press") == [(newest,), ("new",)]


@pytest.mark.parametrize("name", ["gaps", "Press_Days", "json_each", "main", 'a"b', "select"])
def test_a_device_has_its_name_whatever_it_is(tmp_path: Path, clock: FakeClock, name: str) -> None:
    stored = Stored(tmp_path / "telemetry.db", clock)
    stored.store.add_device(name, "s7", 1.0)
    stored.put()
    stored.put(name, level=7)
    stored.store.flush()
    stored.close()

    quoted = name.replace('"', '""')
    assert ask(stored.path, f'SELECT level FROM "{quoted}"') == [(7,)]


def test_a_device_that_can_not_be_a_table_is_named(tmp_path: Path, clock: FakeClock) -> None:
    stored = Stored(tmp_path / "telemetry.db", clock)
    stored.store.add_device("sqlite_pump", "s7", 1.0)
    stored.put("sqlite_pump", level=7)
    stored.store.flush()
    stored.close()

    with Engine(stored.path, UTC) as engine:
        found = [*engine.select("SELECT device, metrics FROM devices").rows]

        assert found == [("sqlite_pump", 1)]
        assert engine.left_out == ["sqlite_pump"]


def test_facts_are_told(stored: Stored, clock: FakeClock) -> None:
    stored.put("press", level=1, mode="auto")
    clock.advance(1)
    stored.put("press", level=2, mode="auto")
    stored.store.flush()

    devices = ask(stored.path, "SELECT * FROM devices")
    metrics = ask(stored.path, "SELECT device, metric, unit, type FROM metrics")

    times = ("2026-11-20T12:00:00.000Z", 1_795_176_000_000, "2026-11-20T12:00:01.000Z")
    assert devices == [("press", "s7", 2, *times, 1_795_176_001_000)]
    assert metrics == [("press", "level", "", "float"), ("press", "mode", "", "float")]


def test_gaps_are_told_by_time(stored: Stored, clock: FakeClock) -> None:
    stored.put()
    clock.advance(60)
    stored.put()
    stored.store.flush()

    found = ask(stored.path, "SELECT device, ts_ms, end_time, reason FROM gaps WHERE end_ms > 0")

    with_gaps = [(each.device, each.start_ms, str(each.reason)) for each in stored.gaps()]
    assert [(device, ms, reason) for device, ms, _, reason in found] == with_gaps


def test_a_file_of_an_older_agent_is_asked_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    write_version_1(path)

    assert ask(path, "SELECT level FROM press") == [(1,), (2,)]
    assert ask(path, "SELECT load1 FROM system_sample") == [(0.5,)]
    assert ask(path, "SELECT count FROM press_days WHERE metric = 'level'") == [(2,)]
