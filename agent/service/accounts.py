"""The service's user and group, and who is in the group."""

from collections.abc import Sequence
from pathlib import Path

import attrs

from agent.errors import AgentError
from agent.files import whole_file
from agent.service.commands import Runner, must, must_find

NAME = "agent"  # of the user and of the group
ABOUT = "Edge telemetry agent"
DEVICE_GROUPS = ("dialout",)  # who may open serial ports; the kinds need nothing else
FIRST_LOGIN = 1000  # user numbers from here on are people's
NOBODY = 65534
NO_SHELLS = ("nologin", "false", "")


@attrs.frozen
class User:
    """A user of this machine."""

    name: str
    uid: int
    gid: int
    about: str
    shell: str

    @property
    def is_person(self) -> bool:
        """Whether somebody logs in as it."""
        is_normal = self.uid >= FIRST_LOGIN and self.uid != NOBODY
        return is_normal or Path(self.shell).name not in NO_SHELLS


@attrs.frozen
class Group:
    """A group of this machine."""

    name: str
    gid: int
    members: tuple[str, ...]


class Accounts:
    """Users and groups, asked and changed with the programs of the system."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def user(self, name: str) -> User | None:
        """The user of that name."""
        fields = self._entry("passwd", name, 7)
        if fields is None:
            return None
        return User(fields[0], int(fields[2]), int(fields[3]), fields[4], fields[6])

    def group(self, name: str) -> Group | None:
        """The group of that name."""
        fields = self._entry("group", name, 4)
        if fields is None:
            return None
        return Group(fields[0], int(fields[2]), tuple(filter(None, fields[3].split(","))))

    def service_ids(self) -> tuple[int, int]:
        """User and group number of the service.

        Raises:
            AgentError: They are not there.
        """
        user, group = self.user(NAME), self.group(NAME)
        if user is None or group is None:
            raise AgentError(f"there is no user and group {NAME!r}")
        return user.uid, group.gid

    def wanted_groups(self) -> Sequence[str]:
        """The groups of devices that this machine has."""
        return [name for name in DEVICE_GROUPS if self.group(name) is not None]

    def make(self, sysusers: Path | None) -> None:
        """Make user and group, where they are missing, and put the user into its groups.

        Raises:
            AgentError: The programs of the system can't do it.
        """
        if sysusers is not None and self._runner.find("systemd-sysusers") is not None:
            with whole_file(sysusers) as stream:
                stream.write(sysusers_text(self.wanted_groups()).encode())
            sysusers.chmod(0o644)
            must(self._runner, "systemd-sysusers", str(sysusers))
            return
        if self.group(NAME) is None:
            must(self._runner, "groupadd", "--system", NAME)
        if self.user(NAME) is None:
            words = ("--system", "--no-create-home", "--home-dir", "/nonexistent", "--gid", NAME)
            about = ("--shell", "/usr/sbin/nologin", "--comment", ABOUT)
            must(self._runner, "useradd", *words, *about, NAME)
        for group in self.wanted_groups():
            self.add_member(NAME, group)

    def remove(self) -> None:
        """Remove user and group, as far as they are there.

        Raises:
            AgentError: They are in use, or the programs of the system are missing.
        """
        if self.user(NAME) is not None:
            must(self._runner, "userdel", NAME)
        if self.group(NAME) is not None:
            must(self._runner, "groupdel", NAME)

    def add_member(self, user: str, group: str) -> None:
        """Put a user into a group."""
        must(self._runner, "usermod", "--append", "--groups", group, user)

    def remove_member(self, user: str, group: str) -> None:
        """Take a user out of a group."""
        must(self._runner, "gpasswd", "--delete", user, group)

    def _entry(self, database: str, name: str, count: int) -> Sequence[str] | None:
        """The line of a user or group, wherever the machine keeps those."""
        result = self._runner.run(must_find(self._runner, "getent"), database, name)
        fields = result.out.strip("\n").split(":")
        return None if result.code or len(fields) != count else fields


def sysusers_text(groups: Sequence[str]) -> str:
    """What systemd-sysusers reads: a user that nobody can log in as.

    >>> print(sysusers_text(["dialout"]), end="")
    # Made by agent install-service.
    u agent - "Edge telemetry agent" /nonexistent /usr/sbin/nologin
    m agent dialout
    """
    lines = ["# Made by agent install-service."]
    lines += [f'u {NAME} - "{ABOUT}" /nonexistent /usr/sbin/nologin']
    lines += [f"m {NAME} {group}" for group in groups]
    return "".join(f"{line}\n" for line in lines)
