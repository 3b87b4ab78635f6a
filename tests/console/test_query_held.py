"""An answer that nobody takes: the agent goes on writing, and its log must not grow for ever."""

import subprocess
import sys
import threading
from pathlib import Path

from agent.console import query_held
from agent.model import Sample
from agent.store import Store
from agent.store.log_file import LIMIT_BYTES
from tests.console.commands import LIMIT_S, ROOT, Machine
from tests.fakes import FakeClock

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c, press"
TEXT_BYTES = 5_000_000


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def test_an_answer_that_nobody_takes_ends_before_the_log_fills_the_disk(
    machine: Machine,
) -> None:
    path = machine.folder / "data" / "telemetry.db"
    clock = FakeClock()
    store = Store(path, clock)
    store.add_device("press", "s7", 1.0, plain=True)  # its rows are not compressed
    put(store, clock, "x")
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "query", ENDLESS, "--config", str(machine.config)],
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline() == "x\n"  # it has begun; now the pipe fills
            while log_of(path).stat().st_size <= LIMIT_BYTES + 3 * TEXT_BYTES:
                put(store, clock, "x" * TEXT_BYTES)
            stuck = threading.Timer(LIMIT_S, process.kill)
            stuck.start()
            errors = process.stderr.read()
            code = process.wait()
            stuck.cancel()
        finally:
            process.kill()
    put(store, clock, "x")
    put(store, clock, "x")
    size = log_of(path).stat().st_size
    store.close()

    assert code == 1
    assert f"could not shorten {log_of(path)}" in errors
    assert "--output FILE" in errors
    assert "Traceback" not in errors
    assert size < LIMIT_BYTES


def put(store: Store, clock: FakeClock, text: str) -> None:
    clock.advance(1)
    store.append(Sample("press", clock.stamp(), {"text": text}))
    assert store.flush()


def test_a_query_of_a_store_that_does_not_change_is_left_alone(machine: Machine) -> None:
    machine.store({"level": 1.5})
    path = machine.folder / "data" / "telemetry.db"

    with query_held.not_for_ever(path):
        found = machine.run("query", "SELECT level FROM press")

    assert (found.exit_code, found.stdout) == (0, "level\n1.5\n")
