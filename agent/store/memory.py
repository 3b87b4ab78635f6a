"""A folder in memory that is ours alone: on tmpfs, checked for its owner, reached by no link."""

import ctypes
import errno
import fcntl
import os
import stat
from pathlib import Path

from agent.errors import StoreError
from agent.files import open_plain

TMPFS, RAMFS = 0x01021994, 0x858458F6  # linux/magic.h
STATFS_BYTES = 512  # more than any struct statfs; its first field, a long, is the type


class MemoryFolder:
    """An open folder, held against other processes until ``close()``."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    def names(self) -> list[str]:
        """What lies in it."""
        return os.listdir(self._handle)  # noqa: PTH208 - the folder itself, whatever its path is now

    def make(self, name: str) -> int:
        """A new file, for its owner alone."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(name, flags, 0o600, dir_fd=self._handle)

    def open(self, name: str) -> int:
        """A file that is there, to read and to write.

        Raises:
            StoreError: It is not ours, or none.
        """
        try:
            handle = open_plain(name, os.O_RDWR, self._handle)
        except OSError as exc:
            raise StoreError(f"cannot open {self.path / name}: {exc.strerror}") from exc
        found = os.fstat(handle)
        if found.st_uid == os.geteuid() and found.st_nlink == 1:
            return handle
        os.close(handle)
        raise StoreError(f"{self.path / name} is not a file of this user alone")

    def remove(self, name: str) -> None:
        """Remove a file."""
        os.unlink(name, dir_fd=self._handle)

    def set_aside(self, name: str, under: str) -> None:
        """Rename a file, in place of one that may be there."""
        os.rename(name, under, src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def has_room(self, size_bytes: int) -> bool:
        """Whether so much more fits, and leaves others an eighth: all services share /run."""
        found = os.fstatvfs(self._handle)
        free = found.f_bavail - found.f_blocks // 8
        return not found.f_blocks or free * found.f_frsize >= size_bytes

    @property
    def is_there(self) -> bool:
        """Whether it still has its name: folders of a user's session go when he logs out."""
        return os.fstat(self._handle).st_nlink > 0

    def close(self) -> None:
        """Let others in, and take an empty folder away."""
        try:
            self.path.rmdir()
        except OSError:  # not empty, or gone
            pass
        os.close(self._handle)


def open_folder(base: Path, name: str, *, make: bool) -> MemoryFolder | None:
    """A folder in a folder, made where that is wanted; ``None`` where there is none.

    Raises:
        StoreError: It can't be used, and why.
    """
    path = base / name
    handles = []
    try:
        if make:
            base.mkdir(mode=0o755, parents=True, exist_ok=True)
        flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        handles.append(os.open(base, flags))
        _check(handles[0], base, is_ours=False)
        if make:
            try:
                os.mkdir(name, 0o700, dir_fd=handles[0])
            except FileExistsError:
                pass
        handles.append(os.open(name, flags, dir_fd=handles[0]))
        _check(handles[1], path, is_ours=True)
        fcntl.flock(handles[1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        return MemoryFolder(path, handles.pop())
    except BlockingIOError as exc:
        raise StoreError(f"another agent uses {path}") from exc
    except OSError as exc:
        if not make and exc.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return None
        raise StoreError(f"cannot use {path}: {exc.strerror}") from exc
    finally:
        for handle in handles:
            os.close(handle)


def _check(handle: int, path: Path, *, is_ours: bool) -> None:
    found = os.fstat(handle)
    if found.st_uid != os.geteuid() and (is_ours or found.st_uid != 0):
        raise StoreError(f"{path} belongs to another user, number {found.st_uid}")
    if not is_ours and found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise StoreError(f"anybody may write in {path}, take that right away: chmod o-w {path}")
    if is_ours and found.st_mode & 0o077:
        os.fchmod(handle, 0o700)
    if not _is_in_memory(handle):
        raise StoreError(f"{path} is not in memory (tmpfs)")


def _is_in_memory(handle: int) -> bool:
    found = ctypes.create_string_buffer(STATFS_BYTES)
    try:
        code = ctypes.CDLL(None).fstatfs(handle, found)
    except (OSError, AttributeError):
        return False
    kind = ctypes.cast(found, ctypes.POINTER(ctypes.c_long))[0]
    return code == 0 and kind & 0xFFFFFFFF in (TMPFS, RAMFS)
