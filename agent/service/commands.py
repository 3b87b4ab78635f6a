"""Programs of the system that install-service needs, run through one small object."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import attrs

from agent.errors import AgentError

FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")  # not PATH, which a user's shell may bend
TIMEOUT_S = 120.0
SAID_LIMIT = 300  # characters of what a program said that go into an error
PASSED_ON = ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


class TooSlowError(AgentError):
    """A program did not end in time, which says nothing about what it would have said."""


@attrs.frozen
class Result:
    """What a program left behind."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Its last words, for an error."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[-1][:SAID_LIMIT] if lines else f"exit code {self.code}"


class Runner(Protocol):
    """Runs programs of the system; tests hand in one that records."""

    def find(self, name: str) -> str | None:
        """The whole path of a program; ``None`` where it is not installed."""

    def run(self, *command: str, timeout_s: float = TIMEOUT_S) -> Result:
        """Run a program to its end; the first word is its whole path.

        Raises:
            TooSlowError: It does not end in time.
            AgentError: It can't be started.
        """


class SystemRunner:
    """Runs them for real, without the environment of this program.

    A one-file program has a library path of its own set, which is wrong for all others.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {
            "PATH": ":".join(FOLDERS),
            "LC_ALL": "C.UTF-8",
            "SYSTEMD_PAGER": "",
            # "su" and the like do not set it, and "systemctl --user" looks nowhere else.
            "XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}",
            **{name: environ[name] for name in PASSED_ON if name in environ},
        }

    def find(self, name: str) -> str | None:
        paths = (f"{folder}/{name}" for folder in FOLDERS)
        return next((path for path in paths if os.access(path, os.X_OK)), None)

    def run(self, *command: str, timeout_s: float = TIMEOUT_S) -> Result:
        try:
            done = subprocess.run(  # noqa: S603 - a whole path and words, no shell
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._environ,
                cwd="/",
                start_new_session=True,  # Ctrl-C is ours to answer: it must not end them
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise TooSlowError(f"{_named(command)} did not end within {timeout_s:g} s") from exc
        except OSError as exc:
            raise AgentError(f"cannot run {_named(command)}: {exc.strerror or exc}") from exc
        return Result(done.returncode, _text(done.stdout), _text(done.stderr))


def must(runner: Runner, name: str, *words: str, timeout_s: float = TIMEOUT_S) -> Result:
    """Run a program of the system that has to be there and to succeed.

    Raises:
        AgentError: It is missing, or says that it failed.
    """
    path = must_find(runner, name)
    result = runner.run(path, *words, timeout_s=timeout_s)
    if result.code:
        raise AgentError(f"{_named((path, *words))}: {result.said}")
    return result


def must_find(runner: Runner, name: str) -> str:
    """The whole path of a program.

    Raises:
        AgentError: It is not installed.
    """
    path = runner.find(name)
    if path is None:
        raise AgentError(f"the program {name} is missing, install it and try again")
    return path


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _named(command: Sequence[str]) -> str:
    return " ".join((Path(command[0]).name, *command[1:]))
