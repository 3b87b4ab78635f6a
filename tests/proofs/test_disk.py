"""A disk that is full, read-only, locked or not there stops no poll, and costs what is said."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hw_sim.s7 import S7Simulator
from tests.agent_process import AgentProcess, plcs, s7_device, wait_for, write_config
from tests.proofs.small_disk import SmallDisk, missing_disk
from tests.proofs.stored import gaps_of, missed_and_doubled, rows_of

pytestmark = pytest.mark.timeout(600)  # the long forms take up to 2 minutes, others seconds

INTERVAL_S = 0.1
MORE_POLLS = 10  # during each outage
SAID = "samples wait in memory until it can be written"
SAID_AGAIN = "can be written again"
NO_DISK = missing_disk()
needs_disk = pytest.mark.skipif(bool(NO_DISK), reason=NO_DISK)


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with plcs(1) as [simulator]:
        yield simulator


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "disk") as small_disk:
        yield small_disk


def store_of(agent: AgentProcess) -> dict[str, Any]:
    """The store's part of the state; empty while there is none."""
    found: dict[str, Any] = agent.state().get("store", {})
    return found


def polls_of(agent: AgentProcess) -> int:
    [device] = agent.state()["devices"]
    assert device["failures"] == 0
    polls: int = device["polls"]
    return polls


def assert_outage(agent: AgentProcess, words: str) -> None:
    """The agent says that it can't write, and why, and goes on polling."""
    wait_for(lambda: re.search(words, store_of(agent).get("error") or ""), what=words)
    assert "NOT WRITTEN" in agent.status()
    polls = polls_of(agent)
    wait_for(lambda: polls_of(agent) >= polls + MORE_POLLS, what="polls")


def wait_until_written_again(agent: AgentProcess, times: int = 1) -> None:
    wait_for(lambda: len(agent.lines(SAID_AGAIN)) == times, what=SAID_AGAIN)


def left_out_of(agent: AgentProcess) -> int:
    """Polls that a busy machine left out, as the agent itself counts them."""
    state = agent.device("plc")
    left_out: int = state["late"] + state["overruns"]
    return left_out


def assert_all_there(path: Path, left_out: int) -> None:
    """Each poll of the grid was stored once, and no gap was noted."""
    missed, doubled = missed_and_doubled(rows_of(path, "plc"), INTERVAL_S)
    assert missed <= left_out + 1
    assert doubled <= 1
    assert gaps_of(path) == []


@needs_disk
@pytest.mark.parametrize(
    "rounds", [pytest.param(1, id="short"), pytest.param(8, id="long", marks=pytest.mark.slow)]
)
def test_nothing_is_lost_while_the_disk_is_full_and_then_read_only(
    rounds: int, plc: S7Simulator, disk: SmallDisk, tmp_path: Path
) -> None:
    """Takes the seconds for which the log has room when the disk has none any more."""
    device = s7_device("plc", plc.port, interval_s=INTERVAL_S)
    config = write_config(tmp_path, [device], data_dir=disk.path, store="flush_interval_s = 0")

    with AgentProcess(config, data_dir=disk.path, prefix=disk.prefix) as agent:
        wait_for((disk.outside / "telemetry.db").exists, what="a file")
        for number in range(rounds):
            disk.fill()
            assert_outage(agent, "full|disk I/O")
            disk.make_read_only()
            assert_outage(agent, "read.?only|unable to open")
            disk.make_writable()
            disk.free()
            wait_until_written_again(agent, number + 1)
        left_out = left_out_of(agent)
        code, _ = agent.stop()

    assert code == 0
    assert len(agent.lines(SAID)) == rounds
    assert len(agent.lines(SAID_AGAIN)) == rounds
    assert_all_there(disk.copy_out("telemetry.db", tmp_path / "copy.db"), left_out)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [8])
def test_nothing_is_lost_while_another_program_holds_the_lock(
    rounds: int, plc: S7Simulator, tmp_path: Path
) -> None:
    config = write_config(tmp_path, [s7_device("plc", plc.port, interval_s=INTERVAL_S)])
    path = tmp_path / "data" / "telemetry.db"

    with AgentProcess(config) as agent:
        wait_for(lambda: rows_of(path), what="rows")
        for number in range(rounds):
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                assert_outage(agent, "another program has locked it")
            wait_until_written_again(agent, number + 1)
        left_out = left_out_of(agent)
        code, _ = agent.stop()

    assert code == 0
    assert len(agent.lines(SAID)) == rounds
    assert len(agent.lines(SAID_AGAIN)) == rounds
    assert_all_there(path, left_out)


