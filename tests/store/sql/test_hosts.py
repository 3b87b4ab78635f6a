"""The names that people know from loggers of a host: the same from blocks as from the views."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import pytest

from agent.model import Value
from agent.store import Reader
from tests.fakes import FakeClock
from tests.store.laid import At, Laid
from tests.store.sql.asked import ask
from tests.store.stored import EVER, Stored

VIEWS = ["system_sample", "cpu_core", "process_sample", "training_view", "host"]
# What people of the logger that these names come from ask.
QUERIES = [
    *(f"SELECT * FROM {view} ORDER BY 1, 2" for view in VIEWS),
    *(f"SELECT name FROM pragma_table_info('{view}')" for view in VIEWS),
    "SELECT name FROM sqlite_master WHERE name IN ('system_sample', 'training_view') ORDER BY 1",
    "SELECT * FROM system_sample ORDER BY ts DESC LIMIT 1",
    "SELECT max(ts), min(ts), count(*) FROM cpu_core",
    "SELECT ts, count(*), avg(usage) FROM cpu_core WHERE ts > 1795176003 GROUP BY ts",
    "SELECT s.ts, s.cpu_total, c.core, c.usage FROM system_sample s JOIN cpu_core c USING (ts) "
    "WHERE c.usage > 30 ORDER BY 1, 3",
    "SELECT t.ts, p.name, p.cpu FROM training_view t JOIN process_sample p ON p.ts = t.ts "
    "WHERE t.watts > 2 ORDER BY 1, 2",
    "SELECT ts, cpu_total - lag(cpu_total) OVER (ORDER BY ts) FROM training_view ORDER BY ts",
    "SELECT name, sum(cpu) FROM process_sample GROUP BY name ORDER BY 2 DESC, 1",
    "SELECT * FROM process_sample WHERE ts = (SELECT max(ts) FROM process_sample) ORDER BY pid",
    "SELECT drain_mah_per_min, charge_mah_per_min FROM training_view WHERE current IS NOT NULL",
    "SELECT ts FROM cpu_core WHERE ts BETWEEN 1795176002 AND 1795176010 OR ts = 1795176000 "
    "ORDER BY ts",
]


def reading(number: int) -> Mapping[str, Value]:
    return {
        "cpu_total": 10.5 + number,
        "core0_usage": 20.0 + number,
        "core1_usage": None if number % 3 == 0 else 40.0,
        "process1_pid": 100 + number % 2,
        "process1_name": f"worker {number % 2}",
        "process1_cpu": 1.5 * number,
        "process1_mem": 0.5,
        "process2_pid": None if number % 4 == 0 else 7,
        "process2_name": None if number % 4 == 0 else "systemd",
        "process2_cpu": 0.25,
        "process2_mem": 0.125,
        "voltage": None if number == 2 else 3.75,
        "current": None if number == 2 else 0.5 - number / 4,
        "power": -3.0 + number,
        "load1": 0.5,
    }


@pytest.fixture
def rows(stored: Stored, clock: FakeClock) -> Stored:
    """Rows of a host, while another device is stored beside it; the clock steps back once."""
    for number in range(8):
        stored.put_values("host", reading(number))
        stored.put()
        clock.advance(5)
        if number == 5:
            clock.set_wall(clock.now_ms() - 60_000)
    stored.store.flush()
    return stored


@pytest.fixture
def blocks(rows: Stored, tmp_path: Path) -> Path:
    """The same samples in two blocks, a batch, and rows."""
    with Reader(rows.path) as reader:
        names = [metric.name for _, metric in reader.metrics("host")]
        keys = [*chain.from_iterable(each.keys() for each in reader.segments("host", *EVER))]
        samples = [
            At(key, each.stamp.ts_ms, tuple(range(len(names))), [*each.values.values()])
            for key, each in zip(keys, reader.samples("host", *EVER), strict=True)
        ]
    laid = Laid(tmp_path / "blocks.db", "host", names)
    laid.block(samples[:3])
    laid.block(samples[3:5])
    laid.batch(samples[5:6])
    laid.rows(samples[6:])
    laid.close()
    return laid.path


@pytest.mark.parametrize("query", QUERIES)
def test_rows_answer_as_their_views_do(rows: Stored, query: str) -> None:
    assert ask(rows.path, query) == rows.sql(query)


@pytest.mark.parametrize("query", QUERIES)
def test_blocks_answer_as_views_of_rows_do(rows: Stored, blocks: Path, query: str) -> None:
    about_host = query.replace("FROM host ", "FROM press ").replace("'host'", "'press'")

    assert ask(blocks, about_host) == rows.sql(query)


def test_without_a_host_the_names_are_there_and_empty(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level"])
    laid.close()

    for view in VIEWS[:-1]:
        assert ask(laid.path, f"SELECT count(*) FROM {view}") == [(0,)]
