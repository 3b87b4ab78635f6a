"""Installing the service on a machine that has none, and once more."""

import json
import os
import stat
from pathlib import Path

import pytest

from agent.errors import AgentError, ConfigError
from agent.service import unit
from tests.service.installing import CONFIG, Shown, files_below, places_of, run_install
from tests.service.system import System


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_installation_puts_everything_in_its_place(system: System) -> None:
    shown = run_install(system)

    places = places_of(system)
    assert os.path.realpath(places.command) == str(places.versions / "1.0.0-01234567" / "agent")
    assert places.unit.read_text().startswith(unit.MARK)
    assert (mode_of(places.config), mode_of(places.config.parent)) == (0o640, 0o750)
    assert mode_of(places.data_dir) == 0o2770
    assert f'data_dir = "{places.data_dir}"' in places.config.read_text()
    assert system.groups["dialout"] == ["agent"]
    assert (system.active, system.enabled, system.starts) == ("active", True, 1)
    assert "runs as a service" in shown.text


def test_a_second_installation_changes_nothing_and_does_not_restart(system: System) -> None:
    run_install(system)
    log = places_of(system).log
    log.unlink()
    before = files_below(system.root)

    shown = run_install(system)

    log.unlink()
    assert files_below(system.root) == before
    assert system.starts == 1
    assert not [line for line in shown if line.startswith("done")]


def test_a_service_that_was_stopped_is_started_by_a_second_installation(system: System) -> None:
    run_install(system)
    system.run("/usr/bin/systemctl", "stop", "agent.service")

    run_install(system)

    assert (system.active, system.starts) == ("active", 2)


def test_a_dry_run_says_everything_and_does_nothing(system: System) -> None:
    before = files_below(system.root)

    shown = run_install(system, is_dry_run=True)

    assert files_below(system.root) == before
    assert (system.users, system.starts) == ({}, 0)
    assert "ProtectSystem=strict" in shown.text
    assert 'kind = "host"' in shown.text
    assert "u agent - " in shown.text


def test_a_dry_run_needs_neither_root_nor_systemd(system: System) -> None:
    (system.root / "run/systemd/system").rmdir()

    shown = run_install(system, is_dry_run=True, machine=system.machine(uid=1000))

    assert "needs the rights of root" in shown.text
    assert "systemd is not running" in shown.text


def test_programs_are_told_every_step_as_json(system: System) -> None:
    shown = run_install(system, as_json=True)

    facts = json.loads(shown.text)
    assert facts["ok"] is True
    assert facts["devices"] == {"host": True}
    assert {each["outcome"] for each in facts["steps"]} <= {"done", "already", "waiting"}


def test_programs_are_told_what_failed_as_json(system: System) -> None:
    system.behaviour["1.0.0"] = system.crash
    shown = Shown()

    with pytest.raises(AgentError):
        run_install(system, as_json=True, shown=shown)

    facts = json.loads(shown.text)
    assert facts["ok"] is False
    assert "not healthy" in facts["error"]
    assert {each["outcome"] for each in facts["steps"]} >= {"failed", "undone", "log"}


def test_an_existing_configuration_is_kept_to_the_byte(system: System, tmp_path: Path) -> None:
    places = places_of(system)
    places.config.parent.mkdir(parents=True)
    places.config.write_text(f'# mine\n[agent]\ndata_dir = "{places.data_dir}"\n')
    other = tmp_path / "other.toml"
    other.write_text(CONFIG)

    shown = run_install(system, config=other)

    assert places.config.read_text() == f'# mine\n[agent]\ndata_dir = "{places.data_dir}"\n'
    assert "was not used" in shown.text
    assert mode_of(places.config) == 0o640


def test_data_that_are_there_are_kept(system: System) -> None:
    places = places_of(system)
    places.data_dir.mkdir(parents=True)
    (places.data_dir / "telemetry.db").write_bytes(b"")
    (places.data_dir / "other").write_text("mine")

    run_install(system)

    assert (places.data_dir / "other").read_text() == "mine"
    assert mode_of(places.data_dir / "telemetry.db") & 0o060 == 0o060


