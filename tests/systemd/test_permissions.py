"""What root and members of the group do with the agent's files does not hold up the service."""

import pytest

from tests.agent_process import wait_for
from tests.systemd.counting import CountingDevice, table
from tests.systemd.service import Service

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(600)]

COMMANDS = ("agent status", "agent check", "agent report --daily")
REPORT = "/var/lib/agent/reports/counting/daily/*_daily.csv"


@pytest.mark.parametrize("user", ["", "member"])
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
def test_the_service_goes_on_with_files_that_others_have_made(
    user: str, is_running: bool, service: Service, counting: CountingDevice
) -> None:
    machine = service.machine
    service.install_with([table(), "[reports]", f'time = "{in_minutes(service, 2)}"'])
    if user:
        machine.add_user(user, "agent")
    if not is_running:
        machine.run("systemctl", "stop", "agent")
    before = counting.answered
    for command in COMMANDS:
        said = machine.run(*command.split(), user=user, check=False)
        assert said.returncode in (0, 1), said.stderr
    machine.run("systemctl", "start", "agent")
    by_hand = inode(service)

    counting.wait_for(20)
    wait_for(lambda: inode(service) != by_hand, 180, "a report of the service")
    machine.run("systemctl", "stop", "agent")

    assert service.numbers() == list(range(1, counting.answered + 1))
    assert counting.answered > before + 20
    assert not [entry for entry in service.log() if int(entry["PRIORITY"]) < 5]


def test_the_service_goes_on_with_a_store_that_root_has_written(
    service: Service, counting: CountingDevice
) -> None:
    service.install_with([table()])
    service.machine.run("systemctl", "stop", "agent")
    service.machine.run("agent", "run", "--duration", "3")

    service.machine.run("systemctl", "start", "agent")

    counting.wait_for(20)
    service.machine.run("systemctl", "stop", "agent")
    assert service.numbers() == list(range(1, counting.answered + 1))


def in_minutes(service: Service, minutes: int) -> str:
    return service.machine.run("date", "+%H:%M", f"--date={minutes} minutes").stdout.strip()


def inode(service: Service) -> str:
    return service.machine.run("sh", "-c", f"stat -c %i {REPORT}", check=False).stdout
