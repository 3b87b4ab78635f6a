"""The service in the check-up, as systemd would speak of it."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent import __version__
from agent.doctor.finding import Finding, Level
from agent.doctor.machine import Output
from agent.doctor.service import check_service, check_unit_file
from agent.doctor.systemd import Unit, shown_unit
from agent.service.unit import UnitFacts, unit_text
from agent.state import StateFile
from tests.doctor.machines import Programs, Tree, bad, case_of, levels, machine_of, shown

HOST = '[[device]]\nname = "host"\nkind = "host"\n'
PROGRAM = "/bin/true"  # any that is there: what it says is scripted
COMMAND = f"{{ path={PROGRAM} ; argv[]={PROGRAM} run --config /etc/agent/agent.toml ; x=y }}"
VERSION = json.dumps({"agent": __version__, "build": None})


def examined(tree: Tree, answers: dict[str, Output | str], **facts: str) -> list[Finding]:
    tree.boot_systemd()
    unit = shown(**{"ExecStart": COMMAND} | facts)
    programs = Programs(
        {"systemctl show": unit, f"{PROGRAM} version": VERSION, "journalctl": "", **answers}
    )
    return list(check_service(case_of(tree, HOST, run=programs)))


def test_a_service_that_runs_is_ok(tree: Tree) -> None:
    found = examined(tree, {}, ActiveEnterTimestamp="Fri 2026-11-20 11:00:00 UTC")

    assert [(str(each.level), each.text) for each in found] == [
        ("ok", "agent.service is active (running) since Fri 2026-11-20 11:00:00 UTC"),
        ("ok", f"the service has version {__version__}, as this program"),
    ]


@pytest.mark.parametrize(
    ("facts", "level", "part", "fix"),
    [
        ({"ActiveState": "failed", "Result": "exit-code"}, "problem", "has failed", "journalctl"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "problem", "is inactive", "start agent"),
        (
            {"ActiveState": "activating", "SubState": "auto-restart", "ExecMainStatus": "226"},
            "problem",
            "can't start (226/NAMESPACE)",
            "sudo agent install-service",
        ),
        ({"LoadState": "bad-setting"}, "problem", "can't load it", "install-service"),
        ({"UnitFileState": "disabled"}, "warning", "not start with the machine", "enable agent"),
        ({"NRestarts": "7"}, "warning", "restarted it 7 times", "-p warning"),
        ({"WatchdogUSec": "0"}, "warning", "no watchdog", "install-service"),
        ({"NeedDaemonReload": "yes"}, "warning", "has the old one", "daemon-reload"),
        (
            {"ExecStart": "{ argv[]=/nonexistent/agent run ; }"},
            "problem",
            "can't be run",
            "install",
        ),
    ],
)
def test_what_is_wrong_with_a_service_says_what_to_do(
    tree: Tree, facts: dict[str, str], level: str, part: str, fix: str
) -> None:
    (finding,) = bad(iter(examined(tree, {}, **facts)))

    assert str(finding.level) == level
    assert part in finding.text
    assert fix in finding.fix


@pytest.mark.parametrize(
    ("folder", "is_user", "fix"),
    [
        ("/etc/systemd/system", False, "sudo agent install-service"),
        ("/home/pi/.config/systemd/user", True, "agent install-service --user"),
        ("/usr/lib/systemd/system", False, "sudo apt install --reinstall ./edge-agent_"),
        ("/lib/systemd/system", False, "sudo apt install --reinstall ./edge-agent_"),
    ],
)
def test_a_unit_is_renewed_by_what_made_it(folder: str, fix: str, *, is_user: bool) -> None:
    unit = Unit(True, {"FragmentPath": f"{folder}/agent.service"}, is_user)

    assert unit.renew.startswith(fix)


def test_a_service_that_is_not_installed_is_a_note(tree: Tree) -> None:
    (finding,) = examined(tree, {}, LoadState="not-found")

    assert (finding.level, finding.fix) == (Level.NOTE, "sudo agent install-service")


def test_a_machine_without_systemd_is_a_note(tree: Tree) -> None:
    ((level, text),) = levels(check_service(case_of(tree, HOST)))
    tree.write("run/systemd/container", "docker")
    ((_, in_container),) = levels(check_service(case_of(tree, HOST)))

    assert (level, text) == ("note", "no systemd here; no agent runs")
    assert in_container == "a container without systemd; no agent runs"


def test_a_systemd_that_does_not_answer_is_a_note(tree: Tree) -> None:
    (finding,) = examined(tree, {"systemctl show": Output(1, "", "Failed to connect to bus")})

    assert finding.text == "systemd can't be asked: Failed to connect to bus"


def test_another_version_in_service_is_named(tree: Tree) -> None:
    theirs = json.dumps({"agent": "0.0.1", "build": "0123456789abcdef"})

    found = examined(tree, {f"{PROGRAM} version": theirs})

    assert found[-1].level is Level.NOTE
    assert found[-1].text.startswith("the service has version 0.0.1 (build 01234567), this is ")


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "{}", '{"agent": 1}'])
def test_a_program_that_does_not_say_its_version_is_a_warning(tree: Tree, said: str) -> None:
    (finding,) = bad(iter(examined(tree, {f"{PROGRAM} version": said})))

    assert "does not say its version" in finding.text


def test_the_last_errors_of_the_journal_are_notes(tree: Tree) -> None:
    lines = "-- Journal begins --\n2026-11-20T11:00:00+0000 pi agent[1]: plc: no answer\n"

    found = examined(tree, {"journalctl": lines})

    assert [str(each.level) for each in found][-1] == "note"
    assert found[-1].text.endswith("pi agent[1]: plc: no answer")


def test_an_error_that_comes_again_and_again_is_shown_once(tree: Tree) -> None:
    texts = ["a: gone", "b: gone", "a: gone", "c: gone", "a: gone", "d: gone"]
    lines = [f"2026-11-20T11:00:0{n}+0000 pi agent[{n}]: {t}\n" for n, t in enumerate(texts)]

    found = [f for f in examined(tree, {"journalctl": "".join(lines)}) if f.level is Level.NOTE]

    assert [each.text.partition("]: ")[2] for each in found] == ["c: gone", "a: gone", "d: gone"]
    assert "11:00:04" in found[1].text
    assert [bool(each.fix) for each in found] == [False, False, True]


def test_a_journal_that_this_user_may_not_read_is_a_note(tree: Tree) -> None:
    found = examined(tree, {"journalctl": Output(1, "", "No permission\nto look")})

    assert found[-1].text == "the journal can't be read: No permission"
    assert "systemd-journal" in found[-1].fix


@pytest.mark.parametrize("folders", [(), (Path("/srv/my data/100%"), Path("/mnt/x"))])
@pytest.mark.parametrize("is_user", [False, True])
def test_a_unit_as_this_version_makes_it_is_well_and_another_is_told(
    tree: Tree, folders: tuple[Path, ...], *, is_user: bool
) -> None:
    text = unit_text(
        UnitFacts(
            program=Path("/usr/local/lib/agent/current/agent"),
            config=Path("/etc/agent/agent.toml"),
            environment=Path("/etc/agent/agent.env"),
            is_user=is_user,
            has_usual_data_dir=not folders or is_user,
            folders=folders,
        )
    )

    def told(written: str) -> list[str]:
        path = tree.write("etc/systemd/system/agent.service", written)
        facts = {"FragmentPath": str(path), "ExecStart": COMMAND}
        return [each.text for each in check_unit_file(Unit(True, facts, is_user))]

    older = text.replace("# A leak must not", "# A leak may not")
    body = older.partition("\n")[2].partition("\n")[2]
    digits = hashlib.sha256(body.encode()).hexdigest()[:16]
    older = f"{older.partition(chr(10))[0]}\n# check {digits}\n{body}"

    assert told(text) == []
    assert told(older) == ["the unit was made by another version of the agent"]
    assert "was changed by hand" in told(text.replace("WatchdogSec=60", "WatchdogSec=6"))[0]
    assert told("[Unit]\nDescription=by hand\n") == []


def say(folder: Path, pid: int, **facts: Any) -> dict[str, str]:
    environ = {"RUNTIME_DIRECTORY": str(folder / "run")}
    StateFile(folder / "data", environ).write({"pid": pid, **facts})
    return environ


def test_an_agent_that_was_started_by_hand_is_told(tree: Tree, tmp_path: Path) -> None:
    environ = say(tmp_path, os.getpid())

    found = levels(check_service(case_of(tree, HOST, environ=environ)))

    assert found[-1] == (
        "ok",
        f"an agent runs as process {os.getpid()}, started by hand or by another program",
    )


def test_an_agent_beside_the_service_is_told(tree: Tree, tmp_path: Path) -> None:
    tree.boot_systemd()
    environ = say(tmp_path, os.getpid(), version="0.0.9")
    programs = Programs(
        {"systemctl show": shown(ExecStart=COMMAND), PROGRAM: VERSION, "journalctl": ""}
    )

    found = levels(check_service(case_of(tree, HOST, environ=environ, run=programs)))

    texts = [text for _, text in found]
    assert f"version 0.0.9 still runs, {__version__} is installed" in texts
    assert f"the agent on these data (process {os.getpid()}) is not the one of the service" in texts


def test_the_parent_of_a_one_file_program_is_its_service(tree: Tree, tmp_path: Path) -> None:
    tree.boot_systemd()
    tree.write(f"proc/{os.getpid()}/status", "Name:\tagent\nPPid:\t1\n")
    environ = say(tmp_path, os.getpid())
    programs = Programs({"systemctl show": shown(ExecStart=COMMAND), PROGRAM: VERSION})

    found = levels(check_service(case_of(tree, HOST, environ=environ, run=programs)))

    assert not any("is not the one of the service" in text for _, text in found)


def test_the_service_of_a_user_is_found_where_there_is_none_of_the_system(tree: Tree) -> None:
    tree.boot_systemd()
    answers: dict[str, Output | str] = {
        "systemctl --user show": shown(),
        "systemctl show": shown(LoadState="not-found"),
    }

    as_user = shown_unit(machine_of(tree, uid=1000, run=Programs(answers)))
    as_root = shown_unit(machine_of(tree, uid=0, run=Programs(answers)))

    assert (as_user.is_user, as_user.is_installed) == (True, True)
    assert (as_root.is_user, as_root.is_installed) == (False, False)


@pytest.mark.parametrize(
    ("command", "config"),
    [
        (COMMAND, Path("/etc/agent/agent.toml")),
        ('{ argv[]=/x run "--config=/a b" ; }', Path("/a b")),
        ("{ argv[]=/x run --config ; }", None),
        ("{ argv[]=/x 'run ; }", None),
        ("", None),
    ],
)
def test_the_configuration_of_a_service_is_in_its_command(
    command: str, config: Path | None
) -> None:
    assert Unit(True, {"ExecStart": command}).config == config


def test_a_program_in_a_folder_with_a_blank_is_found() -> None:
    program = "/opt/my agent/lib/agent/current/agent"
    command = f"{{ path={program} ; argv[]={program} run --config /etc/agent/agent.toml ; x=y }}"

    unit = Unit(True, {"ExecStart": command})

    assert unit.program == Path(program)
    assert unit.config == Path("/etc/agent/agent.toml")
