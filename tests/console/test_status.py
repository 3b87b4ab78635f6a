"""``agent status``: from the running agent and from the store, or from either alone."""

import json
import os
from typing import Any

import pytest

from agent.model import Metric
from agent.state import DataLock, StateFile
from tests.console.commands import Machine

DEVICE: dict[str, Any] = {
    "name": "host",
    "kind": "host",
    "is_well": True,
    "polls": 12,
    "failures": 1,
    "overruns": 2,
    "late": 3,
    "last_ok_ms": 1_000_000,
    "error": None,
    "reason": None,
    "warnings": [],
    "values": 40,
    "took_ms": 3.21,
}


def say(machine: Machine, **facts: Any) -> None:
    """Let this process be the agent that runs, and say this of itself."""
    state = StateFile(machine.folder / "data", {"RUNTIME_DIRECTORY": str(machine.state_dir)})
    state.write({"pid": os.getpid(), **facts})


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


def test_an_agent_that_never_ran_has_no_store(machine: Machine) -> None:
    result = machine.run("status")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:2] == [
        f"agent    not running; start it with: agent run --config {machine.config}",
        f"store    {machine.folder}/data/telemetry.db, not there yet",
    ]
    assert line_of(result.stdout, "host").split() == ["host", "host", *"–––––––"]


def test_the_same_as_json_says_why_nothing_is_stored(machine: Machine) -> None:
    facts = json.loads(machine.run("status", "--json").stdout)

    assert facts["running"] is False
    assert facts["store"]["error_reading"].endswith(
        "there is no store yet, start the agent with: agent run"
    )
    assert facts["devices"] == [
        {"name": "host", "kind": "host", "gaps_24h": 0, "is_configured": True}
    ]
    assert facts["gaps"] == []


def test_what_is_stored_is_shown_without_an_agent(machine: Machine) -> None:
    machine.store({"level": 1.5, "mode": "on"}, Metric("level", "%"))

    result = machine.run("status")

    assert "agent    not running" in result.stdout
    assert line_of(result.stdout, "store").endswith("B")
    assert line_of(result.stdout, "press").split()[:4] == ["press", "s7", "not", "configured"]


def test_a_store_that_is_none_is_named(machine: Machine) -> None:
    (machine.folder / "data").mkdir()
    (machine.folder / "data" / "telemetry.db").write_bytes(b"no database" * 100)

    result = machine.run("status")

    assert (result.exit_code, result.stderr) == (4, "")
    assert "telemetry.db: file is not a database" in result.stdout
    assert "         next: stop the agent, then: agent store repair" in result.stdout.splitlines()
    assert line_of(result.stdout, "host").split() == ["host", "host", *"–––––––"]


def test_a_store_that_is_none_is_exit_code_4_with_json_too(machine: Machine) -> None:
    (machine.folder / "data").mkdir()
    (machine.folder / "data" / "telemetry.db").write_bytes(b"no database" * 100)

    result = machine.run("status", "--json")

    assert result.exit_code == 4
    assert "file is not a database" in json.loads(result.stdout)["store"]["error_reading"]


def test_a_running_agent_is_shown_with_its_devices(machine: Machine) -> None:
    say(machine, version="9.9", started_ms=0, cpu_s=1.0, devices=[DEVICE])

    result = machine.run("status")

    assert line_of(result.stdout, "agent").startswith(f"agent    running as process {os.getpid()} ")
    assert line_of(result.stdout, "host").split()[:3] == ["host", "host", "well"]
    assert line_of(result.stdout, "host").split()[-6:] == ["40", "12", "1", "5", "3.2", "ms"]


def test_an_agent_that_holds_its_folder_runs_even_if_it_says_nothing(machine: Machine) -> None:
    lock = DataLock(machine.folder / "data")
    lock.hold()

    text, facts = machine.run("status"), json.loads(machine.run("status", "--json").stdout)
    lock.release()

    assert text.stdout.startswith("agent    running, but says nothing of itself\n")
    assert facts["running"] is True
    assert machine.run("status").stdout.startswith("agent    not running; start it with: ")


def test_a_lock_that_is_a_fifo_holds_nobody_up(machine: Machine) -> None:
    (machine.folder / "data").mkdir()
    os.mkfifo(machine.folder / "data" / "agent.lock")

    assert machine.run("status").stdout.startswith("agent    not running; start it with: ")


def test_status_leaves_no_lock_behind(machine: Machine) -> None:
    (machine.folder / "data").mkdir()
    (machine.folder / "data" / "agent.lock").touch()
    lock = DataLock(machine.folder / "data")

    machine.run("status")

    lock.hold()
    lock.release()


def test_a_failing_device_is_shown_with_its_error(machine: Machine) -> None:
    error = "reading 10.0.0.7: \x1b[31mno\nanswer"
    device = DEVICE | {"is_well": False, "reason": "timeout", "error": error}
    say(machine, devices=[device])

    result = machine.run("status")

    assert "FAILS: timeout" in line_of(result.stdout, "host ")
    assert r"host: reading 10.0.0.7: \x1b[31mno\nanswer" in result.stdout.splitlines()


def test_a_warning_of_a_device_is_shown(machine: Machine) -> None:
    say(machine, devices=[DEVICE | {"warnings": ["the battery is gone"]}])

    result = machine.run("status")

    assert "host: warning: the battery is gone" in result.stdout.splitlines()


def test_a_store_that_is_not_written_is_shouted(machine: Machine) -> None:
    store = {"error": "the disk is full", "error_since_ms": 0, "waiting": 7, "waiting_bytes": 2000}
    say(machine, store=store)

    result = machine.run("status")

    assert "NOT WRITTEN for " in result.stdout
    assert ": the disk is full" in result.stdout
    assert "7 samples wait in memory (2.0 kB), 0 were dropped" in result.stdout
    assert "costs everything since then, it is only in memory" in result.stdout
    assert "at most" not in result.stdout


@pytest.mark.parametrize("facts", [{}, {"devices": [{"name": "host"}]}, {"store": {}}])
def test_an_agent_of_another_version_may_say_less(machine: Machine, facts: dict[str, Any]) -> None:
    say(machine, **facts)

    text, as_json = machine.run("status"), machine.run("status", "--json")

    assert (text.exit_code, as_json.exit_code) == (0, 0)
    assert json.loads(as_json.stdout)["running"] is True


def test_a_device_that_is_off_is_no_error(machine: Machine) -> None:
    machine.configure(machine.host_table() + "enabled = false\n")

    result = machine.run("status")

    assert result.exit_code == 0


def test_the_example_of_the_help_leaves_out_what_is_not_configured(machine: Machine) -> None:
    result = machine.run("status", "--help")

    assert "select(.is_configured and (.is_well | not))" in result.stdout
