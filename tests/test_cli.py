"""The command line: its help, its exit codes, and what becomes of errors and pipes."""

import json
import platform
import re
import sqlite3
from importlib import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agent import __version__
from agent.cli import main
from agent.console.version import libraries
from agent.store.schema import VERSION
from tests.console.commands import in_shell

COMMANDS = sorted(main.commands)
ROOT = Path(__file__).parent.parent
LOCKED = re.findall(r"^(\S+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
LAMP = '[[device]]\nname = "host"\nkind = "host"\n'


def test_the_version_is_shown_three_ways() -> None:
    runner = CliRunner()

    short = runner.invoke(main, ["--version"], prog_name="agent")
    long = runner.invoke(main, ["version"])
    facts = json.loads(runner.invoke(main, ["version", "--json"]).stdout)

    assert short.stdout == f"agent {__version__}\n"
    assert long.stdout.splitlines()[0] == f"agent {__version__}"
    assert facts["agent"] == __version__


def test_the_version_names_what_the_agent_is_made_of() -> None:
    facts = json.loads(CliRunner().invoke(main, ["version", "--json"]).stdout)

    assert facts == {
        "agent": __version__,
        "build": None,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.machine(),
        "system": platform.platform(),
        "libraries": {name: metadata.version(name) for name in LOCKED},
        "schema": VERSION,
    }


def test_what_is_not_installed_is_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "attrs-1.2.3.dist-info").mkdir()
    (tmp_path / "APScheduler-4.5-py3.11.egg-info").touch()

    found = libraries([str(tmp_path / "none"), str(tmp_path / "a.zip"), str(tmp_path)])

    assert {name: text for name, text in found.items() if text} == {
        "attrs": "1.2.3",
        "apscheduler": "4.5",
    }
    assert set(found) == set(LOCKED)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_shows_examples(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"], prog_name="agent")

    assert result.exit_code == 0
    assert re.search(rf"Examples:\n    (sudo )?(\./)?agent {command}", result.stdout)


@pytest.mark.parametrize("group", [[], ["store"]])
def test_the_help_cuts_no_command_short(group: list[str]) -> None:
    result = CliRunner().invoke(main, [*group, "--help"], terminal_width=80)

    assert "..." not in result.stdout.partition("Commands:")[2]


def test_the_help_names_every_command_and_exit_code() -> None:
    result = CliRunner().invoke(main, ["-h"])

    assert result.exit_code == 0
    assert all(f"\n  {command} " in result.stdout for command in COMMANDS)
    assert all(f"\n  {code}  " in result.stdout for code in range(5))


@pytest.mark.parametrize(
    "words",
    [["chek"], ["check", "--jsno"], ["read"], ["run", "--duration", "-1"], ["status", "extra"]]
    + [["run", "--duration", text] for text in ("nan", "inf", "soon", "1e10")],
)
def test_wrong_use_is_exit_code_2(words: list[str]) -> None:
    result = CliRunner().invoke(main, words, prog_name="agent")

    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert result.stdout == ""


def test_an_error_is_a_line_on_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"

    result = CliRunner().invoke(main, ["check", "--config", str(file)])

    assert result.exit_code == 2
    assert result.stderr == f"error: {file}: cannot be read: No such file or directory\n"
    assert result.stdout == ""


def test_an_error_cannot_steer_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[2Jb.toml"

    result = CliRunner().invoke(main, ["check", "--config", str(file)])

    assert "\x1b" not in result.stderr
    assert r"a\x1b[2Jb.toml" in result.stderr


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--config", str(tmp_path)])

    assert result.exit_code == 2
    assert "is a directory" in result.stderr


def test_a_closed_pipe_is_silent(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(LAMP)

    result = in_shell("agent read host | head -1; echo ${PIPESTATUS[0]}", tmp_path)

    assert result.stderr == ""
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["metric", "value", "unit"],
        ["0"],
    ]


def test_a_pipe_that_nobody_reads_is_silent(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(LAMP)

    result = in_shell("agent read host --json | true; echo ${PIPESTATUS[0]}", tmp_path)

    assert (result.stdout, result.stderr) == ("0\n", "")


def test_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    result = in_shell("agent version > /dev/full", tmp_path)

    assert result.returncode == 1
    assert result.stderr == "error: cannot write what was asked for: No space left on device\n"


def test_output_that_is_closed_is_no_error(tmp_path: Path) -> None:
    result = in_shell("agent version >&-", tmp_path)

    assert (result.returncode, result.stderr) == (0, "")


def test_a_terminal_without_unicode_gets_escapes(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(LAMP)

    result = in_shell("PYTHONUTF8=0 PYTHONIOENCODING=ascii agent status", tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    assert r"\u2013" in result.stdout


def test_the_agent_is_also_a_module(tmp_path: Path) -> None:
    result = in_shell("agent", tmp_path)

    assert result.stderr.startswith("Usage: agent [OPTIONS] COMMAND [ARGS]...")


def test_every_option_is_explained() -> None:
    unexplained = [
        f"{command.name} {option.opts[0]}"
        for command in main.commands.values()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]

    assert unexplained == []
