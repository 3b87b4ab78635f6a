"""What somebody does who may not read a file of the agent's service."""

import grp
import os
import pwd
import stat
from pathlib import Path


def how_to_read(path: Path) -> str:
    """What to do, as the end of an error; empty where nothing is known.

    Nothing is said of files that are closed for their group too.
    """
    try:
        group = _group_of(path)
        user = pwd.getpwuid(os.getuid()).pw_name
    except (OSError, KeyError):
        return ""
    if group is None:
        return ""
    if user in group.gr_mem and group.gr_gid not in os.getgroups():
        return f"you are in its group {group.gr_name!r} by now: log out and in again"
    return (
        f"put sudo before the command; or, once: sudo usermod -aG {group.gr_name} {user}, "
        "and log out and in again"
    )


def _group_of(path: Path) -> grp.struct_group | None:
    """Which group may read what is in the way: the file, or a folder above it."""
    for each in (path, *path.absolute().parents):
        try:
            found = each.stat()
        except PermissionError:
            continue
        is_open = bool(found.st_mode & stat.S_IRGRP) and found.st_gid != 0
        return grp.getgrgid(found.st_gid) if is_open else None
    return None
