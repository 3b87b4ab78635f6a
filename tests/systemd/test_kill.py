"""``kill -9`` of the service: it runs again at once, and not one sample is missing."""

import os
import random
import signal

import pytest

from tests.agent_process import wait_for
from tests.systemd.counting import CountingDevice, table
from tests.systemd.figures import Figures
from tests.systemd.service import Service

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "kills", [pytest.param(3, id="short"), pytest.param(30, id="long", marks=pytest.mark.slow)]
)
def test_a_killed_service_runs_again_and_has_lost_no_sample(
    kills: int, service: Service, counting: CountingDevice, figures: Figures
) -> None:
    service.install_with([table(interval_s=0.1)], flush_s=600)  # so all of it waits in memory
    chance = random.Random(kills)
    in_flight, waiting = set(), 0

    for _ in range(kills):
        waiting += service.state()["store"]["waiting"]
        counting.wait_for(chance.randrange(3, 20))
        in_flight.add(kill(service, counting))
    counting.wait_for(3)
    service.machine.run("systemctl", "stop", "agent")

    numbers = service.numbers()
    missing = set(range(1, counting.answered + 1)) - set(numbers)
    figures.note(f"samples of {kills} killed services", len(numbers))
    figures.note("  of them in memory only, at least", waiting)
    figures.note("  answers whose poll was killed", len(missing))
    figures.note("  seconds from kill -9 to READY, the longest", longest_restart_s(service))
    assert waiting > 0
    assert missing <= in_flight  # what the device had answered to a poll that was not yet done
    assert numbers == sorted(set(numbers))
    assert service.machine.show("agent", "RestartUSec") == "500ms"


def kill(service: Service, counting: CountingDevice) -> int:
    """The last number that the device had told before another process asked."""
    before = service.restarts
    os.kill(service.outside_pid(), signal.SIGKILL)
    last = counting.answered
    wait_for(lambda: service.restarts == before + 1 and service.is_active, what="a restart")
    return last


def longest_restart_s(service: Service) -> float:
    """From the end of a process to the start of the service, as systemd noted them."""
    ended, found = 0, [0.0]
    for entry in service.machine.journal("--unit=agent", "_PID=1"):
        at_us = int(entry["__MONOTONIC_TIMESTAMP"])
        if "Main process exited" in entry["MESSAGE"]:
            ended = at_us
        elif entry["MESSAGE"].startswith("Started ") and ended:
            found.append((at_us - ended) / 1e6)
    return max(found)
