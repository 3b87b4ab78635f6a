"""The names that people query with the plain ``sqlite3`` shell."""

import csv
import io
import json
from datetime import datetime

import pytest

from agent.model import Value
from tests.fakes import NOON_MS
from tests.store.stored import Stored, needs_shell, shell

pytestmark = needs_shell

T = NOON_MS // 1000
BATTERY: dict[str, Value] = {"voltage": 3.9, "current": -0.6, "power": -2.34, "battery_pct": 80}
CPU: dict[str, Value] = {
    "cpu_total": 12.5, "cpu_freq": 1800.0, "load1": 0.1, "load5": 0.2, "load15": 0.3,
}  # fmt: skip
CORES: dict[str, Value] = {"core0_usage": 10.0, "core1_usage": 15.0}
PROCESSES: dict[str, Value] = {
    "process1_pid": 7, "process1_name": 'py "3"', "process1_cpu": 120.5, "process1_mem": 1.5,
    "process2_pid": 1, "process2_name": "systemd", "process2_cpu": 0.0, "process2_mem": 0.5,
}  # fmt: skip
NO_BATTERY: dict[str, Value] = dict.fromkeys(BATTERY)


@pytest.fixture
def host(stored: Stored) -> Stored:
    """Three samples: on battery, charging with one process only, without a battery."""
    stored.put_values("host", BATTERY | CPU | CORES | PROCESSES)
    stored.clock.advance(5)
    one_process = {k: None if "process2" in k else v for k, v in PROCESSES.items()}
    stored.put_values("host", BATTERY | {"current": 0.3, "power": 1.2} | CPU | CORES | one_process)
    stored.clock.advance(5)
    stored.put_values("host", NO_BATTERY | CPU | CORES)
    stored.store.flush()
    return stored


def rows(stored: Stored, sql: str) -> list[dict[str, Value]]:
    """The answer of the shell, with its types."""
    text = shell(stored.path, sql, "-json")
    answer: list[dict[str, Value]] = json.loads(text) if text else []
    return answer


