"""What may lie where the store's file should be: a folder, a pipe, a file of somebody else."""

import errno
import os
import pwd
import stat
from pathlib import Path

from agent.store.repair.aside import INDEX, JOURNAL, LOG, beside

READ_ONLY = os.ST_RDONLY
OWNER = stat.S_IRUSR | stat.S_IWUSR
OURS = {INDEX: "its index", JOURNAL: "its journal", LOG: "its log"}
# What SQLite says of a damaged file, and where it can't make the index of a log.
DAMAGED = ("file is not a database", "database disk image is malformed")
CLOSED = ("unable to open database file", "attempt to write a readonly database")


def take_rights(path: Path) -> list[Path]:
    """Give us back the rights on files of our own that lost them; which ones that were."""
    found = []
    for each in (path, *(beside(path, end) for end in OURS)):
        try:
            facts = each.stat()
            if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid():
                continue
            if facts.st_mode & OWNER != OWNER:
                each.chmod(stat.S_IMODE(facts.st_mode) | OWNER)
                found.append(each)
        except OSError:  # it is not there, or its disk is read-only: whoever opens it says so
            continue
    return found


def obstacle_at(path: Path) -> str | None:
    """Why nothing can be done with what has the file's name; a missing file is no obstacle."""
    try:
        found = path.stat()
    except OSError as exc:  # also a link to a disk that is not there: it may come
        return "it is a link that leads to itself" if exc.errno == errno.ELOOP else None
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder"
    if not stat.S_ISREG(found.st_mode):
        return "it is no plain file"
    return _closed(path, found)


def obstacles_beside(path: Path) -> dict[str, str]:
    """The same of the files that SQLite keeps beside a file, by how their names end."""
    found = {}
    for end, what in OURS.items():
        why = obstacle_at(beside(path, end))
        if why is not None:
            found[end] = why.replace("it ", f"{what} ", 1)
    return found


def unreadable(path: Path, error: str) -> str:
    """Why a file can't be opened to read, and what to do; ``error`` is what SQLite says of it."""
    for each in (path, *(beside(path, end) for end in OURS)):
        try:
            found = each.stat()
        except OSError:
            continue
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "no plain file"
            return f"cannot read {each}: it is {what}; the agent makes room when it starts"
        if not os.access(each, os.R_OK, effective_ids=True):
            return (
                f"cannot read {each}: it belongs to {_name(found.st_uid)}, and we may not read it; "
                "use sudo, or join its group"
            )
    if error in DAMAGED:
        error += "; stop the agent and save what can be read with: agent store repair"
    elif error in CLOSED and not os.access(path.parent, os.W_OK, effective_ids=True):
        error += f"; we may not write in {path.parent}, as its log needs: use sudo"
    return f"cannot read {path}: {error}"


def _closed(path: Path, found: os.stat_result) -> str | None:
    try:
        is_read_only = bool(os.statvfs(path).f_flag & READ_ONLY)
    except OSError:
        return None
    # A disk that is mounted read-only is at fault itself, and not this file.
    if is_read_only or os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        return None
    return f"it belongs to {_name(found.st_uid)}, and we may not write it"


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
