"""The program that runs here, and copies of it that need no unpacking."""

import os
import shutil
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import attrs

from agent import __version__
from agent.errors import AgentError
from agent.files import sync_folder
from agent.service.archive import UNPACKED, Archive, read_archive
from agent.service.build import this_build

INSIDE = "_internal"  # the folder beside an unpacked program that has its libraries
NAME = "agent"
TLS = "tls.zip"
BUILD_DIGITS = 8


@attrs.frozen
class Program:
    """A program as a file: the one file, or an unpacked copy of it with a folder beside."""

    path: Path
    is_frozen: bool
    version: str
    build: str | None

    @property
    def label(self) -> str:
        """Names this version and build, for a folder.

        >>> Program(Path("agent"), True, "1.2.0", "0123456789abcdef").label
        '1.2.0-01234567'
        """
        return f"{self.version}-{(self.build or 'source')[:BUILD_DIGITS]}"


def this_program() -> Program:
    """The program that runs here."""
    if not getattr(sys, "frozen", False):
        return Program(Path(sys.argv[0] or sys.executable), False, __version__, None)
    return Program(Path(os.path.realpath(sys.executable)), True, __version__, this_build())


def unpack(program: Program, folder: Path) -> Path:
    """Make a copy in ``folder``, which must not exist, that starts without unpacking; the program.

    It is one process, writes nothing when it starts and takes no memory for its own files. The
    copy is on the disk when this returns; after an error nothing of it is left.

    Raises:
        AgentError: The program is not frozen, is damaged, or the copy can't be written.
    """
    if not program.is_frozen:
        raise AgentError("this runs from source; build the one file first: make build")
    try:
        folder.mkdir(parents=True)
    except OSError as exc:
        raise AgentError(f"cannot make {folder}: {exc.strerror}") from exc
    try:
        archive = read_archive(program.path)
        if any(entry.kind in UNPACKED for entry in archive.entries):
            _write_inside(archive, folder / INSIDE)
            options = [f"pyi-contents-directory {INSIDE}"]
            archive.write_without(UNPACKED, options, folder / NAME)
        else:
            shutil.copytree(program.path.parent / INSIDE, folder / INSIDE, symlinks=True)
            shutil.copyfile(program.path, folder / NAME)
        _expand(folder / INSIDE)
        (folder / NAME).chmod(0o755)
        _sync(folder)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise AgentError(f"cannot write the program to {folder}: {exc}") from exc
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder / NAME


def _write_inside(archive: Archive, inside: Path) -> None:
    for entry in archive.entries:
        if entry.kind not in UNPACKED:
            continue
        name = PurePosixPath(entry.name)
        if name.is_absolute() or ".." in name.parts:
            raise AgentError(f"{archive.path}: {entry.name!r} inside leads out of its folder")
        target = inside / name
        target.parent.mkdir(parents=True, exist_ok=True)
        content = archive.content(entry)
        if entry.kind == b"n":
            target.symlink_to(os.fsdecode(content.rstrip(b"\0")))
            continue
        target.write_bytes(content)
        target.chmod(0o755 if entry.kind == b"b" else 0o644)


def _expand(inside: Path) -> None:
    """Make ready what build/program.py would expand when it is asked for: later nobody may."""
    packed = inside / TLS
    if packed.exists():
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(inside)
        packed.unlink()


def _sync(folder: Path) -> None:
    """Have all of a folder on the disk: a power cut must not leave a program of zeros."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            sync_folder(path)
        elif path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    sync_folder(folder)
    sync_folder(folder.parent)
