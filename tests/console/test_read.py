"""``agent read``: one reading of one device, or why there is none."""

import json
import os
import subprocess
import sys

import pytest

from agent.config import load
from agent.console.commands import read_report
from agent.devices import KINDS
from hw_sim.s7 import S7Simulator
from tests.console.commands import LIMIT_S, ROOT, Machine
from tests.peers import free_port


def plc_table(port: int, help_: str = "Oil") -> str:
    tag = f'name = "pressure"\naddress = "DB1.DBD6:REAL"\nunit = "bar"\nhelp = "{help_}"'
    return (
        f'[[device]]\nname = "plc"\nkind = "s7"\nhost = "127.0.0.1"\nport = {port}\n'
        f"timeout_s = 5\n[[device.tag]]\n{tag}\n"
    )


def test_a_reading_has_values_and_units(machine: Machine) -> None:
    result = machine.run("read", "host")

    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert (result.exit_code, result.stderr) == (0, "")
    assert rows["battery_pct"][:2] == ["87", "%"]
    assert " values" in result.stdout.splitlines()[-1]
    assert result.stdout.endswith(" ms, the connection included\n")


def test_a_reading_is_json_too(machine: Machine) -> None:
    result = machine.run("read", "HOST", "--json")

    facts = json.loads(result.stdout)
    assert (facts["device"], facts["kind"]) == ("host", "host")
    (battery,) = (value for value in facts["values"] if value["name"] == "battery_pct")
    assert (battery["value"], battery["unit"]) == (87, "%")


def test_a_plc_is_read(machine: Machine) -> None:
    with S7Simulator() as simulator:
        machine.configure(plc_table(simulator.port))

        result = machine.run("read", "plc")

    assert result.stdout.splitlines()[1].split()[2:] == ["bar", "Oil"]


def test_only_the_metrics_that_are_asked_for_are_shown(machine: Machine) -> None:
    text = machine.run("read", "host", "LOAD1", "battery charge").stdout.split("\n\n")[0]
    facts = json.loads(machine.run("read", "host", "load1", "--json").stdout)

    shown = [line.split()[0] for line in text.splitlines()[1:]]
    assert shown == ["battery_pct", "load1", "load15"]
    assert [value["name"] for value in facts["values"]] == ["load1", "load15"]


def test_an_unknown_device_has_a_hint(machine: Machine) -> None:
    result = machine.run("read", "hots")

    assert result.exit_code == 2
    assert result.stderr == (f"error: {machine.config}: no device 'hots', did you mean 'host'?\n")


def test_a_device_of_an_empty_configuration_is_unknown(machine: Machine) -> None:
    machine.configure()

    result = machine.run("read", "host")

    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {machine.config}: no device 'host', there is no [[device]] in it\n"
    )


def test_a_device_that_refuses_is_exit_code_3(machine: Machine) -> None:
    port = free_port()
    machine.configure(plc_table(port))

    result = machine.run("read", "plc")

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"error: connecting to 127.0.0.1:{port}: connection refused")


def test_what_a_device_says_cannot_steer_the_terminal(machine: Machine) -> None:
    with S7Simulator() as simulator:
        simulator.freeze()
        simulator.set_bytes(1, 6, b"\x1b[2J")
        text = plc_table(simulator.port, "\\u001b[2J\\u202e").replace(
            "DB1.DBD6:REAL", "DB1.DBB6:CHAR"
        )
        machine.configure(text)

        report = read_report(load(machine.config, KINDS, {}), "plc", as_json=False)

    assert "\x1b" not in report
    assert "\u202e" not in report
    assert r"\x1b" in report


@pytest.mark.parametrize(("columns", "is_whole"), [("50", False), ("200", True)])
def test_the_help_of_a_metric_has_the_room_that_a_terminal_gives(
    machine: Machine, columns: str, is_whole: bool
) -> None:
    help_ = "Oil pressure behind the pump, as the press shows it on its panel. " * 2
    with S7Simulator() as simulator:
        machine.configure(plc_table(simulator.port, help_))

        lines = in_terminal(machine, columns, "read", "plc").splitlines()

    row = next(line for line in lines if line.startswith("pressure"))
    assert len(row) <= int(columns)
    assert row.endswith("panel." if is_whole else "…")


def test_in_a_pipe_the_help_of_a_metric_is_whole(machine: Machine) -> None:
    with S7Simulator() as simulator:
        machine.configure(plc_table(simulator.port, "x" * 400))

        result = machine.run("read", "plc")

    assert "x" * 400 in result.stdout


def in_terminal(machine: Machine, columns: str, *words: str) -> str:
    """What a command prints when its standard output is a terminal of that width."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "agent", *words, "--config", str(machine.config)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": columns}
    subprocess.run(command, stdout=theirs, env=environ, timeout=LIMIT_S, check=True)
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    return text
