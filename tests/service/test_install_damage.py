"""Repairing a copy of the program, and two installations at once."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.service.commands import Result, TooSlowError
from agent.service.lock import NAME, alone
from agent.service.program import Program
from agent.service.versions import RemoveFormer, UnpackProgram
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
    run_install(system)
    folder = places_of(system).versions / "1.0.0-01234567"
    (folder / "agent").write_text("#!/bin/sh\necho {}\n")
    return folder


def test_a_damaged_copy_stays_where_no_new_one_can_be_made(system: System) -> None:
    folder = damaged(system)
    before = files_below(folder.parent)
    step = UnpackProgram(places_of(system), program(system.root, "1.0.0"), system, full)

    assert not step.is_done()
    with pytest.raises(AgentError, match="No space left"):
        step.do()
    step.undo()

    assert files_below(folder.parent) == before


def test_a_copy_that_was_replaced_comes_back(system: System) -> None:
    folder = damaged(system)
    before = files_below(folder.parent)
    step = UnpackProgram(places_of(system), program(system.root, "1.0.0"), system, unpacking())

    step.do()
    assert files_below(folder) != before
    step.undo()

    assert files_below(folder.parent) == before


def test_a_copy_that_was_well_already_is_not_taken_back(system: System) -> None:
    folder = damaged(system)
    step = UnpackProgram(places_of(system), program(system.root, "1.0.0"), system, unpacking())

    step.do()
    RemoveFormer(step.former).do()
    step.undo()

    assert "1.0.0" in (folder / "agent").read_text()


def test_nothing_is_left_of_a_damaged_copy_once_the_new_one_is_well(system: System) -> None:
    folder = damaged(system)

    run_install(system)

    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert "1.0.0" in (folder / "agent").read_text()


class Slow(System):
    """A machine so busy that no version says what it is in time."""

    def run(self, *command: str, timeout_s: float = 0.0) -> Result:
        if command[1:2] == ("version",):
            raise TooSlowError(f"{command[0]} did not end within 60 s")
        return super().run(*command, timeout_s=timeout_s)


def test_a_copy_that_is_slow_to_answer_is_not_taken_for_damaged(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    slow = Slow(tmp_path / "root")
    one = program(slow.root, "1.0.0")
    unpacking()(one, places_of(slow).versions / one.label)

    assert UnpackProgram(places_of(slow), one, slow, unpacking()).is_done()


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
