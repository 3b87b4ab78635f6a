"""Signals to the one file, which is two processes: both end, and all that was polled is stored."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from hw_sim.s7 import S7Simulator
from tests.agent_process import plcs, s7_device, wait_for, write_config
from tests.frozen.program import Frozen, Started, session_of
from tests.proofs.stored import is_sound, rows_of

POLLS = 10
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with plcs(1) as [simulator]:
        yield simulator


@attrs.frozen
class Polling:
    """An agent that polls a PLC, unpacked into a folder of its own."""

    agent: Frozen
    plc: S7Simulator
    started: Started
    unpacked: Path

    @property
    def rows(self) -> int:
        """How many polls are stored."""
        return len(rows_of(self.agent.folder / "data" / "telemetry.db", "plc"))

    def wait_for_polls(self, more: int = POLLS) -> None:
        """So many more of them."""
        wanted = self.plc.requests + more
        wait_for(
            lambda: self.plc.requests >= wanted or not self.started.is_running,
            self.agent.patience_s,
            "polls",
        )
        assert self.started.is_running, self.started.log


@contextmanager
def polling(agent: Frozen, plc: S7Simulator, store: str) -> Iterator[Polling]:
    write_config(agent.folder, [s7_device("plc", plc.port)], store=store)
    unpacked = agent.folder / "unpacked"
    unpacked.mkdir(exist_ok=True)
    frozen = agent.with_env(TMPDIR=str(unpacked), RUNTIME_DIRECTORY=str(agent.folder / "run"))
    with frozen.started("run") as started:
        found = Polling(frozen, plc, started, unpacked)
        found.wait_for_polls()
        yield found


@pytest.mark.parametrize("to_all", [False, True], ids=["to the first", "to all"])
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: str(number.name))
def test_a_signal_ends_all_of_it_with_every_poll_stored(
    number: signal.Signals, to_all: bool, plc: S7Simulator, agent: Frozen
) -> None:
    with polling(agent, plc, "flush_interval_s = 3600") as found:
        found.started.signal(number, to_all=to_all)
        code = found.started.process.wait(found.agent.stop_s)
        left = session_of(found.started.process.pid)

    assert code == 0, found.started.log
    assert "Traceback" not in found.started.log
    assert left == []
    assert list(found.unpacked.iterdir()) == []
    # The last request may have been that of a poll whose answer was not waited for.
    assert plc.requests - 1 <= found.rows <= plc.requests
    assert sorted(path.name for path in (agent.folder / "data").iterdir()) == [
        "agent.lock",
        "telemetry.db",
        "telemetry.db-shm",
        "telemetry.db-wal",
    ]


def test_a_hang_up_that_is_ignored_stays_so(plc: S7Simulator, agent: Frozen) -> None:
    nohup = Frozen(["/usr/bin/nohup", *agent.words], agent.folder)
    with polling(nohup, plc, "flush_interval_s = 0.2") as found:
        found.started.signal(signal.SIGHUP, to_all=True)
        found.wait_for_polls()
        found.started.signal(signal.SIGTERM, to_all=False)
        code = found.started.process.wait(found.agent.stop_s)

    assert code == 0


@pytest.mark.parametrize("whom", ["the first", "the other", "all"])
def test_after_kill_9_nothing_runs_on_and_the_next_start_works(
    whom: str, plc: S7Simulator, agent: Frozen
) -> None:
    with polling(agent, plc, "flush_interval_s = 0.2") as found:
        wait_for(lambda: found.rows >= POLLS)
        killed = victims(found.started, whom)
        before = found.rows
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        found.started.process.wait(found.agent.stop_s)
        wait_for(lambda: not session_of(found.started.process.pid), what="all of it has ended")
    with polling(agent, plc, "flush_interval_s = 0.2") as again:
        wait_for(lambda: again.rows > before + POLLS)
        again.started.signal(signal.SIGTERM, to_all=False)
        code = again.started.process.wait(again.agent.stop_s)

    assert code == 0, again.started.log
    assert is_sound(agent.folder / "data" / "telemetry.db")


def victims(started: Started, whom: str) -> Sequence[int]:
    """The processes that are killed."""
    first, others = started.process.pid, started.others
    return {"the first": [first], "the other": others or [first]}.get(whom, [first, *others])


@pytest.mark.parametrize("number", SIGNALS[:2], ids=lambda number: str(number.name))
@pytest.mark.parametrize("kind", ["s7", "benchlab", "all"])
def test_a_simulator_ends_as_the_agent_does(
    kind: str, number: signal.Signals, agent: Frozen
) -> None:
    words = [kind, "--port", "0"] if kind == "s7" else [kind]
    unpacked = agent.folder / "unpacked"
    unpacked.mkdir()
    with agent.with_env(TMPDIR=str(unpacked)).started("simulate", *words) as started:
        wait_for(lambda: "Ctrl+C" in started.log or not started.is_running, agent.patience_s)
        started.signal(number, to_all=False)
        code = started.process.wait(agent.stop_s)
        left = session_of(started.process.pid)

    assert code == 0, started.log
    assert left == []
    assert list(unpacked.iterdir()) == []


def test_the_tour_ends_as_the_agent_does(agent: Frozen) -> None:
    unpacked = agent.folder / "unpacked"
    unpacked.mkdir()
    with agent.with_env(TMPDIR=str(unpacked)).started("simulate", "demo") as started:
        wait_for(lambda: "polling 7" in started.log or not started.is_running, agent.patience_s)
        started.signal(signal.SIGINT, to_all=False)
        code = started.process.wait(2 * agent.stop_s)
        left = session_of(started.process.pid)

    assert code == 0, started.log
    assert "now try:" in started.log
    assert left == []
    assert list(unpacked.iterdir()) == []
