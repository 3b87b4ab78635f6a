"""``kill -9`` at any moment costs no sample: none that was committed, and none that waited."""

import itertools
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from hw_sim.s7 import S7Simulator
from tests.agent_process import AgentProcess, plcs, s7_device, wait_for, write_config
from tests.proofs.numbered import Numbered, numbered
from tests.proofs.stored import (
    Row,
    gaps_of,
    is_sound,
    reading,
    rows_after,
    rows_of,
    run_starts,
)
from tests.store.journaled import memory_folder, needs_memory

pytestmark = pytest.mark.timeout(600)  # the long forms take up to 2 minutes, others seconds

DEVICES = 5
LATEST_KILL_S = 1.2  # a start takes 0.3 s, so most kills meet an agent that writes
PATIENCE_S = 30.0  # with an agent on a busy machine that has stored nothing yet
SETTLED_ROWS = 2 * DEVICES  # a row of each device is then among the new ones


class Observer:
    """Reads with a connection of its own, and remembers everything that it saw committed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seen: dict[int, Row] = {}

    def watch(self, lasts_s: float, rows: int) -> None:
        """Look again and again for so long, and until so many new rows were seen."""
        end, wanted = time.monotonic() + lasts_s, len(self.seen) + rows
        limit = end + PATIENCE_S
        while (now := time.monotonic()) < end or (len(self.seen) < wanted and now < limit):
            if self._path.exists():
                self._look()
            time.sleep(0.005)

    def _look(self) -> None:
        try:
            with reading(self._path) as connection:
                for row in rows_after(connection, max(self.seen, default=-1)):
                    self.seen[row.key] = row
        except sqlite3.OperationalError:
            return  # no table yet: the agent is still making the file


@pytest.fixture
def five_plcs() -> Iterator[list[S7Simulator]]:
    with plcs(DEVICES) as simulators:
        yield simulators


@pytest.mark.parametrize(
    ("rounds", "flush_interval_s"),
    [
        pytest.param(11, 0.2, id="short"),
        pytest.param(4, 0.0, id="short, each poll committed"),
        pytest.param(150, 0.2, id="long", marks=pytest.mark.slow),
        pytest.param(50, 0.0, id="long, each poll committed", marks=pytest.mark.slow),
    ],
)
def test_a_killed_agent_keeps_every_sample_that_was_seen_committed(
    rounds: int, flush_interval_s: float, five_plcs: Sequence[S7Simulator], tmp_path: Path
) -> None:
    devices = [s7_device(f"plc{n}", plc.port) for n, plc in enumerate(five_plcs)]
    config = write_config(tmp_path, devices, store=f"flush_interval_s = {flush_interval_s}")
    path = tmp_path / "data" / "telemetry.db"
    observer = Observer(path)
    chance = random.Random(rounds)

    for number in range(rounds):
        with AgentProcess(config) as agent:
            # Each fourth agent is killed at any time, perhaps before its first commit.
            observer.watch(chance.uniform(0.0, LATEST_KILL_S), rows=2 if number % 4 else 0)
            assert agent.is_running, agent.log
        if path.exists():
            # Each third time our own connection is the last one out, and empties the log.
            assert is_sound(path, "rw" if number % 3 == 2 else "ro")
            assert not lost_of(observer, path)
    run_to_its_end(config, path)

    assert is_sound(path)
    assert not lost_of(observer, path)
    assert len(observer.seen) > rounds
    assert_times_rise(rows_of(path))
    assert_gaps_once_for_each_restart(path)


def lost_of(observer: Observer, path: Path) -> list[Row]:
    """Rows that were seen committed and are not there now, or not as they were."""
    if not observer.seen:
        return []
    there = {row.key: row for row in rows_of(path)}
    return [row for row in observer.seen.values() if there.get(row.key) != row]


def run_to_its_end(
    config: Path,
    path: Path,
    env: Mapping[str, str] | None = None,
    stations: Sequence[Numbered] = (),
) -> None:
    """An agent that works on the file as it is, polls every device, and stops in order."""
    before = len(rows_of(path))
    # At the second answer the first is in the store; rows may be those that waited.
    wanted = [each.answers + 2 for each in stations]
    with AgentProcess(config, env=env) as agent:
        wait_for(lambda: len(rows_of(path)) >= before + SETTLED_ROWS, what="new rows")
        wait_for(lambda: all(s.answers >= n for s, n in zip(stations, wanted, strict=True)))
        code, _ = agent.stop()
    assert code == 0


def assert_times_rise(rows: Sequence[Row]) -> None:
    """Keys are unique by the table's definition, and here in the order of each device's times."""
    newest: dict[str, int] = {}
    for row in rows:
        assert row.monotonic_ms > newest.get(row.device, -1)
        newest[row.device] = row.monotonic_ms


def assert_gaps_once_for_each_restart(path: Path) -> None:
    """Each run that stored rows of a device says once that the device had none before it."""
    starts = [*run_starts(path), 2**62]
    runs = list(itertools.pairwise(starts))
    rows = rows_of(path)
    wanted: Counter[tuple[str, int]] = Counter()
    for device in {row.device for row in rows}:
        times = [row.ts_ms for row in rows if row.device == device]
        polled = [start for start, end in runs if any(start <= ms < end for ms in times)]
        wanted.update((device, start) for start in polled[1:])
    gaps = gaps_of(path)
    found = Counter((gap.device, gap.end_ms or 0) for gap in gaps if gap.reason == "agent down")

    assert {gap.reason for gap in gaps} == {"agent down"}
    assert found == wanted


@pytest.fixture
def stations() -> Iterator[list[Numbered]]:
    with numbered(3) as found:
        yield found


@pytest.fixture
def memory() -> Iterator[dict[str, str]]:
    """Where agents of the test keep their journal, as a part of their environment."""
    with memory_folder() as folder:
        yield {"RUNTIME_DIRECTORY": str(folder)}


def config_of(folder: Path, stations: Sequence[Numbered]) -> Path:
    devices = [each.device(f"station{n}") for n, each in enumerate(stations)]
    return write_config(folder, devices, store="flush_interval_s = 10")


def lost_and_doubled(stations: Sequence[Numbered], path: Path) -> list[tuple[list[int], list[int]]]:
    return [each.lost_and_doubled(path, f"station{n}") for n, each in enumerate(stations)]


def live_and_be_killed(
    config: Path, env: Mapping[str, str], stations: Sequence[Numbered], answers: int, lives_s: float
) -> None:
    """An agent that got so many answers of each station, and lived for so long at least."""
    wanted = [each.answers + answers for each in stations]
    end = time.monotonic() + lives_s
    with AgentProcess(config, env=env) as agent:
        wait_for(lambda: all(s.answers >= n for s, n in zip(stations, wanted, strict=True)))
        wait_for(lambda: time.monotonic() > end, what="the moment of the kill")
        assert agent.is_running, agent.log


@needs_memory
@pytest.mark.timeout(1800)  # a kill takes a second
@pytest.mark.parametrize(
    "kills", [pytest.param(20, id="short"), pytest.param(500, id="long", marks=pytest.mark.slow)]
)
def test_a_killed_agent_loses_nothing_that_waited_and_doubles_nothing(
    kills: int, stations: Sequence[Numbered], memory: dict[str, str], tmp_path: Path
) -> None:
    config = config_of(tmp_path, stations)
    path = tmp_path / "data" / "telemetry.db"
    chance = random.Random(kills)

    for number in range(kills):
        # Each fourth is killed at any time, perhaps before its first poll.
        answers = 2 if number % 4 else 0
        live_and_be_killed(config, memory, stations, answers, chance.uniform(0, LATEST_KILL_S))
    run_to_its_end(config, path, memory, stations)

    assert lost_and_doubled(stations, path) == [([], [])] * len(stations)
    assert min(each.answers for each in stations) > kills
    assert is_sound(path)
    assert_times_rise(rows_of(path))
    assert_gaps_once_for_each_restart(path)
    assert list(Path(memory["RUNTIME_DIRECTORY"]).iterdir()) == []


@needs_memory
def test_agents_that_are_killed_before_there_is_a_file_lose_nothing(
    stations: Sequence[Numbered], memory: dict[str, str], tmp_path: Path
) -> None:
    config = config_of(tmp_path, stations)
    (tmp_path / "data").write_text("in the way")

    for _ in range(3):
        live_and_be_killed(config, memory, stations, answers=3, lives_s=0.0)
    (tmp_path / "data").unlink()
    path = tmp_path / "data" / "telemetry.db"
    run_to_its_end(config, path, memory, stations)

    assert lost_and_doubled(stations, path) == [([], [])] * len(stations)
    assert len(run_starts(path)) == 4
    assert_gaps_once_for_each_restart(path)
