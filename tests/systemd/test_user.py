"""A user installs the agent for themselves, without any rights of root."""

import subprocess

import pytest

from tests.agent_process import wait_for
from tests.systemd.counting import CountingDevice, table
from tests.systemd.service import INSTALL_S, PROGRAM, Service

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(600)]

HOME = "/home/owner"


def as_owner(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
    """In the session of a user who has logged in."""
    uid = service.machine.run("id", "-u", "owner").stdout.strip()
    runtime = f"/run/user/{uid}"
    environ = {
        "XDG_RUNTIME_DIR": runtime,
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus",
    }
    return service.machine.run(*words, user="owner", env=environ, timeout_s=INSTALL_S)


def test_a_user_installs_and_removes_a_service_of_their_own(
    service: Service, counting: CountingDevice
) -> None:
    machine = service.machine
    machine.add_user("owner")
    machine.run("loginctl", "enable-linger", "owner")
    wait_for(lambda: machine.show("user@1000", "ActiveState") == "active", what="a user's systemd")
    service.copy(to=f"{HOME}/agent")
    machine.write(f"{HOME}/mine.toml", table())

    said = as_owner(service, f"{HOME}/agent", "install-service", "--user", "--config", "mine.toml")

    counting.wait_for(5)
    status = as_owner(service, "systemctl", "--user", "status", "agent").stdout
    agent = f"{HOME}/.local/bin/agent"
    own = as_owner(service, agent, "status", "--config", f"{HOME}/.config/agent/agent.toml").stdout
    report = as_owner(
        service, agent, "report", "--daily", "--config", f"{HOME}/.config/agent/agent.toml"
    ).stdout
    as_owner(service, f"{HOME}/agent", "uninstall-service", "--user")
    rows = machine.run(
        "sqlite3", f"{HOME}/.local/share/agent/telemetry.db", "SELECT count(*) FROM row"
    ).stdout
    as_owner(service, f"{HOME}/agent", "uninstall-service", "--user", "--purge", "--yes")
    left = machine.run(
        "find", HOME, "-type", "f", "!", "-name", ".bash*", "!", "-name", ".profile"
    ).stdout.split()

    assert "systemctl --user" in said.stdout
    assert "active (running)" in status
    assert "1 of 1 device well" in status
    assert "running as process" in own
    assert "counting" in report
    assert int(rows) == counting.answered
    assert sorted(left) == [f"{HOME}/agent", f"{HOME}/mine.toml"]
    assert PROGRAM not in said.stdout