def test_a_configuration_of_the_user_is_copied_with_its_comments(
    system: System, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(CONFIG)

    shown = run_install(system, config=file)

    places = places_of(system)
    wanted = f'data_dir = "{places.data_dir}"  # beside this file'
    assert places.config.read_text() == CONFIG.replace(
        'data_dir = "data"      # beside this file', wanted
    )
    assert "became" in shown.text


def test_a_faulty_configuration_stops_before_anything_is_done(
    system: System, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[device]]\nname = "x"\nkind = "nope"\n')
    before = files_below(system.root)

    with pytest.raises(ConfigError, match="nope"):
        run_install(system, config=file)

    assert files_below(system.root) == before
    assert system.users == {}


def test_a_relative_secret_file_is_copied_beside_the_configuration(
    system: System, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    (tmp_path / "password.txt").write_text("s3cret\n")
    device = '[[device]]\nname = "station"\nkind = "json"\nurl = "http://127.0.0.1/x"\nuser = "u"\n'
    file.write_text(device + 'password = { file = "password.txt" }\n')

    run_install(system, config=file)

    copy = places_of(system).config.with_name("password.txt")
    assert copy.read_text() == "s3cret\n"
    assert mode_of(copy) == 0o640


def test_who_called_sudo_joins_the_group_and_is_told_to_log_in_again(system: System) -> None:
    shown = run_install(system, machine=system.machine(SUDO_USER="pi"))

    assert system.groups["agent"] == ["pi"]
    assert "pi: log in again" in shown.text


def test_without_systemd_sysusers_the_user_is_made_all_the_same(system: System) -> None:
    system.missing.add("systemd-sysusers")

    run_install(system)

    assert "agent" in system.users
    assert system.groups["dialout"] == ["agent"]


@pytest.mark.parametrize("part", ["sysusers", "daemon-reload", "enable", "version --json"])
def test_a_step_that_fails_is_undone_with_all_before_it(system: System, part: str) -> None:
    before = files_below(system.root)
    system.failing[part] = "no such luck"

    with pytest.raises(AgentError, match="no such luck"):
        run_install(system)

    places_of(system).log.unlink()
    places_of(system).log.parent.rmdir()
    assert files_below(system.root) == before
    assert system.users == {}
    assert system.groups == {"dialout": []}
    assert not places_of(system).data_dir.exists()
    assert not places_of(system).lib.exists()
    assert not system.enabled


def test_a_first_start_that_fails_is_undone_and_says_why(system: System) -> None:
    system.behaviour["1.0.0"] = system.crash
    before = files_below(system.root)

    with pytest.raises(AgentError, match="not healthy: it ended"):
        run_install(system)

    log = places_of(system).log
    assert "it failed" in log.read_text()
    log.unlink()
    assert files_below(system.root) == before


def test_a_half_installation_is_completed(system: System) -> None:
    run_install(system)
    places = places_of(system)
    places.command.unlink()
    places.executable.write_text("cut sho")

    run_install(system)

    assert places.command.exists()
    assert places.executable.read_text().startswith("#!/bin/sh")


def test_a_unit_that_was_edited_is_replaced_and_said(system: System) -> None:
    run_install(system)
    path = places_of(system).unit
    path.write_text(path.read_text().replace("RestartSec=500ms", "RestartSec=9"))

    shown = run_install(system)

    assert "was edited" in shown.text
    assert not unit.is_edited(path.read_text())
    assert system.starts == 2


def test_what_was_done_is_noted_in_the_log_with_its_time(system: System) -> None:
    run_install(system)

    lines = places_of(system).log.read_text().splitlines()
    assert lines[0].startswith("2026-11-20T12:00:00Z agent ")
    assert lines[-1].startswith("2026-11-20T12:00:05Z agent ")
