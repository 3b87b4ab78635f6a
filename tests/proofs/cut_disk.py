"""A disk whose power can be cut again and again: a copy of it has what had reached it by then.

An ext4 image lies in another file system, which is frozen while the image is copied. So the copy
is of one moment, what waits in the page cache of the mounted image is not in it, and whoever
writes there is not stopped. Copied without that, the end of the image would be younger than its
beginning: no power cut leaves such a disk.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

TOOLS = ("mkfs.ext4", "losetup", "mount", "umount", "fsfreeze")
OUTER_MB, IMAGE_MB = 200, 96
# Made whole at once: ext4 would go on making it while it is in use.
WHOLE = ("-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0")


class DiskError(Exception):
    """A command that works on disks did not, and what it said."""


def missing_disk(place: Path) -> str:
    """Why there can't be such a disk here; empty when there can."""
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or lacking:
        return f"needs {', '.join(lacking) or 'root'}"
    try:
        with _mounted(_made(place / "trial.image", 1), place / "trial"):
            return ""
    except DiskError as exc:
        return str(exc)


class CutDisk:
    """Mounted at ``folder`` for as long as the ``with`` lasts."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._outer = place / "outer"
        self._image = self._outer / "image"
        self.folder = place / "disk"
        self._mounts = ExitStack()
        self._cuts = 0

    def __enter__(self) -> Self:
        with self._mounts as mounts:
            outer = _made(self._place / "outer.image", OUTER_MB)
            mounts.enter_context(_mounted(outer, self._outer))
            mounts.enter_context(_mounted(_made(self._image, IMAGE_MB), self.folder))
            self._mounts = mounts.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._mounts.close()

    @contextmanager
    def cut(self) -> Iterator[Path]:
        """The disk as it is found after the power went just now."""
        self._cuts += 1  # an older copy may still be mounted, see below
        copy, found = self._place / f"cut{self._cuts}.image", self._place / f"cut{self._cuts}"
        _run("fsfreeze", "--freeze", str(self._outer))
        try:
            _run("cp", "--sparse=always", str(self._image), str(copy))
        finally:
            _run("fsfreeze", "--unfreeze", str(self._outer))
        with _mounted(copy, found):
            yield found
        copy.unlink()
        found.rmdir()


def _made(image: Path, size_mb: int) -> Path:
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    _run("mkfs.ext4", *WHOLE, str(image))
    return image


@contextmanager
def _mounted(image: Path, folder: Path) -> Iterator[None]:
    """Mount an image with a loop device of its own.

    Any namespace that is made meanwhile, by another test, has the mount too and keeps it after we
    let go. ``mount -o loop`` would take the device that is there for the same file, and show what
    that has in memory. For the same reason what lies below may be busy at the end.
    """
    folder.mkdir(exist_ok=True)
    device = _run("losetup", "--find", "--show", str(image))
    try:
        _run("mount", device, str(folder))
        try:
            yield
        finally:
            _run("umount", "--lazy", str(folder))
    finally:
        _run("losetup", "--detach", device)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise DiskError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
