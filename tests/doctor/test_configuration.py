"""The configuration as the check-up sees it: sound, faulty, missing, or another one."""

import os
from pathlib import Path

import attrs
import pytest

from agent.doctor.configuration import check_configuration
from agent.doctor.finding import Level
from agent.state import StateFile
from tests.doctor.machines import Programs, Tree, bad, case_of, levels, shown
from tests.fakes import NOON_MS

HOST = '[[device]]\nname = "host"\nkind = "host"\n'


def test_a_sound_configuration_is_ok_and_says_where_it_is(tree: Tree, tmp_path: Path) -> None:
    found = levels(check_configuration(case_of(tree, HOST)))

    assert found == [("ok", f"{tmp_path}/agent.toml: 1 device")]


def test_every_fault_is_a_problem_with_the_command_that_checks_it(tree: Tree) -> None:
    case = case_of(tree, HOST + 'colour = "red"\ntimeout_s = -1\n')

    found = bad(check_configuration(case))

    assert [each.level for each in found] == [Level.PROBLEM] * 2
    assert "unknown key 'colour'" in found[0].text + found[1].text
    assert all(f"agent check --config {case.file}" in each.fix for each in found)


@pytest.mark.parametrize("text", ["[agent\n", "", "\0", "a = 1", "[device]\nx = 1"])
def test_no_content_of_the_file_ends_the_check(tree: Tree, text: str) -> None:
    assert levels(check_configuration(case_of(tree, text)))


def test_a_missing_file_is_a_problem(tree: Tree) -> None:
    (finding,) = bad(check_configuration(case_of(tree)))

    assert "No such file" in finding.text


def test_no_configuration_at_all_says_how_to_write_one(tree: Tree) -> None:
    case = attrs.evolve(case_of(tree), file=None)

    (finding,) = bad(check_configuration(case))

    assert "agent init" in finding.fix


def test_devices_that_are_not_enabled_are_named(tree: Tree) -> None:
    found = levels(check_configuration(case_of(tree, f"{HOST}enabled = false\n")))

    assert ("note", "host is not enabled: it is not polled") in found
    assert found[-1][0] == "warning"


def test_variables_that_act_are_named_without_their_values(tree: Tree) -> None:
    environ = {"AGENT_STORE_FLUSH_INTERVAL_S": "7.25", "AGENT_OF_ANOTHER": "x", "HOME": "/"}

    found = levels(check_configuration(case_of(tree, HOST, environ=environ)))

    assert found[-1] == (
        "note",
        "environment variables that act here: AGENT_STORE_FLUSH_INTERVAL_S",
    )


def test_a_reference_to_a_variable_that_only_the_service_has_is_explained(tree: Tree) -> None:
    tree.boot_systemd()
    config = '[[device]]\nname = "json"\nkind = "json"\nurl = { env = "WHERE_IT_IS" }\n'
    facts = shown(EnvironmentFiles="/nonexistent/agent.env (ignore_errors=yes)")

    case = case_of(tree, config, run=Programs({"systemctl show": facts}))

    (finding,) = bad(check_configuration(case))
    assert "'WHERE_IT_IS' is not set" in finding.text
    assert "/nonexistent/agent.env" in finding.fix


def test_the_variables_of_the_service_count_for_its_configuration(
    tree: Tree, tmp_path: Path
) -> None:
    tree.boot_systemd()
    env = tree.write("etc/agent/agent.env", '# ours\nWHERE_IT_IS="http://10.0.0.7/x"\n')
    file = tmp_path / "agent.toml"
    command = f"{{ path=/x ; argv[]=/x run --config {file} ; ignore_errors=no }}"
    facts = shown(EnvironmentFiles=f"{env} (ignore_errors=yes)", ExecStart=command)
    config = '[[device]]\nname = "json"\nkind = "json"\nurl = { env = "WHERE_IT_IS" }\n'

    case = case_of(tree, config, run=Programs({"systemctl show": facts}))

    assert case.error is None


def test_a_change_that_the_running_agent_does_not_know_is_told(tree: Tree, tmp_path: Path) -> None:
    environ = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    state = StateFile(tmp_path / "data", environ)
    file = tmp_path / "agent.toml"
    facts = {"pid": os.getpid(), "config": str(file), "now_ms": NOON_MS}

    state.write({**facts, "started_ms": 1_000})
    (finding,) = bad(check_configuration(case_of(tree, HOST, environ=environ)))
    state.write({**facts, "started_ms": 4_000_000_000_000})
    unchanged = bad(check_configuration(case_of(tree, HOST, environ=environ)))

    assert "was changed after the agent started" in finding.text
    assert unchanged == []


def test_another_configuration_of_the_service_is_named(tree: Tree, tmp_path: Path) -> None:
    tree.boot_systemd()
    other = tree.write("etc/agent/agent.toml", HOST)
    command = f"{{ path=/x ; argv[]=/x run --config {other} ; ignore_errors=no }}"
    programs = Programs({"systemctl show": shown(ExecStart=command)})

    found = levels(check_configuration(case_of(tree, HOST, run=programs)))

    assert found[-1][1] == f"the service uses {other}; looked at here is {tmp_path}/agent.toml"
