"""The agent ends within 5 s whatever hangs, with everything stored; a second one is refused."""

import ctypes
import itertools
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.config.schema import StoreSection
from hw_sim.s7 import S7Simulator
from tests.agent_process import AgentProcess, plcs, s7_device, wait_for, write_config
from tests.proofs.in_process import Counting, Hanging, config_of, running
from tests.proofs.stored import rows_of

STOP_S = 5.0
POLLS = 15
BURST = 50  # signals

TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.fixture
def two_plcs() -> Iterator[list[S7Simulator]]:
    with plcs(2) as simulators:
        yield simulators


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        pytest.param(TERM, None, id="SIGTERM, all well"),
        pytest.param(INT, "blackhole", id="SIGINT while a device hangs"),
        pytest.param(INT, None, id="SIGINT, all well", marks=pytest.mark.slow),
        pytest.param(TERM, "blackhole", id="SIGTERM while a device hangs", marks=pytest.mark.slow),
        pytest.param(TERM, "silent", id="SIGTERM while one is silent", marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_the_agent_in_time_with_every_poll_stored(
    number: signal.Signals, fault: str | None, two_plcs: list[S7Simulator], tmp_path: Path
) -> None:
    well, other = two_plcs
    other.set_fault(fault)
    config = write_config(
        tmp_path,
        [
            s7_device("well", well.port),
            s7_device("other", other.port, timeout_s=60),
        ],
        store="flush_interval_s = 3600",
    )

    with AgentProcess(config) as agent:
        wait_for(lambda: well.requests >= POLLS and agent.state(), what="polls")
        code, took_s = agent.stop(number)

    assert code == 0
    assert took_s < STOP_S
    assert leftovers_of(tmp_path) == [
        "agent.lock", "telemetry.db", "telemetry.db-shm", "telemetry.db-wal",
    ]  # fmt: skip
    # The last request may have been that of a poll whose answer was not waited for.
    stored = len(rows_of(agent.data_dir / "telemetry.db", "well"))
    assert well.requests - 1 <= stored <= well.requests
    assert agent.lines("Traceback") == []


def leftovers_of(folder: Path) -> list[str]:
    """The files of a stopped agent: no state."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    ours = [folder / "agent.toml", folder / "agent.log"]
    return sorted(path.name for path in files if path not in ours)


def test_a_signal_that_the_kernel_hands_to_another_thread_ends_the_agent(
    two_plcs: list[S7Simulator], tmp_path: Path
) -> None:
    well, _ = two_plcs
    config = write_config(tmp_path, [s7_device("well", well.port)])

    with AgentProcess(config) as agent:
        wait_for(lambda: well.requests >= 1, what="the first poll")
        threads = [int(path.name) for path in Path(f"/proc/{agent.pid}/task").iterdir()]
        ctypes.CDLL(None).tgkill(agent.pid, max(set(threads) - {agent.pid}), TERM)
        code = agent.process.wait(STOP_S)

    assert code == 0


def test_a_burst_of_signals_ends_the_agent_as_one_does(
    two_plcs: list[S7Simulator], tmp_path: Path
) -> None:
    well, _ = two_plcs
    config = write_config(tmp_path, [s7_device("well", well.port)])

    with AgentProcess(config) as agent:
        wait_for(lambda: well.requests >= 1, what="the first poll")
        for number in itertools.islice(itertools.cycle((TERM, INT)), BURST):
            if not agent.lines("stopping"):  # Python takes its handlers away at its very end
                agent.process.send_signal(number)
        code = agent.process.wait(STOP_S)

    assert code == 0
    assert len(agent.lines("stopping")) == 1


def test_a_driver_that_never_returns_holds_up_neither_the_others_nor_the_end(
    tmp_path: Path,
) -> None:
    hanging, well = Hanging(), Counting()
    store = StoreSection(flush_interval_s=3600)
    config = config_of(tmp_path, {"stuck": 0.05, "well": 0.05}, store=store)

    try:
        with running(config, {"stuck": hanging, "well": well}):
            wait_for(hanging.is_hanging.is_set)
            reads = well.reads
            wait_for(lambda: well.reads >= reads + POLLS)
    finally:
        hanging.let_go.set()

    assert len(rows_of(tmp_path / "telemetry.db", "well")) == well.reads
    assert len(rows_of(tmp_path / "telemetry.db", "stuck")) == 1


@pytest.mark.slow
def test_the_agent_ends_in_time_while_a_device_hangs_and_the_store_is_locked(
    two_plcs: list[S7Simulator], tmp_path: Path
) -> None:
    well, black = two_plcs
    black.set_fault("blackhole")
    devices = [s7_device("well", well.port), s7_device("black", black.port, timeout_s=60)]
    config = write_config(tmp_path, devices)
    path = tmp_path / "data" / "telemetry.db"

    with AgentProcess(config) as agent:
        wait_for(lambda: rows_of(path), what="rows")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wait_for(lambda: agent.lines("locked"), what="the lock is noticed")
            code, took_s = agent.stop()

    assert code == 4  # what waited is not in the file, and the agent says so
    assert took_s < STOP_S


def test_a_second_agent_on_the_same_folder_is_refused_with_both_named(
    two_plcs: list[S7Simulator], tmp_path: Path
) -> None:
    well, _ = two_plcs
    config = write_config(tmp_path, [s7_device("well", well.port)])

    with AgentProcess(config) as agent:
        wait_for(lambda: well.requests >= 1 and agent.state(), what="the first poll")
        second = agent.command("run")
        code, _ = agent.stop()

    assert second.returncode == 1
    assert f"process {agent.pid}" in second.stderr
    assert str(agent.data_dir) in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert code == 0
