"""Taking the service away, with and without its data."""

import json
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.service.lock import alone
from tests.service.installing import CONFIG, files_below, places_of, run_install, run_uninstall
from tests.service.system import System


def test_the_service_goes_and_configuration_and_data_stay(system: System) -> None:
    run_install(system)
    places = places_of(system)
    (places.data_dir / "telemetry.db").write_text("data")

    shown = run_uninstall(system)

    assert sorted(files_below(system.root)) == [
        "etc/agent/agent.toml",
        "etc/sysusers.d/agent.conf",
        "var/lib/agent/telemetry.db",
        "var/log/agent/install.log",
    ]
    assert (system.active, system.enabled) == ("inactive", False)
    assert f"kept      {places.data_dir}" in shown.text
    assert f"rm -r {places.config.parent} {places.data_dir} && sudo userdel agent" in shown.text


def test_after_a_purge_nothing_is_left(system: System) -> None:
    run_install(system, machine=system.machine(SUDO_USER="pi"))
    places = places_of(system)
    (places.data_dir / "reports/host/daily").mkdir(parents=True)
    places.drop_ins.mkdir()
    (places.drop_ins / "override.conf").write_text("[Service]\n")
    places.runtime.mkdir(parents=True, exist_ok=True)

    run_uninstall(system, is_purge=True)

    assert files_below(system.root) == {}
    for path in (places.config.parent, places.data_dir, places.lib, places.runtime, places.log):
        assert not path.exists()
    assert (system.users, system.groups) == ({}, {"dialout": []})


def test_a_second_time_nothing_is_there_and_that_is_fine(system: System) -> None:
    run_install(system)
    run_uninstall(system)
    before = files_below(system.root)

    shown = run_uninstall(system)

    assert files_below(system.root) == before
    assert "nothing was removed" in shown.text


def test_the_rest_of_half_an_installation_goes_too(system: System) -> None:
    run_install(system)
    places_of(system).unit.unlink()

    run_uninstall(system)

    assert not places_of(system).lib.exists()
    assert not places_of(system).command.is_symlink()


def test_a_dry_run_removes_nothing(system: System) -> None:
    run_install(system)
    before = files_below(system.root)

    shown = run_uninstall(system, is_purge=True, is_dry_run=True)

    assert files_below(system.root) == before
    assert system.active == "active"
    assert f"would     remove {places_of(system).data_dir}" in shown.text


def test_programs_are_told_what_is_kept(system: System) -> None:
    run_install(system)

    facts = json.loads(run_uninstall(system, as_json=True).text)

    assert facts["ok"] is True
    assert str(places_of(system).data_dir) in facts["kept"]


def test_links_are_removed_and_never_followed(system: System, tmp_path: Path) -> None:
    run_install(system)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    places = places_of(system)
    (places.data_dir / "link").symlink_to(outside)
    (places.versions / "link").symlink_to(outside)

    run_uninstall(system, is_purge=True)

    assert (outside / "file").read_text() == "mine"
    assert not places.data_dir.exists()


def test_of_a_data_folder_of_the_user_only_what_is_the_agents_goes(
    system: System, tmp_path: Path
) -> None:
    folder = system.root / "srv/disk"
    file = tmp_path / "mine.toml"
    file.write_text(CONFIG.replace('"data"', f'"{folder}"'))
    run_install(system, config=file)
    (folder / "telemetry.db").write_text("data")
    (folder / "photos").mkdir()
    (folder / "photos/one").write_text("mine")

    run_uninstall(system, is_purge=True)

    assert files_below(system.root) == {"srv/disk/photos/one": "mine"}


def test_a_purge_takes_the_data_from_before_they_were_moved_too(system: System) -> None:
    run_install(system)
    places = places_of(system)
    (places.data_dir / "telemetry.db").write_text("old")
    moved = places.config.read_text().replace(f'"{places.data_dir}"', f'"{system.root}/srv/disk"')
    places.config.write_text(moved)

    run_uninstall(system, is_purge=True)

    assert "srv/disk" in moved
    assert files_below(system.root) == {}


def test_a_faulty_configuration_does_not_keep_the_service(system: System) -> None:
    run_install(system)
    places_of(system).config.write_text("[agent\n")

    run_uninstall(system, is_purge=True)

    assert files_below(system.root) == {}


def test_the_service_of_somebody_else_is_not_removed(system: System) -> None:
    places_of(system).unit.write_text("[Service]\nExecStart=/usr/bin/other\n")

    with pytest.raises(AgentError, match="another program's service"):
        run_uninstall(system)


def test_the_login_of_a_person_is_not_removed(system: System) -> None:
    run_install(system)
    system.users["agent"] = "agent:x:1000:1000:Agent Smith:/home/agent:/bin/bash"

    run_uninstall(system, is_purge=True)

    assert "agent" in system.users


def test_what_cannot_be_removed_does_not_keep_the_rest(system: System) -> None:
    run_install(system)
    system.failing["systemctl disable"] = "no such luck"
    system.failing["--quiet disable"] = "no such luck"

    with pytest.raises(AgentError, match="not all of it"):
        run_uninstall(system)

    assert not places_of(system).unit.exists()
    assert not places_of(system).lib.exists()


def test_of_reports_in_a_data_folder_of_the_user_what_is_not_the_agents_stays(
    system: System, tmp_path: Path
) -> None:
    folder = system.root / "srv/disk"
    file = tmp_path / "mine.toml"
    reports = '[reports]\ndaily_dir = "{device}/daily"\n'
    file.write_text(CONFIG.replace('"data"', f'"{folder}"') + reports)
    run_install(system, config=file)
    for name in ("host/daily/2026-11-20_daily.csv", "host/daily/mine.ods", "photos/one"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")

    shown = run_uninstall(system, is_purge=True)

    left = sorted(files_below(system.root))
    assert left == ["srv/disk/host/daily/mine.ods", "srv/disk/photos/one"]
    assert f"kept      {folder}" in shown.text


def test_nothing_is_removed_while_something_is_installed(system: System) -> None:
    run_install(system)

    with alone(places_of(system)), pytest.raises(AgentError, match="is at work: wait for it"):
        run_uninstall(system)

    assert places_of(system).unit.exists()
