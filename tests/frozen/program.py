"""The one file, run as on somebody's machine: in an empty folder, with an empty environment."""

import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).parent.parent.parent
ARCHES = {"aarch64": "arm64", "armv7l": "armhf", "armv8l": "armhf"}
PATIENCE_S = 60.0
EMULATED_PATIENCE_S = 600.0  # emulation is some twenty times slower
STOP_S = 5.0
Done = subprocess.CompletedProcess[str]


def command_of(environ: Mapping[str, str]) -> Sequence[str]:
    """The words that run the one file: AGENT_BINARY, or what was built for this machine; or none.

    AGENT_BINARY may have more words before the path, such as those of an emulator.
    """
    if words := shlex.split(environ.get("AGENT_BINARY", "")):
        *before, path = words
        return [*(shutil.which(word) or word for word in before), str(Path(path).absolute())]
    machine = platform.machine()
    built = ROOT / "dist" / f"agent-linux-{ARCHES.get(machine, machine)}"
    return [str(built)] if built.exists() else []


@attrs.frozen
class Frozen:
    """The one file in a folder of its own; ``env`` is all the environment that it gets."""

    words: Sequence[str]
    folder: Path
    env: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def path(self) -> Path:
        """The one file itself."""
        return Path(self.words[-1])

    @property
    def is_emulated(self) -> bool:
        """Whether something else than this machine runs it: a copy needs the same words."""
        return len(self.words) > 1

    @property
    def patience_s(self) -> float:
        """Nothing takes so long."""
        return EMULATED_PATIENCE_S if self.is_emulated else PATIENCE_S

    @property
    def stop_s(self) -> float:
        """What an end may take."""
        return STOP_S * (20 if self.is_emulated else 1)

    def at(self, path: Path) -> "Frozen":
        """The same, called by another path."""
        return attrs.evolve(self, words=[*self.words[:-1], str(path)])

    def with_env(self, **env: str) -> "Frozen":
        """The same with more in its environment."""
        return attrs.evolve(self, env={**self.env, **env})

    def run(self, *words: str, before: Sequence[str] = (), **options: Any) -> Done:
        """A command and what came of it; ``before`` are words that run it, such as unshare's."""
        return subprocess.run(
            [*before, *self.words, *words],
            cwd=options.pop("cwd", self.folder),
            env=self.env,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=self.patience_s,
            check=False,
            **options,
        )

    def in_shell(self, script: str) -> Done:
        """A script of bash in which ``agent`` is the one file."""
        function = f'agent() {{ {shlex.join(self.words)} "$@"; }}\n'
        return subprocess.run(
            ["/bin/bash", "-c", function + script],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            encoding="utf-8",
            timeout=self.patience_s,
            check=False,
        )

    @contextmanager
    def started(self, *words: str, log: str = "agent.log") -> Iterator["Started"]:
        """A command that runs in a session of its own; all of it is killed at the end."""
        path = self.folder / log
        with path.open("wb") as stream:
            process = subprocess.Popen(
                [*self.words, *words],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            yield Started(process, path)
        finally:
            for pid in [process.pid, *session_of(process.pid)]:
                _kill(pid)
            process.wait(self.patience_s)


@attrs.frozen
class Started:
    """A command that runs."""

    process: subprocess.Popen[bytes]
    path: Path

    @property
    def log(self) -> str:
        """What it has said so far, on both its outputs."""
        return self.path.read_text("utf-8", "replace")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    @property
    def others(self) -> Sequence[int]:
        """The processes that it is made of, but for the first."""
        return [pid for pid in session_of(self.process.pid) if pid != self.process.pid]

    def signal(self, number: signal.Signals, *, to_all: bool) -> None:
        """As ``kill`` in a shell does it, or as a terminal does."""
        if to_all:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)


def source(folder: Path, *words: str) -> Done:
    """The same command from source, where the one file ran."""
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


def session_of(leader: int) -> Sequence[int]:
    """The processes of a session that are alive, zombies left out."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[3]) == leader and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
