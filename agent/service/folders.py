"""Steps that make folders, and give files that are there to the service."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from agent.errors import AgentError
from agent.files import sync_folder
from agent.service.own import is_report

Owner = Callable[[], tuple[int, int]]  # user and group number, known once the step runs
T = TypeVar("T")
NAMED = 6  # paths that are worth a word each


def myself() -> tuple[int, int]:
    """Files are left with the user who makes them."""
    return os.getuid(), os.getgid()


class MakeFolder:
    """A folder with its owner and mode."""

    def __init__(
        self,
        path: Path,
        mode: int,
        owner: Owner,
        *,
        why: str,
        is_ours: Callable[[str], bool] = lambda _: False,  # a file that the service made in it
    ) -> None:
        self._path = path
        self._mode = mode
        self._is_ours = is_ours
        self._owner = owner
        self._made: list[Path] = []  # outermost first
        self._former: os.stat_result | None = None
        self.sentence = f"make the folder {path}, {why}"
        self.detail = ""
        self.is_action = False

    def is_done(self) -> bool:
        try:
            found = self._path.stat()
            owner = self._owner()
        except (OSError, AgentError):
            return False
        is_open = found.st_mode & self._mode == self._mode  # the user may have opened it further
        return (found.st_uid, found.st_gid) == owner and is_open

    def do(self) -> str:
        owner = self._owner()
        for folder in missing_folders(self._path):
            folder.mkdir(mode=0o755)
            self._made.append(folder)
        if not self._path.is_dir():
            raise AgentError(f"{self._path} is there, but is no folder: move it away")
        try:
            with _opened(self._path, os.O_DIRECTORY) as handle:
                self._former = os.fstat(handle)
                kept = 0 if self._path in self._made else stat.S_IMODE(self._former.st_mode)
                _set(handle, owner, kept | self._mode)
        except PermissionError as exc:
            raise AgentError(
                f"{self._path} cannot be given to the service: {exc.strerror}; a memory stick "
                "with a file system of Windows is mounted with uid=agent,gid=agent,umask=007"
            ) from exc
        sync_folder(self._path.parent)
        return ""

    def undo(self) -> str:
        if self._path in self._made:
            self._remove()
        elif self._former is not None:
            _give_back(self._path, self._former, os.O_DIRECTORY)
        return ""

    def _remove(self) -> None:
        """It was not there before: what the service left in it goes, and nothing else."""
        if self._path.is_dir():
            for path in sorted(self._path.iterdir()):
                if self._is_ours(path.name) and (path.is_symlink() or not path.is_dir()):
                    path.unlink(missing_ok=True)
        remove_empty(self._made)
        if self._path.is_dir():
            names = ", ".join(sorted(path.name for path in self._path.iterdir()))
            raise AgentError(f"{self._path} is kept, somebody put something into it: {names}")


class GiveFiles:
    """Gives files and folders that are there to the service's user and group.

    Of what is in a folder only the reports, and the folders that have some: the rest is others'.

    Through open files, and never through a link: who owns the folder may change it meanwhile.
    """

    def __init__(self, paths: Sequence[Path], owner: Owner) -> None:
        self._paths = [path for path in paths if path.exists()]
        self._owner = owner
        self._former: dict[tuple[int, int], os.stat_result] = {}
        names = [*map(str, self._paths[:NAMED]), *(["..."] if self._paths[NAMED:] else [])]
        self.sentence = f"give {', '.join(names) or 'nothing'} to the service"
        self.detail = ""
        self.is_action = True

    def is_done(self) -> bool:
        if not self._paths:
            return True
        try:
            owner = self._owner()
            return all(_is_shared(found, owner) for found in self._each(lambda _, found: found))
        except (OSError, AgentError):
            return False

    def do(self) -> str:
        owner = self._owner()

        def give(handle: int, found: os.stat_result) -> None:
            self._former.setdefault((found.st_dev, found.st_ino), found)
            extra = 0o2070 if stat.S_ISDIR(found.st_mode) else 0o060
            _set(handle, owner, stat.S_IMODE(found.st_mode) | extra)

        count = len(self._each(give))
        return f"{count} files and folders; they stay where they are"

    def undo(self) -> str:
        def give_back(handle: int, found: os.stat_result) -> None:
            former = self._former.get((found.st_dev, found.st_ino))
            if former is not None:
                _set(handle, (former.st_uid, former.st_gid), stat.S_IMODE(former.st_mode))

        self._each(give_back)
        return ""

    def _each(self, visit: Callable[[int, os.stat_result], T]) -> list[T]:
        """What ``visit`` returns for each file and folder, links left out."""
        return [
            visited
            for path in self._paths
            for visited in _visit(path.name, visit, folder=path.parent)
        ]


class Share:
    """Has a file that is there readable for the service's group, and closed for others."""

    def __init__(self, path: Path, owner: Owner) -> None:
        self._path = path
        self._owner = owner
        self._former: os.stat_result | None = None
        self.sentence = f"let the service read {path}, which is kept as it is"
        self.detail = ""
        self.is_action = False

    def is_done(self) -> bool:
        try:
            found = self._path.stat()
            _, group = self._owner()
        except (OSError, AgentError):
            return False
        return found.st_gid == group and found.st_mode & 0o047 == 0o040

    def do(self) -> str:
        _, group = self._owner()
        with _opened(self._path) as handle:
            self._former = os.fstat(handle)
            mode = (stat.S_IMODE(self._former.st_mode) | 0o040) & ~0o007
            _set(handle, (self._former.st_uid, group), mode)
        return ""

    def undo(self) -> str:
        if self._former is not None:
            _give_back(self._path, self._former)
        return ""


def _visit(
    name: str, visit: Callable[[int, os.stat_result], T], *, folder: Path | int
) -> Iterator[T]:
    """Visit a file, or a folder and all reports in it, the innermost first."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        if isinstance(folder, int):
            handle = os.open(name, flags, dir_fd=folder)
        else:
            handle = os.open(folder / name, flags)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENXIO, errno.ENOENT):  # a link, a socket, or gone
            return
        raise
    try:
        found = os.fstat(handle)
        below: list[T] = []
        is_folder = stat.S_ISDIR(found.st_mode)
        if is_folder:
            for inside in sorted(os.listdir(handle)):  # noqa: PTH208 - of an open folder
                below += _visit(inside, visit, folder=handle)
        is_named = not isinstance(folder, int)
        if is_named or (below if is_folder else is_report(name)):
            yield visit(handle, found)
        yield from below
    finally:
        os.close(handle)


def _give_back(path: Path, former: os.stat_result, flags: int = 0) -> None:
    """Owner and mode as they were; what is gone needs none."""
    with suppress(FileNotFoundError), _opened(path, flags) as handle:
        _set(handle, (former.st_uid, former.st_gid), stat.S_IMODE(former.st_mode))


@contextmanager
def _opened(path: Path, flags: int = 0) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        yield handle
    finally:
        os.close(handle)


def _set(handle: int, owner: tuple[int, int], mode: int) -> None:
    os.fchown(handle, *owner)
    os.fchmod(handle, mode)  # after it: a new owner takes the bit for the group away


def _is_shared(found: os.stat_result, owner: tuple[int, int]) -> bool:
    return (found.st_uid, found.st_gid) == owner and found.st_mode & 0o060 == 0o060


def missing_folders(path: Path) -> Sequence[Path]:
    """What has to be made for a folder to be there, outermost first."""
    return [each for each in reversed((path, *path.parents)) if not each.exists()]


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove those of the folders that are empty, the last one first."""
    for folder in reversed(folders):
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            with suppress(FileNotFoundError):
                folder.rmdir()
