"""Repairing a copy of the program, and two installations at once."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.service.commands import Result, TooSlowError
from agent.service.lock import NAME, alone
from agent.service.program import Program
from agent.service.systemd import Systemd
from agent.service.versions import Unpack, UnpackProgram, folder_for
from tests.service.installing import (
    files_below,
    places_of,
    program,
    run_install,
    run_uninstall,
    unpacking,
)
from tests.service.system import System


def full(_: Program, folder: Path) -> Path:
    raise AgentError(f"cannot write the program to {folder}: No space left on device")


def damaged(system: System) -> Path:
    """What ``current`` leads to does not run any more."""
    run_install(system)
    folder = places_of(system).current.resolve()
    (folder / "agent").write_text("#!/bin/sh\necho {}\n")
    return folder


def repairing(system: System, unpack: Unpack) -> UnpackProgram:
    one = program(system.root, "1.0.0")
    return UnpackProgram(folder_for(places_of(system), one, None), one, system, unpack)


def test_a_damaged_copy_stays_where_no_new_one_can_be_made(system: System) -> None:
    folder = damaged(system)
    before = files_below(folder.parent)
    step = repairing(system, full)

    assert not step.is_done()
    with pytest.raises(AgentError, match="No space left"):
        step.do()
    step.undo()

    assert files_below(folder.parent) == before


def test_a_power_cut_finds_what_current_leads_to_in_its_place(system: System) -> None:
    folder = damaged(system)
    before = files_below(folder)
    step = repairing(system, unpacking())

    step.do()

    assert step.is_done()
    assert places_of(system).current.resolve() == folder
    assert files_below(folder) == before


def test_the_copy_in_use_is_all_that_is_left_when_a_new_one_is_taken_back(system: System) -> None:
    folder = damaged(system)
    before = files_below(folder.parent)
    step = repairing(system, unpacking())

    step.do()
    step.undo()

    assert files_below(folder.parent) == before


def test_nothing_is_left_of_a_damaged_copy_once_the_new_one_is_well(system: System) -> None:
    seen = []
    for _ in range(3):
        old = damaged(system)
        run_install(system)
        (new,) = old.parent.iterdir()
        assert places_of(system).current.resolve() == new
        assert "1.0.0" in (new / "agent").read_text()
        seen.append(new.name)

    usual = program(system.root, "1.0.0").label
    assert seen == [f"{usual}-repaired", usual, f"{usual}-repaired"]


def test_a_repaired_copy_is_found_by_the_next_installation(system: System) -> None:
    damaged(system)
    run_install(system)
    starts = system.starts

    run_install(system)

    assert system.starts == starts


def test_where_a_repair_was_cut_short_the_next_one_begins_anew(system: System) -> None:
    used = damaged(system)
    begun = used.with_name(f"{used.name}-repaired")
    begun.mkdir()
    (begun / "agent").write_text("")

    run_install(system)

    assert places_of(system).current.resolve() == begun
    assert "1.0.0" in (begun / "agent").read_text()
    assert not used.exists()


class Slow(System):
    """A machine so busy that neither a version nor systemd answers in time."""

    def run(self, *command: str, timeout_s: float = 0.0) -> Result:
        if command[1:2] in (("version",), ("show",)):
            raise TooSlowError(f"{command[0]} did not end within 60 s")
        return super().run(*command, timeout_s=timeout_s)


def test_a_copy_that_is_slow_to_answer_is_not_taken_for_damaged(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    slow = Slow(tmp_path / "root")
    one = program(slow.root, "1.0.0")
    folder = places_of(slow).versions / one.label
    unpacking()(one, folder)

    assert UnpackProgram(folder, one, slow, unpacking()).is_done()


def test_a_systemd_that_is_slow_to_answer_is_not_taken_for_none(tmp_path: Path) -> None:
    # Else a service would run on while its program and its store are exchanged.
    with pytest.raises(TooSlowError):
        Systemd(Slow(tmp_path), is_user=False).seen()


def test_two_installations_at_once_do_not_mix(system: System) -> None:
    with alone(places_of(system)):
        before = files_below(system.root)
        with pytest.raises(AgentError, match=rf"\(process {os.getpid()}\) is at work: wait for it"):
            run_install(system)

        assert files_below(system.root) == before
    assert system.users == {}

    run_install(system)
    assert system.active == "active"


def test_a_dry_run_does_not_wait_for_an_installation(system: System) -> None:
    with alone(places_of(system)):
        assert "would" in run_install(system, is_dry_run=True).text


def test_the_lock_is_held_until_all_is_undone_and_leaves_nothing(system: System) -> None:
    places = places_of(system)
    file = places.runtime.parent / NAME
    held: list[bool] = []

    def crash(state: Mapping[str, object]) -> None:
        held.append(file.exists())
        system.crash(dict(state))

    system.behaviour["1.0.0"] = crash

    with pytest.raises(AgentError, match="not healthy"):
        run_install(system)

    assert held == [True]
    assert not file.exists()
    run_uninstall(system)
    assert not file.exists()


def test_a_link_in_the_place_of_the_lock_is_not_followed(system: System, tmp_path: Path) -> None:
    places = places_of(system)
    (places.runtime.parent / NAME).symlink_to(tmp_path / "victim")

    with pytest.raises(AgentError, match="cannot write"), alone(places):
        pass

    assert not (tmp_path / "victim").exists()
