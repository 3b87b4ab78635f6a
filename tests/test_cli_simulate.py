"""``agent simulate``: what it lists, what it prints, and that the agent reads what it says."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import main
from agent.config import load
from agent.devices import KINDS
from hw_sim.program import FROM_SOURCE
from hw_sim.registry import SIMULATED
from tests.agent_process import AGENT, wait_for

ROOT = Path(__file__).parent.parent
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}
LIMIT_S = 30.0
COMMANDS = ["all", "fault", "demo", *SIMULATED]
ANY_PORT = {kind: ["--port", "0"] for kind in ("s7", "thermostat", "luxtronik", "modbus", "json")}


@contextmanager
def simulating(folder: Path, *words: str) -> Iterator[list[str]]:
    """``agent simulate`` in a process of its own; the lines that it has said, as they come."""
    log = folder / "simulate.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*AGENT, "simulate", *words],
            cwd=folder,
            env=ENVIRON,
            stdin=subprocess.DEVNULL,
            stdout=stream,
        )
    try:
        wait_for(lambda: "\n[[device]]\n" in log.read_text() or process.poll() is not None)
        yield log.read_text().splitlines()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(LIMIT_S)
    assert process.returncode == 0
    assert log.read_text().splitlines()[-1].startswith("stopped")


def agent(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AGENT, *words], cwd=folder, env=ENVIRON, capture_output=True, text=True, timeout=LIMIT_S
    )


def table_in(lines: list[str]) -> str:
    """What is to be pasted into agent.toml."""
    return "\n".join(lines[lines.index("[[device]]") :])


def test_without_a_kind_all_are_listed() -> None:
    result = CliRunner().invoke(main, ["simulate"], prog_name="agent")

    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in result.stdout] == []


def test_a_kind_that_is_unknown_is_wrong_use() -> None:
    result = CliRunner().invoke(main, ["simulate", "s8"], prog_name="agent")

    assert result.exit_code == 2
    assert "No such command 's8'" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_says_how_it_is_called_here(command: str) -> None:
    result = CliRunner().invoke(main, ["simulate", command, "--help"], prog_name="agent")

    assert result.exit_code == 0
    assert f"Usage: agent simulate {command}" in result.stdout
    assert f"  agent simulate {command}" in result.stdout
    assert FROM_SOURCE not in result.stdout


def test_a_switch_without_simulators_says_what_is_to_run(tmp_path: Path) -> None:
    words = ["simulate", "fault", "--control", str(tmp_path / "none.sock"), "plc", "silent"]

    result = CliRunner().invoke(main, words, prog_name="agent")

    assert result.exit_code == 1
    assert "is agent simulate all running with this --control?" in result.stderr


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *(pytest.param(kind, ANY_PORT.get(kind, []), id=kind) for kind in SIMULATED),
        pytest.param("modbus", ["--link", "meter", "--units", "1"], id="modbus on a line"),
        pytest.param("json", ["--port", "0", "--mode", "lines"], id="json by itself"),
        pytest.param("json", ["--port", "0", "--mode", "request", "--request", "all"], id="asked"),
        pytest.param("json", ["--mode", "serial", "--path", "dir/line"], id="json on a line"),
        pytest.param("s7", ["--port", "0", "--host", "0.0.0.0"], id="s7 from everywhere"),
        pytest.param("benchlab", ["--boards", "2"], id="two boards"),
    ],
)
def test_what_a_kind_prints_is_read_by_the_agent(
    kind: str, options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "dir").mkdir()
    with simulating(tmp_path, kind, *options) as lines:
        (tmp_path / "agent.toml").write_text(table_in(lines), "utf-8")
        devices = load(tmp_path / "agent.toml", KINDS, {}).devices
        results = [agent(tmp_path, "read", device.name) for device in devices]

    assert {device.kind for device in devices} == {kind}
    assert [(each.returncode, each.stderr) for each in results] == [(0, "")] * len(devices)


def test_all_kinds_are_written_and_read_from_an_empty_folder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*AGENT, "simulate", "all", "--config", "simulated.toml", "--control", "faults.sock"],
        cwd=tmp_path,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as simulators:
        wait_for((tmp_path / "simulated.toml").exists)
        run = agent(tmp_path, "run", "--config", "simulated.toml", "--duration", "4")
        status = agent(tmp_path, "status", "--config", "simulated.toml", "--json")
        pulled = agent(tmp_path, "simulate", "fault", "--control", "faults.sock", "plc", "silent")
        simulators.send_signal(signal.SIGTERM)
        said, _ = simulators.communicate(timeout=LIMIT_S)

    devices = json.loads(status.stdout)["devices"]
    assert (run.returncode, simulators.returncode) == (0, 0)
    assert sorted(each["kind"] for each in devices) == sorted(SIMULATED)
    assert [each["name"] for each in devices if not each["last_stored_ms"]] == []
    assert pulled.stdout == "plc: fault silent\n"
    assert FROM_SOURCE not in said + (tmp_path / "simulated.toml").read_text()
    assert "simulate fault --control faults.sock" in said


def test_the_whole_tour_runs_as_a_command_of_the_agent(tmp_path: Path) -> None:
    result = agent(tmp_path, "simulate", "demo", "--duration", "3")

    typed = [line.strip() for line in result.stdout.splitlines() if line.startswith("  ")]
    assert result.returncode == 0, result.stderr
    assert "now try:" in result.stdout
    assert any("simulate fault --control" in line for line in typed)
    assert FROM_SOURCE not in result.stdout
    report = next(shlex.split(line) for line in typed if " report " in line)
    assert agent(tmp_path, *report[1:]).returncode == 0


def test_the_simulators_are_loaded_when_they_are_used_and_not_before() -> None:
    code = "import sys; import agent.cli; print([n for n in sys.modules if n.startswith('hw_sim')])"

    result = subprocess.run([sys.executable, "-c", code], env=ENVIRON, capture_output=True)

    assert result.stdout == b"[]\n"