COLUMNS = {
    "system_sample": "ts voltage current power battery_pct cpu_total cpu_freq load1 load5 load15",
    "cpu_core": "ts core usage",
    "process_sample": "ts pid name cpu mem",
    "training_view": "ts cpu_total cpu_freq load1 load5 load15 voltage current power battery_pct "
    "watts drain_mah_per_min charge_mah_per_min",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_view_has_exactly_the_columns_that_users_know(host: Stored, name: str) -> None:
    found = rows(host, f"PRAGMA table_info({name})")

    assert [column["name"] for column in found] == COLUMNS[name].split()


@pytest.mark.parametrize("name", COLUMNS)
def test_a_view_is_there_before_there_is_a_host(stored: Stored, name: str) -> None:
    stored.put()
    stored.store.flush()

    header = shell(stored.path, f"PRAGMA table_info({name})", "-json")
    found = rows(stored, f"SELECT * FROM {name}")

    assert [column["name"] for column in json.loads(header)] == COLUMNS[name].split()
    assert found == []


def test_system_sample_has_a_row_for_each_sample(host: Stored) -> None:
    found = rows(host, "SELECT * FROM system_sample ORDER BY ts")

    assert found[0] == {"ts": T} | BATTERY | CPU
    assert found[2] == {"ts": T + 10} | NO_BATTERY | CPU
    assert len(found) == 3


def test_cpu_core_has_a_row_for_each_core(host: Stored) -> None:
    found = rows(host, f"SELECT * FROM cpu_core WHERE ts = {T}")

    assert found == [{"ts": T, "core": 0, "usage": 10.0}, {"ts": T, "core": 1, "usage": 15.0}]


def test_process_sample_has_a_row_for_each_process_there_was(host: Stored) -> None:
    found = rows(host, "SELECT * FROM process_sample")

    assert found == [
        {"ts": T, "pid": 7, "name": 'py "3"', "cpu": 120.5, "mem": 1.5},
        {"ts": T, "pid": 1, "name": "systemd", "cpu": 0.0, "mem": 0.5},
        {"ts": T + 5, "pid": 7, "name": 'py "3"', "cpu": 120.5, "mem": 1.5},
    ]


def test_training_view_derives_watts_and_charge(host: Stored) -> None:
    found = rows(host, "SELECT watts, drain_mah_per_min, charge_mah_per_min FROM training_view")

    drained, charged, without = [tuple(row.values()) for row in found]
    assert drained == pytest.approx((2.34, 10.0, 0.0))
    assert charged == pytest.approx((1.2, 0.0, 5.0))
    assert without == (None, None, None)


def test_joins_over_ts_answer(host: Stored) -> None:
    found = rows(
        host,
        "SELECT s.ts, s.cpu_total, c.usage, p.name, t.watts FROM system_sample s "
        "JOIN cpu_core c ON c.ts = s.ts AND c.core = 1 JOIN training_view t USING (ts) "
        "LEFT JOIN process_sample p ON p.ts = s.ts AND p.pid = 1 ORDER BY s.ts",
    )

    assert [(row["ts"], row["usage"], row["name"]) for row in found] == [
        (T, 15.0, "systemd"),
        (T + 5, 15.0, None),
        (T + 10, 15.0, None),
    ]


def test_window_functions_answer(host: Stored) -> None:
    found = rows(
        host,
        "SELECT ts - lag(ts) OVER (ORDER BY ts) AS step, count(*) OVER () AS n, "
        "avg(watts) OVER (ORDER BY ts ROWS 1 PRECEDING) AS mean FROM training_view",
    )

    assert [row["step"] for row in found] == [None, 5, 5]
    assert [row["mean"] for row in found] == pytest.approx([2.34, 1.77, 1.2])


def test_a_look_up_in_sqlite_master_finds_the_views(host: Stored) -> None:
    found = shell(host.path, "SELECT name FROM sqlite_master WHERE name LIKE '%\\_%' ESCAPE '\\'")

    assert set(COLUMNS) <= set(found.split())


def test_an_export_with_header_is_csv(host: Stored) -> None:
    text = shell(host.path, "SELECT * FROM training_view", "-header", "-csv")

    table = list(csv.reader(io.StringIO(text)))
    assert table[0] == COLUMNS["training_view"].split()
    assert table[1][:3] == [str(T), "12.5", "1800.0"]
    assert table[3][6:] == [""] * 7


def test_ts_is_unique_and_rises_when_the_clock_repeats_a_second(host: Stored) -> None:
    host.clock.set_wall(NOON_MS)
    for _ in range(3):
        host.put_values("host", CPU)
    host.store.flush()

    found = rows(host, "SELECT ts FROM system_sample")

    assert [row["ts"] for row in found] == [T, T + 5, T + 10, T + 11, T + 12, T + 13]


def test_two_hosts_are_both_in_the_views_though_their_metrics_lie_elsewhere(host: Stored) -> None:
    host.store.add_device("other", "host", 5.0)
    host.clock.advance(5)
    host.put_values("other", {"load1": 9.0, "extra": 1, "core0_usage": 4.0, "cpu_total": 8.0})
    host.store.flush()

    found = rows(host, "SELECT ts, load1, cpu_total, power FROM system_sample")

    assert [tuple(row.values()) for row in found] == [
        (T, 0.1, 12.5, -2.34),
        (T + 5, 0.1, 12.5, 1.2),
        (T + 10, 0.1, 12.5, None),
        (T + 15, 9.0, 8.0, None),
    ]
    assert rows(host, f"SELECT usage FROM cpu_core WHERE ts = {T + 15}") == [{"usage": 4.0}]


def test_a_device_is_a_view_with_the_time_in_words_and_its_metrics(stored: Stored) -> None:
    stored.clock.advance(0.123)
    stored.put(level=1.5, running=True, mode="auto", broken=None)
    stored.store.flush()

    found = rows(stored, "SELECT * FROM press")

    assert found == [
        {
            "time": "2026-11-20T12:00:00.123Z",
            "ts_ms": NOON_MS + 123,
            "level": 1.5,
            "running": 1,
            "mode": "auto",
            "broken": None,
        }
    ]
    assert datetime.fromisoformat(str(found[0]["time"])).timestamp() * 1000 == NOON_MS + 123


def test_views_of_other_people_stay(host: Stored) -> None:
    host.execute("CREATE VIEW mine AS SELECT ts, watts FROM training_view")
    host.put_values("host", {"new": 1})
    host.store.flush()

    found = rows(host, "SELECT count(*) AS n FROM mine")

    assert found == [{"n": 4}]
