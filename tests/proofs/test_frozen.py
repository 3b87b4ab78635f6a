"""A process that gets no time leaves polls out, makes none up, and counts each once."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.s7 import S7Simulator
from tests.agent_process import AgentProcess, plcs, s7_device, wait_for, write_config
from tests.proofs.stored import missed_and_doubled, rows_of

INTERVAL_S = 0.1
FREEZES = 3
FROZEN_S = 0.55


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with plcs(1) as [simulator]:
        yield simulator


@pytest.mark.parametrize(
    "delay_s",
    [
        pytest.param(0.0, id="between polls", marks=pytest.mark.slow),
        pytest.param(0.25, id="in a poll that takes longer than its interval"),
    ],
)
def test_each_poll_that_a_frozen_process_leaves_out_is_counted_once(
    delay_s: float, plc: S7Simulator, tmp_path: Path
) -> None:
    plc.set_fault(f"delay:{delay_s}")
    config = write_config(tmp_path, [s7_device("plc", plc.port, interval_s=INTERVAL_S)])
    path = tmp_path / "data" / "telemetry.db"

    with AgentProcess(config) as agent:
        wait_for(lambda: rows_of(path), what="rows")
        for _ in range(FREEZES):
            freeze(agent)
            wait_for_requests(plc, plc.requests + 2)
        plc.set_fault(None)
        wait_for_requests(plc, plc.requests + 3)  # then nothing lasts that could be counted
        device = agent.device("plc")
        code, _ = agent.stop()

    rows = [row for row in rows_of(path) if row.ts_ms <= device["last_ok_ms"]]
    missed, doubled = missed_and_doubled(rows, INTERVAL_S)
    assert code == 0
    assert doubled == 0
    assert missed >= FREEZES * (FROZEN_S / INTERVAL_S - 2)
    assert device["late"] + device["overruns"] == pytest.approx(missed, abs=1)


def wait_for_requests(plc: S7Simulator, count: int) -> None:
    wait_for(lambda: plc.requests >= count, what="polls")


def freeze(agent: AgentProcess) -> None:
    agent.process.send_signal(signal.SIGSTOP)
    end = time.monotonic() + FROZEN_S
    wait_for(lambda: time.monotonic() >= end)
    agent.process.send_signal(signal.SIGCONT)
