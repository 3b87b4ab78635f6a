"""Every command of the one file says what it says from source."""

import json
import re
from collections.abc import Iterator, Sequence

import click
import pytest
from click.testing import CliRunner

from agent import __version__
from agent.cli import main
from agent.console.version import PACKAGES
from agent.store.schema import VERSION
from tests.frozen.program import Frozen, source

HOST = '[[device]]\nname = "host"\nkind = "host"\n'


def commands_of(group: click.Group, *above: str) -> Iterator[Sequence[str]]:
    """The words of a group, and of all commands in it."""
    yield above
    context = click.Context(group, info_name=above[-1] if above else "agent")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_of(command, *above, name)
        else:
            yield (*above, name)


COMMANDS = list(commands_of(main))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_each_command_is_that_of_the_source(
    words: Sequence[str], agent: Frozen
) -> None:
    wanted = CliRunner().invoke(main, [*words, "--help"], prog_name="agent", terminal_width=78)

    result = agent.run(*words, "--help")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == wanted.stdout


def test_the_version_is_that_of_the_source(agent: Frozen) -> None:
    short, long = agent.run("--version"), agent.run("version")

    assert (short.stdout, short.stderr) == (f"agent {__version__}\n", "")
    assert long.stdout.splitlines()[0] == f"agent {__version__}"
    assert "missing" not in long.stdout
    assert re.search(r"^  build +[0-9a-f]{8}$", long.stdout, re.MULTILINE)


def test_the_version_names_the_build_and_each_library(agent: Frozen) -> None:
    facts = json.loads(agent.run("version", "--json").stdout)

    wrong = {name: text for name, text in facts["libraries"].items() if not text or text[0] == "v"}
    assert list(facts["libraries"]) == list(PACKAGES)
    assert wrong == {}
    assert facts["agent"] == __version__
    assert facts["schema"] == VERSION
    assert re.fullmatch("[0-9a-f]{64}", facts["build"])
    assert all(re.match(r"3\.\d+", facts[name]) for name in ("python", "sqlite"))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["chek"],
        ["check"],
        ["check", "--json"],
        ["check", "--jsno"],
        ["check", "--config", "none.toml"],
        ["discover", "--kind", "s8"],
        ["init", "--output", "no/such/folder.toml"],
        ["query"],
        ["query", "SELECT 1"],
        ["query", "SELECT 1", "--format", "cvs"],
        ["read"],
        ["read", "host"],
        ["report", "--daily"],
        ["report", "--daily", "--weekly"],
        ["run"],
        ["run", "--duration", "-1"],
        ["simulate", "fault"],
        ["simulate", "fault", "--control", "none.sock"],
        ["simulate", "s7", "--fault", "delya"],
        ["simulate", "s8"],
        ["status"],
        ["status", "extra"],
    ],
    ids=" ".join,
)
def test_what_can_not_be_done_is_said_as_from_source(words: list[str], agent: Frozen) -> None:
    wanted = source(agent.folder, *words)

    result = agent.run(*words)

    assert (result.returncode, result.stdout, result.stderr) == (
        wanted.returncode,
        wanted.stdout,
        wanted.stderr,
    )
    assert result.returncode != 0


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["check", "--json"],
        ["read", "hots"],
        ["report", "--daily"],
        ["simulate", "s7", "--faults"],
        ["simulate", "json", "--faults"],
    ],
    ids=" ".join,
)
def test_what_can_be_said_without_devices_is_as_from_source(
    words: list[str], agent: Frozen
) -> None:
    (agent.folder / "agent.toml").write_text(HOST)
    wanted = source(agent.folder, *words)

    result = agent.run(*words)

    assert (result.returncode, result.stdout, result.stderr) == (
        wanted.returncode,
        wanted.stdout,
        wanted.stderr,
    )


def test_this_machine_is_found_configured_and_read(agent: Frozen) -> None:
    found = agent.run("discover")
    written = agent.run("init", "--yes")
    checked = agent.run("check")
    read = json.loads(agent.run("read", "host", "--json").stdout)

    assert [each.returncode for each in (found, written, checked)] == [0, 0, 0]
    assert [each.stderr for each in (found, written, checked)] == ["", "", ""]
    assert "this machine  host" in found.stdout
    assert 'kind = "host"' in (agent.folder / "agent.toml").read_text()
    assert {"cpu_total", "load1"} <= {each["name"] for each in read["values"]}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "UTC"])
def test_time_zones_are_known_also_where_the_machine_has_none(zone: str, agent: Frozen) -> None:
    (agent.folder / "agent.toml").write_text(f'[agent]\ntimezone = "{zone}"\n{HOST}')

    result = agent.with_env(PYTHONTZPATH="").run("check")

    assert (result.returncode, result.stderr) == (0, "")
    assert zone in result.stdout


@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_what_was_stored_is_asked_for_in_sql(form: str, agent: Frozen) -> None:
    (agent.folder / "agent.toml").write_text(HOST)
    agent.run("run", "--duration", "2")
    words = ["query", "SELECT device, kind, metrics > 5 AS many FROM devices", "--format", form]
    wanted = source(agent.folder, *words)

    result = agent.run(*words)
    mistake = agent.run("query", "SELECT cpu_totl FROM host")

    assert (result.returncode, result.stdout, result.stderr) == (0, wanted.stdout, "")
    assert "host" in result.stdout
    assert (mistake.returncode, mistake.stderr) == (
        2, "error: no such column: cpu_totl, did you mean cpu_total?\n",
    )  # fmt: skip


def test_a_query_unpacks_nothing(agent: Frozen) -> None:
    (agent.folder / "agent.toml").write_text(HOST)
    agent.run("run", "--duration", "2")
    before = {path.name for path in agent.folder.rglob("*")}

    result = agent.with_env(TMPDIR=str(agent.folder)).run("query", "SELECT 1")

    assert result.stdout == "1\n1\n"
    assert {path.name for path in agent.folder.rglob("*")} == before


needs_service = pytest.mark.skipif("install-service" not in main.commands, reason="not there yet")


@needs_service
@pytest.mark.parametrize("words", [["install-service"], ["uninstall-service"]], ids=" ".join)
@pytest.mark.parametrize("options", [[], ["--user"]], ids=["system", "user"])
def test_a_service_is_only_talked_about_in_a_dry_run(
    words: list[str], options: list[str], agent: Frozen
) -> None:
    home = agent.with_env(HOME=str(agent.folder))

    result = home.run(*words, *options, "--dry-run")

    assert result.returncode in (0, 1)
    assert "Traceback" not in result.stderr
    assert list(agent.folder.iterdir()) == []


@pytest.mark.skipif("doctor" not in main.commands, reason="not there yet")
def test_the_doctor_looks_and_writes_a_report(agent: Frozen) -> None:
    agent.run("init", "--yes")

    result = agent.run("doctor")
    reported = agent.run("doctor", "--report", "report.txt")

    assert result.returncode in (0, 1)
    assert (result.stderr, reported.stderr) == ("", "")
    assert __version__ in result.stdout
    assert (agent.folder / "report.txt").stat().st_size > 0
