"""Files that appear whole or not at all."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp"  # how names of files end that are still being written
NAME_LIMIT = 60  # characters of the file's name in that of the temporary one: 255 bytes are allowed
SHARED = stat.S_ISGID | stat.S_IWGRP  # a folder whose files belong to its group
GROUP_READ_WRITE = stat.S_IRGRP | stat.S_IWGRP
CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}  # folders of some network file systems


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write beside ``path``; at the end sync and rename, after an error leave nothing.

    Raises:
        OSError: As it comes from the system.
    """
    make_folders(path.parent)
    name = f".{path.name[:NAME_LIMIT]}.{secrets.token_hex(4)}{TEMPORARY}"
    beside = path.with_name(name)
    # Not tempfile: its files are for their owner alone, and the umask that others are made with
    # can only be read by setting it, for all threads.
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            own_as_folder(handle, path.parent)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing; each belongs to its parent's.

    Raises:
        OSError: As it comes from the system.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        handle = os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            own_as_folder(handle, each.parent)
        finally:
            os.close(handle)


def own_as_folder(handle: int, folder: Path) -> None:
    """Give a new file or folder to whoever the folder that it lies in is shared with.

    A report that root makes in a folder of the service would lock the service out; so would one
    that a member of its group makes, whose umask keeps the group from writing.
    """
    owner, new = folder.stat(), os.fstat(handle)
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(handle, owner.st_uid, owner.st_gid)
    wanted = owner.st_mode & (stat.S_IRWXG if stat.S_ISDIR(new.st_mode) else GROUP_READ_WRITE)
    # Only what is missing is set: the service itself may not set the bit that folders inherit.
    if owner.st_mode & SHARED == SHARED and wanted & ~new.st_mode:
        os.fchmod(handle, stat.S_IMODE(new.st_mode) | wanted)


def make_file(path: Path) -> None:
    """Make an empty file for whoever its folder is shared with, if there is none.

    SQLite would make it one that the group can't write, and the files beside it too.

    Raises:
        OSError: As it comes from the system.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return
    try:
        own_as_folder(handle, path.parent)
    finally:
        os.close(handle)


def open_plain(path: str | Path, flags: int, folder: int | None = None) -> int:
    """Open a file, and nothing else; ``folder`` is the handle of the one it is looked for in.

    Where others may write lies perhaps a FIFO, which waits for ever.

    Raises:
        OSError: It is none, or cannot be opened.
    """
    safe = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags | safe, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
    except BaseException:
        os.close(handle)
        raise
    return handle


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder last, where its file system can."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in CANNOT_SYNC:
            raise
    finally:
        os.close(handle)
