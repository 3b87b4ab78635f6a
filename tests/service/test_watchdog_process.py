"""A real agent of which one thread stops: what hangs is told apart, and the rest goes on.

Seconds long: a hang is one only after a time, of which the watchdog here allows the least.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.service.restarts import FILE_NAME
from hw_sim.s7 import S7Simulator
from tests.agent_process import AgentProcess, plcs, s7_device, wait_for, write_config
from tests.one_thread import stopped
from tests.proofs.stored import rows_of
from tests.service.listener import Listener, environment

WATCHDOG_S = 3.0
ROWS = 10  # which the others go on to store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="stopping one thread needs root")


@pytest.fixture
def simulators() -> Iterator[list[S7Simulator]]:
    with plcs(2) as found:
        yield found


@pytest.fixture
def config(simulators: list[S7Simulator], tmp_path: Path) -> Path:
    devices = [
        s7_device(name, each.port, timeout_s=0.5)
        for name, each in zip(("well", "sick"), simulators, strict=True)
    ]
    return write_config(tmp_path, devices)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Listener]:
    with Listener(tmp_path / "notify") as listener:
        yield listener


def start(config: Path, systemd: Listener) -> AgentProcess:
    """As systemd starts it, up to the first rows."""
    before = len(systemd.lines)
    agent = AgentProcess(config, env=environment(systemd, WATCHDOG_S))
    try:
        systemd.wait_for("READY=1", before)
        systemd.wait_for("WATCHDOG=1", before)
        wait_for(lambda: rows_of(agent.data_dir / "telemetry.db", "sick"), what="rows")
    except BaseException:
        agent.kill()
        raise
    return agent


def hang_of(agent: AgentProcess) -> dict[str, Any]:
    """What the agent's state says of the one part that hangs."""

    def found() -> dict[str, Any] | None:
        hangs = agent.state().get("hangs")
        return hangs[0] if hangs else None

    hang: dict[str, Any] = wait_for(found, what="a hang in the state")
    return hang


def fed_until_later(agent: AgentProcess, systemd: Listener) -> int:
    """How often the watchdog is fed in half of its time; it should be each third."""
    before = len(systemd.lines)
    began_ms = agent.fresh_state()["now_ms"]
    wait_for(lambda: agent.state().get("now_ms", 0) > began_ms + 1000 * WATCHDOG_S / 2)
    return systemd.lines[before:].count("WATCHDOG=1")


def test_a_hung_scheduler_is_named_and_not_fed_over(config: Path, systemd: Listener) -> None:
    with start(config, systemd) as agent:
        with stopped(agent.pid, "scheduler"):
            systemd.wait_for("STATUS=scheduler HANGS")
            hang = hang_of(agent)
            fed = fed_until_later(agent, systemd)
            before = len(systemd.lines)
        systemd.wait_for("WATCHDOG=1", before)
        code, _ = agent.stop()

    assert (hang["part"], hang["device"], hang["restart"]) == ("scheduler", None, True)
    assert fed == 0
    (line,) = agent.lines(" ERROR ")
    assert "the scheduler hangs" in line
    assert "thread 'APScheduler'" in agent.log  # its stack
    assert agent.lines("scheduler goes on again")
    assert code == 0


@pytest.mark.slow
def test_a_hung_store_is_named_and_not_fed_over(config: Path, systemd: Listener) -> None:
    with start(config, systemd) as agent:
        with stopped(agent.pid, "flush"):
            systemd.wait_for("STATUS=store HANGS")
            hang = hang_of(agent)
            fed = fed_until_later(agent, systemd)
        wait_for(lambda: agent.lines("store goes on again"))

    assert (hang["part"], hang["restart"]) == ("store", True)
    assert fed == 0
    (line,) = agent.lines(" ERROR ")
    assert "the store hangs" in line


