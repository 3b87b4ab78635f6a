"""The first sample of a run: when it is stored."""

import socket
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from agent.beginning import FirstSample
from tests.agent_process import AgentProcess, host_device, s7_device, wait_for, write_config
from tests.proofs.stored import rows_of, run_starts

NAMES = ("host", "plc", "meter")


class Run:
    """Polls of three devices, and how many flushes they asked for."""

    def __init__(self) -> None:
        self.flushes = 0
        self.outcome: float | None = None
        first_sample = FirstSample(self._flush)
        self.polls = {name: first_sample.noting(lambda: self.outcome) for name in NAMES}

    def _flush(self) -> None:
        self.flushes += 1

    def poll(self, name: str, *, is_well: bool = True) -> int:
        """How many flushes there were after one more poll."""
        self.outcome = None if is_well else 5.0
        assert self.polls[name]() == self.outcome
        return self.flushes


@pytest.fixture
def run() -> Run:
    return Run()


def noted_runs(store: Path) -> list[int]:
    """When each run began, as far as the file has its tables by now."""
    with suppress(sqlite3.OperationalError):
        return run_starts(store)
    return []


def test_the_first_sample_is_stored_at_once_and_no_other(run: Run) -> None:
    assert [run.poll(name) for name in (*NAMES, *NAMES)] == [1, 1, 1, 1, 1, 1]


def test_a_device_that_fails_is_not_the_first_sample(run: Run) -> None:
    assert run.poll("host", is_well=False) == 0
    assert run.poll("plc") == 1
    assert run.poll("host") == 1


def test_the_first_sample_after_many_failures_is_stored_at_once(run: Run) -> None:
    for name in (*NAMES, *NAMES):
        assert run.poll(name, is_well=False) == 0

    assert run.poll("plc") == 1


def test_the_first_sample_of_a_run_waits_for_no_flush(tmp_path: Path) -> None:
    config = write_config(tmp_path, [host_device()], store="flush_interval_s = 3600")

    with AgentProcess(config) as agent:
        assert wait_for(lambda: rows_of(agent.data_dir / "telemetry.db", table="host_row"))


def test_the_store_is_open_soon_though_no_device_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        config = write_config(
            tmp_path,
            [s7_device("plc", silent.getsockname()[1])],
            store="flush_interval_s = 3600",
        )

        with AgentProcess(config) as agent:
            store = agent.data_dir / "telemetry.db"
            assert wait_for(lambda: noted_runs(store))
            assert rows_of(store) == []
