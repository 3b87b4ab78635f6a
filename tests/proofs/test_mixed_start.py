"""Devices that are sick at the start cost only themselves, and come back by themselves."""

import itertools
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hw_sim.s7 import S7Simulator
from tests.agent_process import (
    AgentProcess,
    host_device,
    plcs,
    s7_device,
    wait_for,
    write_config,
)
from tests.proofs.stored import StoredGap, gaps_of, rows_of

pytestmark = pytest.mark.timeout(600)  # the long forms take up to 2 minutes, others seconds

FAULTS = {"refusing": "refuse", "black": "blackhole", "noisy": "garbage"}
REASONS = {"refusing": "refused", "black": "timeout", "noisy": "bad data"}
WELL = ("well1", "well2")
FIRST_ROWS_S = 5.0  # from the start of the process; 1.3 s where nothing else runs
LONGEST_GAP_MS = 500  # of a device that is well: five polls


@pytest.fixture
def simulators() -> Iterator[dict[str, S7Simulator]]:
    names = (*WELL, *FAULTS)
    with plcs(len(names)) as started:
        found = dict(zip(names, started, strict=True))
        for name, fault in FAULTS.items():
            found[name].set_fault(fault)
        yield found


@pytest.mark.parametrize(
    "sick_s", [pytest.param(0.0, id="short"), pytest.param(20.0, id="long", marks=pytest.mark.slow)]
)
def test_sick_devices_leave_the_others_alone_and_come_back_by_themselves(
    sick_s: float, simulators: Mapping[str, S7Simulator], tmp_path: Path
) -> None:
    devices = [s7_device(name, plc.port, timeout_s=0.5) for name, plc in simulators.items()]
    config = write_config(tmp_path, [host_device(1.0), *devices])
    path = tmp_path / "data" / "telemetry.db"

    with AgentProcess(config) as agent:
        wait_for(lambda: {row.device for row in rows_of(path)} >= set(WELL))
        first_rows_s = time.monotonic() - agent.started_s
        wait_for(lambda: rows_of(path, table="host_row"), what="the host's first row")
        wait_for(lambda: len(sick_gaps(path)) == len(FAULTS), what="a gap for each")
        reasons = {gap.device: gap.reason for gap in sick_gaps(path)}
        are_open = all(gap.end_ms is None for gap in sick_gaps(path))
        began_s = time.monotonic()
        wait_for(lambda: time.monotonic() >= began_s + sick_s)
        for name in FAULTS:
            simulators[name].set_fault(None)
        wait_for(lambda: {row.device for row in rows_of(path)} == set(simulators), 40 + sick_s)
        code, _ = agent.stop()

    assert code == 0
    assert first_rows_s < FIRST_ROWS_S
    assert (reasons, are_open) == (REASONS, True)
    assert_closed_where_rows_begin(path)
    assert_told_once(agent)
    assert [gap for gap in gaps_of(path) if gap.device in (*WELL, "host")] == []
    assert max(longest_pause_ms(path, name) for name in WELL) < LONGEST_GAP_MS


def sick_gaps(path: Path) -> list[StoredGap]:
    return [gap for gap in gaps_of(path) if gap.device in FAULTS]


def assert_closed_where_rows_begin(path: Path) -> None:
    """The last gap of each ends with its first row, and no other is open."""
    for name in FAULTS:
        gaps = gaps_of(path, name)
        assert gaps[-1].end_ms == rows_of(path, name)[0].ts_ms
        assert all(gap.end_ms is not None for gap in gaps)


def assert_told_once(agent: AgentProcess) -> None:
    for name in FAULTS:
        assert len(agent.lines(f"WARNING {name}: ")) == 1
        assert len(agent.lines(f"{name}: well again")) == 1
    assert agent.lines("ERROR") == agent.lines("Traceback") == []


def longest_pause_ms(path: Path, name: str) -> int:
    times = [row.monotonic_ms for row in rows_of(path, name)]
    return max(b - a for a, b in itertools.pairwise(times))
