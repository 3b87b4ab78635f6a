"""Where nothing is installed, and what the user is told instead."""

import pytest

from agent.errors import AgentError, ConfigError
from tests.service.installing import places_of, run_install
from tests.service.system import System


@pytest.mark.parametrize(
    ("uid", "is_user", "text"),
    [(1000, False, "sudo "), (0, True, "without sudo")],
)
def test_the_wrong_user_is_told_what_to_type(
    system: System, uid: int, is_user: bool, text: str
) -> None:
    with pytest.raises(AgentError, match=text):
        run_install(system, machine=system.machine(uid=uid), is_user=is_user)

    assert system.commands == []


def test_without_systemd_nothing_is_done(system: System) -> None:
    (system.root / "run/systemd/system").rmdir()

    with pytest.raises(AgentError, match="systemd is not running here"):
        run_install(system)


def test_the_service_of_somebody_else_is_left_alone(system: System) -> None:
    places_of(system).unit.write_text("[Service]\nExecStart=/usr/bin/other\n")

    with pytest.raises(AgentError, match="another program's service"):
        run_install(system)


def test_a_command_of_somebody_else_is_left_alone(system: System) -> None:
    command = places_of(system).command
    command.parent.mkdir(parents=True)
    command.write_text("other")

    with pytest.raises(AgentError, match="is not from here"):
        run_install(system)

    assert command.read_text() == "other"


def test_a_package_of_the_system_is_not_installed_over(system: System) -> None:
    path = places_of(system).package_units[0]
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\n")

    with pytest.raises(AgentError, match="installed as a package"):
        run_install(system)


def test_a_masked_service_says_how_to_unmask_it(system: System) -> None:
    places_of(system).unit.symlink_to("/dev/null")

    with pytest.raises(AgentError, match="systemctl unmask agent"):
        run_install(system)


def test_a_user_that_somebody_logs_in_as_is_not_taken(system: System) -> None:
    system.users["agent"] = "agent:x:1000:1000:Agent Smith:/home/agent:/bin/bash"

    with pytest.raises(AgentError, match="somebody's login"):
        run_install(system)


@pytest.mark.parametrize(
    "prefix", ["", "/", "/usr", "relative", "/opt/../usr", "/home/pi", "/tmp/x", "/opt/a\nb"]
)
def test_a_dangerous_prefix_is_refused(system: System, prefix: str) -> None:
    with pytest.raises(ConfigError, match="--prefix: found"):
        run_install(system, prefix=prefix)


def test_the_prefix_of_the_first_installation_is_kept(system: System) -> None:
    run_install(system, prefix="/opt/my apps")

    run_install(system, "1.1.0")

    assert (system.root / "opt/my apps/lib/agent/current").readlink().name == "1.1.0-01234567"
    assert not (system.root / "usr/local").exists()


def test_another_prefix_than_that_of_the_service_is_refused(system: System) -> None:
    run_install(system)
    command = places_of(system).command

    with pytest.raises(AgentError, match=rf"is installed below .*: sudo {command} uninstall-"):
        run_install(system, prefix="/opt/agent")

    path = str(command.parent)
    with pytest.raises(AgentError, match=r"is installed below .*: sudo agent uninstall-"):
        run_install(system, prefix="/opt/agent", machine=system.machine(PATH=path))
