"""From one version to the next, and back when the next one is not well."""

import itertools

import pytest

from tests.agent_process import wait_for
from tests.systemd.counting import CountingDevice, table
from tests.systemd.figures import Figures
from tests.systemd.programs import OTHER_VERSION, other_build
from tests.systemd.service import PROGRAM, Service

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(900)]

NEXT = "/root/agent-next"
VERSIONS = "/usr/local/lib/agent/versions"


@pytest.fixture
def upgradable(service: Service, counting: CountingDevice) -> Service:
    """A service that has run for a while, and another version beside it."""
    service.install_with([table()])
    service.copy(other_build(), NEXT)
    counting.wait_for(10)
    return service


def version(service: Service) -> str:
    return str(service.state()["agent"]["version"])


def longest_pause_s(service: Service) -> float:
    """Between two samples that are stored."""
    times = [int(row["ts_ms"]) for row in service.rows("SELECT ts_ms FROM row ORDER BY id")]
    return max(later - earlier for earlier, later in itertools.pairwise(times)) / 1000


def all_answers_are_stored(service: Service, counting: CountingDevice) -> bool:
    """Looked at when the service has stopped."""
    service.machine.run("systemctl", "stop", "agent")
    return service.numbers() == list(range(1, counting.answered + 1))


def test_an_upgrade_goes_on_with_the_samples(
    upgradable: Service, counting: CountingDevice, figures: Figures
) -> None:
    before = version(upgradable)

    upgradable.install(program=NEXT)

    counting.wait_for(5)
    pause_s = longest_pause_s(upgradable)
    figures.note("upgrade: longest time without a sample", pause_s, "s")
    assert before != OTHER_VERSION
    assert version(upgradable) == OTHER_VERSION
    assert all_answers_are_stored(upgradable, counting)
    assert pause_s < 30


@pytest.mark.parametrize("fault", ["exit", "crash:4", "sleep", "stand still:2"])
def test_a_version_that_is_not_well_is_taken_back(
    fault: str, upgradable: Service, counting: CountingDevice, figures: Figures
) -> None:
    machine = upgradable.machine
    before = version(upgradable)
    versions = machine.run("ls", VERSIONS).stdout
    machine.write("/etc/agent/agent.env", f"FAULT_OF_BUILD={fault}\n")

    done = upgradable.install(program=NEXT, check=False)

    counting.wait_for(5)
    figures.note(f"roll-back from {fault!r}: without a sample", longest_pause_s(upgradable), "s")
    assert done.returncode == 1
    assert OTHER_VERSION in done.stderr
    assert version(upgradable) == before
    assert upgradable.is_active
    assert machine.run("ls", VERSIONS).stdout == versions
    assert all_answers_are_stored(upgradable, counting)


def test_installing_twice_changes_nothing(upgradable: Service) -> None:
    machine = upgradable.machine
    pid = upgradable.pid
    listing = ("find", "/usr/local", "/etc", "-newer", PROGRAM, "-printf", "%p %i %T@\n")
    before = machine.run(*listing).stdout

    said = upgradable.install().stdout

    assert upgradable.pid == pid
    assert machine.run(*listing).stdout == before
    assert not [line for line in said.splitlines() if line.startswith(("done", "failed"))]


@pytest.mark.parametrize("lines", [1, 3, 5, 7, 9])
def test_an_installation_that_was_killed_can_be_repeated(
    lines: int, upgradable: Service, counting: CountingDevice
) -> None:
    kill_after(upgradable, lines)

    upgradable.install(program=NEXT)

    counting.wait_for(5)
    assert version(upgradable) == OTHER_VERSION
    assert all_answers_are_stored(upgradable, counting)


@pytest.mark.parametrize("lines", [1, 3, 5, 7, 9])
def test_a_first_installation_that_was_killed_can_be_repeated(
    lines: int, service: Service, counting: CountingDevice
) -> None:
    service.copy(to=NEXT)
    service.machine.write("/root/mine.toml", table())
    kill_after(service, lines, "--config", "/root/mine.toml")

    service.install("--config", "/root/mine.toml", program=NEXT)

    counting.wait_for(3)
    assert service.is_active


def kill_after(service: Service, lines: int, *options: str) -> None:
    """``kill -9`` of an installation that has said so many things."""
    output = "/root/installing"
    properties = [f"StandardOutput=file:{output}", "RemainAfterExit=yes"]
    service.machine.start("installing", NEXT, "install-service", *options, properties=properties)

    def has_said() -> bool:
        said = service.machine.run("cat", output, check=False).stdout
        is_over = service.machine.show("installing", "SubState") in ("exited", "failed")
        return said.count("\n") >= lines or is_over

    wait_for(has_said, 120, f"{lines} lines")
    service.machine.run("systemctl", "kill", "--signal=KILL", "installing", check=False)
    wait_for(lambda: not int(service.machine.show("installing", "MainPID")), what="its end")
