"""The versions of the program that are installed: unpacked, asked who they are, tidied away."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import attrs

from agent.errors import AgentError
from agent.files import sync_folder
from agent.service.commands import Runner, TooSlowError
from agent.service.folders import remove_empty
from agent.service.paths import Places
from agent.service.place import link_target
from agent.service.program import Program

ASK_S = 60.0  # the first start from a slow card
Unpack = Callable[[Program, Path], Path]


@attrs.frozen
class Version:
    """What a program says of itself."""

    version: str
    build: str | None
    schema: int | None  # of the store

    def is_of(self, program: Program) -> bool:
        """Whether that is this very build."""
        return (self.version, self.build) == (program.version, program.build)

    def __str__(self) -> str:
        return f"{self.version} (build {self.build[:8]})" if self.build else self.version


def asked(runner: Runner, program: Path) -> Version:
    """Which version a program is.

    Raises:
        AgentError: It does not run, or says something else.
    """
    result = runner.run(str(program), "version", "--json", timeout_s=ASK_S)
    try:
        facts = json.loads(result.out)
        schema = facts.get("schema")
        return Version(str(facts["agent"]), facts.get("build"), schema)
    except (ValueError, KeyError, AttributeError) as exc:
        raise AgentError(f"{program} does not run here: {result.said}") from exc


def installed(places: Places) -> Path | None:
    """The folder of the version that ``current`` leads to."""
    target = link_target(places.current)
    return None if target is None else places.lib / target


def folder_for(places: Places, program: Program, running: Version | None) -> Path:
    """Where a version goes, or is already: never the place of a damaged copy that is in use.

    ``current`` leads to a version that starts at any moment, so also after a power cut.

    Args:
        running: What the program that ``current`` leads to says of itself; ``None``: it can't.
    """
    usual = places.versions / program.label
    repaired = usual.with_name(f"{usual.name}-repaired")
    used = installed(places)
    if used not in (usual, repaired):
        return usual
    if running is not None and running.is_of(program):
        return used
    return repaired if used == usual else usual


class UnpackProgram:
    """The program in a folder of its own, one process that has nothing to unpack at its start."""

    def __init__(self, folder: Path, program: Program, runner: Runner, unpack: Unpack) -> None:
        self._folder = folder
        self._program = program
        self._runner = runner
        self._unpack = unpack
        self._has_made = False
        self.sentence = f"put agent {program.version} into {folder}"
        self.detail = ""
        self.is_action = False

    def is_done(self) -> bool:
        if not (self._folder / "agent").exists():
            return False
        try:
            self._check(self._folder)
        except TooSlowError:
            return True  # a busy machine, or a slow card: no sign of damage
        except AgentError:
            return False
        return True

    def do(self) -> str:
        # Beside its place until it is whole: what lies there is taken for installed.
        beside = self._folder.with_name(f".{self._folder.name}.new")
        if beside.exists():
            shutil.rmtree(beside)
        try:
            self._unpack(self._program, beside)
            self._check(beside)
            if os.path.lexists(self._folder):
                _remove(self._folder)  # damaged, and not in use
            self._has_made = True
            beside.rename(self._folder)
            sync_folder(self._folder.parent)  # before anything leads to it
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return ""

    def undo(self) -> str:
        if self._has_made:
            shutil.rmtree(self._folder, ignore_errors=True)
        remove_empty((self._folder.parent.parent, self._folder.parent))
        return ""

    def _check(self, folder: Path) -> None:
        found = asked(self._runner, folder / "agent")
        if not found.is_of(self._program):
            raise AgentError(f"{folder / 'agent'} says that it is {found}: copy the file again")


class RemoveOldVersions:
    """Keeps the version that runs and the one before it, if that is not damaged."""

    def __init__(self, places: Places, kept: frozenset[str]) -> None:
        self._places = places
        self._kept = kept
        self.sentence = "remove older versions"
        self.detail = ""
        self.is_action = True

    def _old(self) -> list[Path]:
        folder = self._places.versions
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [each for each in found if each.name not in self._kept]

    def is_done(self) -> bool:
        return not self._old()

    def do(self) -> str:
        old = self._old()
        try:
            for path in old:
                _remove(path)
        except OSError as exc:  # of a damaged card; the next upgrade tries again
            return f"some of it is left: {exc.strerror}"
        return ", ".join(path.name for path in old)

    def undo(self) -> str:
        return "they are gone; they were not in use"


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def room_for(folder: Path, size_bytes: int, what: str) -> None:
    """Raises ``AgentError`` where there is no room, before anything is written."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    state = os.statvfs(there)
    free = state.f_bavail * state.f_frsize
    if free < size_bytes:
        raise AgentError(
            f"{there} has {free // 2**20} MiB free, and {what} needs {size_bytes // 2**20} MiB: "
            "free some space and try again"
        )
