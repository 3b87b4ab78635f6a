"""Puts the service in place: what has to be done for it, in which order."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from agent import state
from agent.config.devices import Kinds
from agent.errors import AgentError
from agent.service import accounts, unit, versions
from agent.service.accounts import Accounts
from agent.service.commands import TooSlowError
from agent.service.configuration import Configured, configured
from agent.service.folders import GiveFiles, MakeFolder, Owner, Share, myself
from agent.service.machine import Machine, check_foreign, read_unit
from agent.service.members import AddMember, MakeUser
from agent.service.own import is_data
from agent.service.paths import UNIT_NAME, Places
from agent.service.place import Link, WriteFile
from agent.service.program import Program
from agent.service.steps import Say, Step
from agent.service.systemd import Systemd
from agent.service.upgrade import Enable, ForgetCopy, KeepStore, Start, Stop, check_form
from agent.service.versions import RemoveOldVersions, UnpackProgram, Version, asked
from agent.service.watch import Wanted, Watch
from agent.store.schema import VERSION

PROGRAM_BYTES = 100 * 2**20  # an unpacked copy, with room to spare


@attrs.frozen
class Plan:
    """All steps, and what the user should know beside them."""

    steps: Sequence[Step]
    notes: Sequence[str]
    unit_text: str
    configured: Configured
    start: Start
    joins: str | None  # who has to log in again


class Install:
    """Plans an installation; ``steps.carry_out()`` does it."""

    def __init__(
        self,
        machine: Machine,
        places: Places,
        program: Program,
        unpack: versions.Unpack,
        say: Say,
    ) -> None:
        self._machine = machine
        self._places = places
        self._program = program
        self._unpack = unpack
        self._say = say
        self._accounts = Accounts(machine.runner)
        self._systemd = Systemd(machine.runner, is_user=places.is_user)
        self._former: Version | None = None

    def plan(self, file: Path | None, kinds: Kinds, first_text: Callable[[], str]) -> Plan:
        """What has to be done. Changes nothing.

        Raises:
            ConfigError: The configuration has faults.
            AgentError: It can't be done here.
        """
        places = self._places
        check_foreign(places)
        self._check_user()
        self._former = self._find_former()
        found = configured(places, file, kinds, first_text)
        versions.room_for(places.versions, PROGRAM_BYTES, "the program")
        text = unit.unit_text(self._unit_facts(found))
        change, start = self._change(found, text)
        steps = [*self._before(found), *change]
        return Plan(steps, self._notes(found), text, found, start, self._joins())

    def _change(self, found: Configured, text: str) -> tuple[list[Step], Start]:
        """From the version that runs, if one does, to this one."""
        places, systemd, former = self._places, self._systemd, self._former
        folder = versions.folder_for(places, self._program, former)
        unpack = UnpackProgram(folder, self._program, self._machine.runner, self._unpack)
        write_unit = WriteFile(
            places.unit, text, 0o644, myself, after=systemd.reload,
            sentence=f"write the service {places.unit}",
        )  # fmt: skip
        current = Link(
            places.current, f"versions/{folder.name}",
            sentence=f"have {places.current} lead to version {self._program.label}",
        )  # fmt: skip
        is_same = found.text is None and all(s.is_done() for s in (unpack, write_unit, current))
        watch = self._watch(found)
        wanted = Wanted(self._program.version, watch.well_devices() if former else ())
        before = attrs.evolve(wanted, version=former.version) if former else wanted
        keep = self._keep_store(found)
        start = Start(
            systemd,
            watch,
            wanted,
            self._say,
            self._machine.clock,
            is_needed=lambda: not (is_same and systemd.seen().active == "active"),
        )
        command = Link(
            places.command, os.path.relpath(places.executable, places.command.parent),
            sentence=f"have {places.command} start it",
        )  # fmt: skip
        stop = Stop(
            systemd, watch, before, is_needed=lambda: not is_same and systemd.seen().is_running
        )
        steps: list[Step] = [unpack, stop, keep, current, write_unit, command]
        steps += [Enable(systemd, is_user=places.is_user), start, ForgetCopy(keep)]
        running = versions.installed(places)
        if running is not None and running != folder:
            kept = {folder.name, running.name} if former else {folder.name}
            steps.append(RemoveOldVersions(places, frozenset(kept)))
        return steps, start

    def _before(self, found: Configured) -> list[Step]:
        """What is needed before the program: user, folders, configuration."""
        places = self._places
        owner = myself if places.is_user else self._accounts.service_ids
        steps: list[Step] = []
        if not places.is_user:
            steps.append(MakeUser(self._accounts, places.sysusers))
            if (caller := self._machine.caller) is not None:
                steps.append(AddMember(self._accounts, caller))
        steps += self._folders(found, owner)
        steps += self._configuration(found, self._config_owner())
        return steps

    def _config_owner(self) -> Owner:
        if self._places.is_user:
            return myself
        # Root's, so that the service can't change it; its group may read it.
        return lambda: (os.getuid(), self._accounts.service_ids()[1])

    def _folders(self, found: Configured, owner: Owner) -> list[Step]:
        places = self._places
        config_mode, data_mode = (0o700, 0o700) if places.is_user else (0o750, 0o2770)
        folders = found.own_folders(places)
        if found.data_dir not in folders:
            folders.insert(0, found.data_dir)
        steps: list[Step] = [
            MakeFolder(
                places.config.parent, config_mode, self._config_owner(), why="for agent.toml"
            ),
            *(
                MakeFolder(each, data_mode, owner, why="for the data", is_ours=is_data)
                for each in folders
            ),
        ]
        if not places.is_user:
            steps.append(GiveFiles(found.own_files(), owner))
        return steps

    def _configuration(self, found: Configured, owner: Owner) -> list[Step]:
        places = self._places
        if found.text is None:
            return [] if places.is_user else [Share(places.config, owner)]
        mode = 0o600 if places.is_user else 0o640
        steps: list[Step] = [
            WriteFile(
                secret.target, secret.source.read_text("utf-8"), mode, owner, keep=True,
                sentence=f"copy {secret.source} to {secret.target}",
            )
            for secret in found.secrets
        ]  # fmt: skip
        sentence = f"write the configuration {places.config}"
        return [
            *steps,
            WriteFile(places.config, found.text, mode, owner, keep=True, sentence=sentence),
        ]

    def _unit_facts(self, found: Configured) -> unit.UnitFacts:
        places = self._places
        return unit.UnitFacts(
            places.executable,
            places.config,
            places.environment,
            is_user=places.is_user,
            has_usual_data_dir=found.data_dir.is_relative_to(places.data_dir),
            folders=() if places.is_user else tuple(found.folders(places)),
        )

    def _check_user(self) -> None:
        user = None if self._places.is_user else self._accounts.user(accounts.NAME)
        if user is not None and user.is_person:
            raise AgentError(
                f"the user {user.name!r} of this machine is somebody's login (number {user.uid}, "
                f"shell {user.shell}), and the service needs that name for a user that nobody "
                "logs in as: rename that user, or install for one user with --user"
            )

    def _watch(self, found: Configured) -> Watch:
        environ = {"RUNTIME_DIRECTORY": str(self._places.runtime)}

        def read_state() -> Mapping[str, Any] | None:
            return state.read(found.config.data_dir, environ)

        machine = self._machine
        return Watch(
            self._systemd, read_state, machine.clock, machine.pause,
            budget_s=machine.budget_s, steady_s=machine.steady_s,
        )  # fmt: skip

    def _find_former(self) -> Version | None:
        """The version that is installed, where it still runs."""
        if not self._places.executable.exists():
            return None
        try:
            return asked(self._machine.runner, self._places.executable)
        except TooSlowError:
            raise  # without its form of the store there might be no way back
        except AgentError:
            return None

    def _keep_store(self, found: Configured) -> KeepStore:
        store = found.config.store_path
        old = self._former.schema if self._former else VERSION
        check_form(VERSION, old, store)
        return KeepStore(store, VERSION, old, self._program.label)

    def _joins(self) -> str | None:
        caller = self._machine.caller
        if self._places.is_user or caller is None:
            return None
        group = self._accounts.group(accounts.NAME)
        return None if group is not None and caller in group.members else caller

    def _notes(self, found: Configured) -> list[str]:
        notes = list(found.notes)
        text = read_unit(self._places)
        if text is not None and unit.is_edited(text):
            notes.append(
                f"{self._places.unit} was edited, and is replaced; what belongs to this machine "
                f"alone goes into: systemctl edit {UNIT_NAME}"
            )
        return notes