def test_a_hung_device_costs_one_restart_and_then_only_its_own_samples(
    config: Path, systemd: Listener
) -> None:
    with start(config, systemd) as agent:
        with stopped(agent.pid, "poll sick"):
            first = hang_of(agent)
            systemd.wait_for("STATUS=sick HANGS; 1 of 2 devices well (sick: ")
            well = {device["name"]: device["is_well"] for device in agent.state()["devices"]}
            fed_at_first = fed_until_later(agent, systemd)
            noted = json.loads((agent.run_dir / FILE_NAME).read_text())
        agent.kill()  # as systemd does

    before = len(systemd.lines)
    with start(config, systemd) as agent:
        path = agent.data_dir / "telemetry.db"
        with stopped(agent.pid, "poll sick"):
            second = hang_of(agent)
            systemd.wait_for("STATUS=sick HANGS", before)
            fed_then = fed_until_later(agent, systemd)
            rows = len(rows_of(path, "well"))
            wait_for(lambda: len(rows_of(path, "well")) > rows + ROWS, what="rows of the other")
        wait_for(lambda: agent.lines("sick goes on again"))
        (line,) = agent.lines(" ERROR ")

    assert (first["device"], first["restart"], fed_at_first) == ("sick", True, 0)
    assert well == {"well": True, "sick": False}
    assert noted["devices"]["sick"]["count"] == 1
    assert (second["device"], second["restart"]) == ("sick", False)
    assert fed_then >= 1
    assert "sick: a poll has not ended" in line
    assert "the next may come in" in line


@pytest.mark.slow
def test_a_device_that_times_out_is_no_hang(
    config: Path, systemd: Listener, simulators: list[S7Simulator]
) -> None:
    simulators[1].set_fault("silent")

    with AgentProcess(config, env=environment(systemd, WATCHDOG_S)) as agent:
        systemd.wait_for("1 of 2 devices well (sick: ")
        fed = fed_until_later(agent, systemd)

    assert fed >= 1
    assert agent.lines("hangs") == []


@pytest.mark.slow
def test_a_store_that_cannot_be_opened_holds_up_neither_the_start_nor_the_watchdog(
    config: Path, systemd: Listener
) -> None:
    (config.parent / "data" / "telemetry.db").mkdir(parents=True)

    with AgentProcess(config, env=environment(systemd, WATCHDOG_S)) as agent:
        systemd.wait_for("READY=1")
        systemd.wait_for("NOT STORED: cannot open")
        fed = fed_until_later(agent, systemd)

    assert fed >= 1


@pytest.mark.slow
def test_a_process_that_was_stopped_accuses_no_part_of_it(config: Path, systemd: Listener) -> None:
    with start(config, systemd) as agent:
        agent.process.send_signal(signal.SIGSTOP)
        end_s = time.monotonic() + 3 * WATCHDOG_S  # longer than any part may hang
        wait_for(lambda: time.monotonic() > end_s)
        agent.process.send_signal(signal.SIGCONT)
        before = len(systemd.lines)
        systemd.wait_for("WATCHDOG=1", before)
        agent.fresh_state()

    assert agent.lines("hangs") == []


def test_what_systemd_aborts_leaves_the_stacks_of_all_threads(
    config: Path, systemd: Listener
) -> None:
    with start(config, systemd) as agent:
        agent.process.send_signal(signal.SIGABRT)
        code = agent.process.wait(30)

    assert code == -signal.SIGABRT
    assert agent.lines("Fatal Python error: Aborted")
    assert len(agent.lines("most recent call first")) > 5


def test_systemd_hears_the_end_and_no_child_may_speak_for_the_agent(
    config: Path, systemd: Listener
) -> None:
    with start(config, systemd) as agent:
        before = len(systemd.lines)
        agent.stop()
        systemd.wait_for("STOPPING=1", before)
        systemd.wait_for("EXTEND_TIMEOUT_USEC=", before)


def test_without_systemd_a_hang_is_said_all_the_same(config: Path) -> None:
    with AgentProcess(config, env={"WATCHDOG_USEC": "3000000"}) as agent:
        wait_for(lambda: rows_of(agent.data_dir / "telemetry.db", "sick"), what="rows")
        agent.stop()

    assert agent.lines(" WARNING ") == []
