"""Users and groups of the machine, and what they may do with a file."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from agent.doctor.machine import Machine

READ: Final = 0o4
WRITE: Final = 0o2
ENTER: Final = 0o1


@attrs.frozen
class Account:
    """Who runs the agent; ``is_here`` says that it is who runs this command.

    Args:
        gid: The group that new files of it get, where that is known.
    """

    name: str
    uid: int
    gids: frozenset[int]
    is_here: bool = True
    gid: int | None = None

    def may(self, path: Path, bits: int) -> bool:
        """Whether it may do something with what is at a path, the way to it included.

        Raises:
            OSError: Nothing is there, or we may not look ourselves.
        """
        if self.is_here:
            path.stat()
            return os.access(path, bits)
        path = Path(os.path.realpath(path))
        folders = [each for each in path.parents if not self._has(each.stat(), ENTER)]
        return not folders and self._has(path.stat(), bits)

    def _has(self, status: os.stat_result, bits: int) -> bool:
        if self.uid == 0:
            return True
        is_shared = status.st_gid in self.gids
        shift = 6 if status.st_uid == self.uid else 3 if is_shared else 0
        return stat.S_IMODE(status.st_mode) >> shift & bits == bits


def this_account(machine: Machine) -> Account:
    """Who runs this command."""
    for name, uid, gid in _users(machine):
        if uid == machine.uid:
            return Account(name, uid, machine.gids, gid=gid)
    return Account(str(machine.uid), machine.uid, machine.gids)


def named_account(machine: Machine, name: str, groups: str = "") -> Account | None:
    """A user of the machine; ``groups`` are names of others that it is put in."""
    for user, uid, gid in _users(machine):
        if name in (user, str(uid)):
            known = (group_id(machine, each) for each in groups.split())
            extra = {each for each in known if each is not None}
            gids = frozenset({gid, *_groups_of(machine, user), *extra})
            return Account(user, uid, gids, is_here=False, gid=gid)
    return None


def group_id(machine: Machine, name: str) -> int | None:
    """The number of a group."""
    return next((gid for group, gid, _ in _groups(machine) if name in (group, str(gid))), None)


def group_name(machine: Machine, number: int) -> str:
    """The name of a group; its number where it has none."""
    return next((group for group, gid, _ in _groups(machine) if gid == number), str(number))


def user_name(machine: Machine, number: int) -> str:
    """The name of a user; the number where it has none."""
    return next((user for user, uid, _ in _users(machine) if uid == number), str(number))


def members(machine: Machine, number: int) -> frozenset[str]:
    """Who is in a group, as it will be at their next login."""
    by_group = {each for _, gid, names in _groups(machine) if gid == number for each in names}
    return frozenset(by_group | {user for user, _, gid in _users(machine) if gid == number})


def _groups_of(machine: Machine, user: str) -> Iterator[int]:
    return (gid for _, gid, names in _groups(machine) if user in names)


def _users(machine: Machine) -> Iterator[tuple[str, int, int]]:
    for line in machine.text("/etc/passwd").splitlines():
        fields = line.split(":")
        if len(fields) > 3 and fields[2].isdecimal() and fields[3].isdecimal():
            yield fields[0], int(fields[2]), int(fields[3])


def _groups(machine: Machine) -> Iterator[tuple[str, int, frozenset[str]]]:
    for line in machine.text("/etc/group").splitlines():
        fields = line.split(":")
        if len(fields) > 3 and fields[2].isdecimal():
            yield fields[0], int(fields[2]), frozenset(filter(None, fields[3].split(",")))