@pytest.mark.parametrize(
    "drops", [pytest.param(10, id="short"), pytest.param(2000, id="long", marks=pytest.mark.slow)]
)
def test_memory_is_bounded_while_nothing_can_be_written_and_the_loss_is_a_gap(
    drops: int, plc: S7Simulator, tmp_path: Path
) -> None:
    # 100 texts of 254 characters twenty times a second fill 1 MiB in 2 s.
    interval_s = 0.05
    plc.set_bytes(20, 0, bytes([254, 254]) + b"x" * 254)
    tags = {f"text{number}": "DB20.DBB0 STRING[254]" for number in range(100)}
    device = s7_device("plc", plc.port, interval_s=interval_s, tags=tags)
    store = "flush_interval_s = 0.2\nmax_waiting_mb = 1"
    config = write_config(tmp_path, [device], store=store)
    path = tmp_path / "data" / "telemetry.db"

    with AgentProcess(config) as agent:
        wait_for(lambda: rows_of(path), what="rows")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wait_for(lambda: store_of(agent)["dropped"] > 0, what="the first drop")
            before_mb = agent.memory_mb()
            wait_for(lambda: store_of(agent)["dropped"] > drops, 300, what="more drops")
            grown_mb = agent.memory_mb() - before_mb
            assert store_of(agent)["waiting_bytes"] <= 1024 * 1024
        wait_until_written_again(agent)
        left_out = left_out_of(agent)
        dropped = store_of(agent)["dropped"]
        code, _ = agent.stop()

    assert code == 0
    assert grown_mb < 4
    assert len(agent.lines(SAID)) == 1
    assert_the_drops_are_a_gap(path, interval_s, dropped, left_out)


def assert_the_drops_are_a_gap(path: Path, interval_s: float, dropped: int, left_out: int) -> None:
    """What is missing lies in one gap, which says how much; the rest is there."""
    rows = rows_of(path, "plc")
    [gap] = gaps_of(path)
    assert gap.end_ms is not None
    missed, _ = missed_and_doubled(rows, interval_s)
    assert gap.reason == "store"
    assert str(dropped) in gap.detail
    assert missed == pytest.approx(dropped, abs=left_out + 1)
    assert [row for row in rows if gap.start_ms <= row.ts_ms <= gap.end_ms] == []


def blocked_by_a_file(folder: Path) -> tuple[Path, Callable[[], None]]:
    """A data folder whose parent is a file, and how that ends."""
    folder.write_text("in the way")
    return folder / "data", folder.unlink


def test_an_agent_whose_data_folder_becomes_usable_later_loses_nothing(
    plc: S7Simulator, tmp_path: Path
) -> None:
    data_dir, make_usable = blocked_by_a_file(tmp_path / "mount")
    device = s7_device("plc", plc.port, interval_s=INTERVAL_S)
    config = write_config(tmp_path, [device], data_dir=data_dir)

    with AgentProcess(config, data_dir=data_dir) as agent:
        assert_outage(agent, "cannot open")
        make_usable()
        wait_until_written_again(agent)
        left_out = left_out_of(agent)
        code, _ = agent.stop()

    assert code == 0
    assert len(agent.lines(SAID)) == 1
    assert_all_there(data_dir / "telemetry.db", left_out)


@needs_disk
@pytest.mark.slow
def test_an_agent_that_starts_on_a_read_only_disk_stores_all_once_it_is_writable(
    plc: S7Simulator, disk: SmallDisk, tmp_path: Path
) -> None:
    device = s7_device("plc", plc.port, interval_s=INTERVAL_S)
    config = write_config(tmp_path, [device], data_dir=disk.path)
    disk.make_read_only()

    with AgentProcess(config, data_dir=disk.path, prefix=disk.prefix) as agent:
        assert_outage(agent, "unable to open|[Rr]ead-only")
        disk.make_writable()
        wait_until_written_again(agent)
        left_out = left_out_of(agent)
        code, _ = agent.stop()

    assert code == 0
    assert len(agent.lines(SAID)) == 1
    assert_all_there(disk.copy_out("telemetry.db", tmp_path / "copy.db"), left_out)
