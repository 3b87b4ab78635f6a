"""``flush_interval_s`` is the bound of what is not in the file yet: the poll in hand at 0."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.s7 import S7Simulator
from tests.agent_process import AgentProcess, plcs, s7_device, wait_for, write_config
from tests.proofs.stored import rows_of

pytestmark = pytest.mark.timeout(600)  # the long forms take up to 2 minutes, others seconds

POLLS = 20


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with plcs(1) as [simulator]:
        yield simulator


def wait_for_requests(plc: S7Simulator, count: int) -> None:
    wait_for(lambda: plc.requests >= count, what="polls")


@pytest.mark.parametrize(
    "rounds", [pytest.param(1, id="short"), pytest.param(40, id="long", marks=pytest.mark.slow)]
)
def test_with_an_interval_of_zero_only_the_poll_in_hand_is_not_in_the_file(
    rounds: int, plc: S7Simulator, tmp_path: Path
) -> None:
    config = write_config(tmp_path, [s7_device("plc", plc.port)], store="flush_interval_s = 0")

    for _ in range(rounds):
        began = plc.requests
        with AgentProcess(config) as agent:
            stored = len(rows_of(agent.data_dir / "telemetry.db"))
            wait_for_requests(plc, began + POLLS)
        polled = plc.requests - began
        stored = len(rows_of(agent.data_dir / "telemetry.db")) - stored

        # One that the agent before had read, and waited in memory when that was killed, is new.
        assert polled - 1 <= stored <= polled + 1


def test_with_an_interval_of_an_hour_the_first_samples_and_those_at_the_end_are_stored(
    plc: S7Simulator, tmp_path: Path
) -> None:
    config = write_config(tmp_path, [s7_device("plc", plc.port)], store="flush_interval_s = 3600")
    path = tmp_path / "data" / "telemetry.db"

    with AgentProcess(config) as agent:
        wait_for(lambda: rows_of(path), what="the first commit")
        early = len(rows_of(path))
        began = plc.requests
        wait_for_requests(plc, began + POLLS)
        meanwhile = len(rows_of(path))
        code, _ = agent.stop()

    assert code == 0
    assert early == meanwhile
    assert plc.requests - 1 <= len(rows_of(path)) <= plc.requests
