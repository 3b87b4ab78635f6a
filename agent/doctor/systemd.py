"""What systemd says of the agent's service; only asked, never told."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from agent.doctor.machine import Machine

NAME: Final = "agent.service"
INSTALL: Final = "sudo agent install-service"
REINSTALL: Final = "sudo apt install --reinstall ./edge-agent_VERSION_ARCHITECTURE.deb"
OF_PACKAGES: Final = ("/usr/lib/systemd/", "/lib/systemd/")
PROPERTIES: Final = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath", "NRestarts", "Result",
    "ExecStart", "ExecMainStatus", "MainPID", "User", "Group", "SupplementaryGroups",
    "WatchdogUSec", "NeedDaemonReload", "ActiveEnterTimestamp", "StatusText", "Environment",
    "EnvironmentFiles", "ProtectSystem", "ReadWritePaths", "BindPaths", "StateDirectory",
    "LogsDirectory", "RuntimeDirectory", "CacheDirectory",
)  # fmt: skip


@attrs.frozen
class Unit:
    """The unit as ``systemctl show`` lists it; ``facts`` is empty where systemd can't be asked."""

    has_systemd: bool
    facts: Mapping[str, str] = attrs.Factory(dict)
    is_user: bool = False
    error: str = ""

    @property
    def is_installed(self) -> bool:
        return self.facts.get("LoadState") not in (None, "", "not-found")

    @property
    def is_active(self) -> bool:
        return self.facts.get("ActiveState") in ("active", "reloading")

    @property
    def option(self) -> str:
        """What to add to ``systemctl`` and ``journalctl``."""
        return " --user" if self.is_user else ""

    @property
    def sudo(self) -> str:
        """What to put before commands that change it."""
        return "" if self.is_user else "sudo "

    @property
    def is_packaged(self) -> bool:
        """Whether it came with a package, whose units install-service leaves alone."""
        return self.facts.get("FragmentPath", "").startswith(OF_PACKAGES)

    @property
    def renew(self) -> str:
        """The command that makes it, and the program that it starts, anew."""
        if self.is_packaged:
            return REINSTALL
        return "agent install-service --user" if self.is_user else INSTALL

    @property
    def command(self) -> Sequence[str]:
        """The words that start the agent."""
        _, _, rest = self.facts.get("ExecStart", "").partition("argv[]=")
        try:
            return shlex.split(rest.partition(" ;")[0])
        except ValueError:
            return ()

    @property
    def program(self) -> Path | None:
        """The program that it starts; blanks in its path are not marked in the command."""
        start = self.facts.get("ExecStart", "").removeprefix("{ ")
        if start.startswith("path=/"):
            return Path(start.removeprefix("path=").partition(" ;")[0])
        return Path(self.command[0]) if self.command else None

    @property
    def environment_file(self) -> Path | None:
        """The file with variables that only the service has, secrets among them."""
        named = self.facts.get("EnvironmentFiles", "").partition(" (")[0]
        return Path(named) if named.startswith("/") else None

    @property
    def config(self) -> Path | None:
        """The configuration that it names."""
        words = list(self.command)
        for at, word in enumerate(words):
            if word == "--config" and words[at + 1 :]:
                return Path(words[at + 1])
            if word.startswith("--config="):
                return Path(word.partition("=")[2])
        return None

    def runs_with(self, file: Path | None) -> bool:
        """Whether a configuration is the one that it names, links followed."""
        if file is None or self.config is None:
            return False
        return os.path.realpath(file) == os.path.realpath(self.config)


def variables_in(text: str) -> dict[str, str]:
    """The variables of a file that systemd reads. Source: systemd.exec(5), ``EnvironmentFile=``.

    >>> variables_in("# a comment\\nWORD='a b'\\nPORT=1")
    {'WORD': 'a b', 'PORT': '1'}
    """
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            value = value.strip()
            is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name.strip()] = value[1:-1] if is_quoted else value
    return found


def shown_unit(machine: Machine) -> Unit:
    """The service of the system, else that of the user."""
    if not machine.has("/run/systemd/system"):
        return Unit(False)
    system = _shown(machine, is_user=False)
    if system.is_installed or machine.uid == 0:
        return system
    user = _shown(machine, is_user=True)
    return user if user.is_installed else system


def _shown(machine: Machine, *, is_user: bool) -> Unit:
    words = ["systemctl", *(["--user"] if is_user else []), "show", NAME]
    said = machine.run([*words, "--property", ",".join(PROPERTIES)], 5.0)
    if said.code != 0:
        return Unit(True, {}, is_user, said.error or "systemctl failed")
    pairs = (line.partition("=") for line in said.text.splitlines())
    return Unit(True, {key: value for key, _, value in pairs}, is_user)
