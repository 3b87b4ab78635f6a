"""The machine that is looked at: its files, its programs, its user. Tests hand in another."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from agent.clock import Clock, SystemClock
from agent.discovery.targets import Resolve, look_up
from agent.errors import AgentError
from agent.service.build import unpacked_folder
from agent.service.commands import SystemRunner

TEXT_LIMIT = 1 << 20  # bytes of one file of the system
OUTPUT_LIMIT = 1 << 20  # characters


@attrs.frozen
class Output:
    """What a program said; ``code`` is ``None`` where it could not be run or did not end."""

    code: int | None
    text: str
    error: str = ""


@attrs.frozen
class Space:
    """How much room a file system has, in bytes and in files."""

    total: int
    free: int  # for ordinary users
    files: int = 0  # 0: the file system does not count them
    files_free: int = 0
    reserved: int = 0  # bytes that only root may use

    @property
    def usable(self) -> int:
        """Bytes for ordinary users, used or not."""
        return self.total - self.reserved

    @property
    def used_percent(self) -> float:
        """As ``df`` shows it."""
        return 100 * (1 - self.free / self.usable) if self.usable else 0.0


Run = Callable[[Sequence[str], float], Output]


@attrs.frozen
class Machine:
    """Where facts come from; ``root`` is where ``/proc``, ``/sys``, ``/etc`` and ``/run`` lie."""

    root: Path = Path("/")
    environ: Mapping[str, str] = attrs.Factory(lambda: dict(os.environ))
    run: Run = attrs.field(factory=lambda: run_program)
    space: Callable[[Path], Space] = attrs.field(factory=lambda: space_of)
    resolve: Resolve = look_up
    clock: Clock = attrs.field(factory=SystemClock)
    uid: int = attrs.field(factory=os.geteuid)
    gids: frozenset[int] = attrs.field(factory=lambda: frozenset({os.getegid(), *os.getgroups()}))
    unpacked: Path | None = attrs.field(factory=unpacked_folder)
    word_bits: int = 64 if sys.maxsize > 2**32 else 32

    def at(self, path: str) -> Path:
        """A path of the system, below the root."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str:
        """Content of a file of the system, without white space at its ends; empty without one."""
        try:
            with self.at(path).open("rb") as stream:
                data = stream.read(TEXT_LIMIT)
        except OSError:
            return ""
        return data.decode("utf-8", "replace").strip().strip("\0")

    def number(self, path: str) -> int | None:
        """The whole number in a file of the system."""
        try:
            return int(self.text(path))
        except ValueError:
            return None

    def has(self, path: str) -> bool:
        """Whether the system has something there."""
        return os.access(self.at(path), os.F_OK)


def space_of(path: Path) -> Space:
    """The room of the file system that a path is on.

    Raises:
        OSError: As it comes from the system.
    """
    found = os.statvfs(path)
    size = found.f_frsize
    return Space(
        total=found.f_blocks * size,
        free=found.f_bavail * size,
        files=found.f_files,
        files_free=found.f_favail,
        reserved=(found.f_bfree - found.f_bavail) * size,
    )


def run_program(words: Sequence[str], timeout_s: float) -> Output:
    """What a program of the system says; never raises, never asks, never waits for ever."""
    runner = SystemRunner(os.environ)
    path = words[0] if words[0].startswith("/") else runner.find(words[0])
    if path is None:
        return Output(None, "", f"there is no program {words[0]}")
    try:
        result = runner.run(path, *words[1:], timeout_s=timeout_s)
    except (AgentError, ValueError) as exc:  # ValueError: a NUL in a word
        return Output(None, "", str(exc))
    return Output(result.code, result.out[-OUTPUT_LIMIT:], result.err.strip()[-1000:])
