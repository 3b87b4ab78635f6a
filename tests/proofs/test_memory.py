"""Without room in memory for the journal each poll is stored at once, until there is room again."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.agent_process import AgentProcess, wait_for, write_config
from tests.proofs.numbered import Numbered, numbered
from tests.proofs.small_disk import SmallDisk, missing_disk
from tests.proofs.stored import rows_of
from tests.store.journaled import memory_folder, needs_memory

NO_DISK = missing_disk()
needs_disk = pytest.mark.skipif(bool(NO_DISK), reason=NO_DISK)
WITHOUT = "no journal in memory: No space left on device; each poll is written at once meanwhile"
POLLS = 10
BOUND = "a power cut costs at most the last 3600 s, a killed process nothing"
BOUND_WITHOUT = "a power cut or a killed process costs at most the poll in hand"


@pytest.fixture
def stations() -> Iterator[list[Numbered]]:
    with numbered(1) as found:
        yield found


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "memory") as small:
        yield small


@needs_memory
def test_the_bound_in_force_is_printed_at_the_start_and_by_status(
    stations: Sequence[Numbered], tmp_path: Path
) -> None:
    device = stations[0].device("station")
    config = write_config(tmp_path, [device], store="flush_interval_s = 3600")

    with memory_folder() as folder:
        env = {"RUNTIME_DIRECTORY": str(folder)}
        with AgentProcess(config, env=env) as agent:
            text = wait_for(lambda: BOUND in agent.status(), what="the bound")
            store = agent.status_json()["store"]
            code, _ = agent.stop()
            place = folder / Path(store["journal"]).name

    assert (code, text) == (0, True)
    assert len(agent.lines(f"telemetry.db; {BOUND}")) == 1
    assert store["journal"] == str(place)
    assert (store["journal_error"], store["power_cut_s"], store["killed_s"]) == (None, 3600.0, 0.0)


@needs_disk
def test_while_memory_is_full_each_poll_is_stored_at_once(
    stations: Sequence[Numbered], memory: SmallDisk, tmp_path: Path
) -> None:
    [station] = stations
    config = write_config(tmp_path, [station.device("station")], store="flush_interval_s = 3600")
    path = tmp_path / "data" / "telemetry.db"
    env = {"RUNTIME_DIRECTORY": str(memory.path)}

    with AgentProcess(config, env=env, prefix=memory.prefix) as agent:
        wait_for(lambda: BOUND in agent.status(), what="a journal")
        memory.fill()
        wait_for(lambda: agent.lines(WITHOUT), what="the end of the journal")
        rows = len(rows_of(path))
        wait_for(lambda: len(rows_of(path)) > rows + POLLS, what="rows")
        memory.free()
        wait_for(lambda: agent.lines("the journal in memory works again"), what="a journal")
        wait_for(lambda: BOUND in agent.status(), what="the bound")
        answers = station.answers
        wait_for(lambda: station.answers > answers + POLLS, what="polls that wait")
    with AgentProcess(config, env=env, prefix=memory.prefix) as agent:
        wait_for(lambda: agent.lines("are stored now"), what="what waited")
        code, _ = agent.stop()

    assert code == 0
    assert station.lost_and_doubled(path, "station") == ([], [])


@needs_disk
def test_an_agent_that_starts_while_memory_is_full_says_so(
    stations: Sequence[Numbered], memory: SmallDisk, tmp_path: Path
) -> None:
    [station] = stations
    config = write_config(tmp_path, [station.device("station")], store="flush_interval_s = 3600")
    path = tmp_path / "data" / "telemetry.db"
    env = {"RUNTIME_DIRECTORY": str(memory.path)}
    memory.fill()

    with AgentProcess(config, env=env, prefix=memory.prefix) as agent:
        wait_for(lambda: len(rows_of(path)) > POLLS, what="rows")
        code, _ = agent.stop()

    assert code == 0
    assert len(agent.lines(WITHOUT)) == 1
    assert station.lost_and_doubled(path, "station") == ([], [])
