"""Disks of our own for tests and benches: ext4 in a file, below a loop device."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TOOLS = ("mkfs.ext4", "losetup", "mount", "umount")
# Made whole at once: what ext4 would still be making in the background counts as written.
WHOLE = ("-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0")


class DiskError(Exception):
    """Such a disk can't be had here, or a command that works on it did not; and what it said."""


def lacking(tools: Sequence[str] = TOOLS) -> str:
    """What is missing for such a disk; empty when nothing is."""
    absent = [tool for tool in tools if shutil.which(tool) is None]
    if absent:
        return f"needs {', '.join(absent)}"
    return "needs root" if os.geteuid() != 0 else ""


def made(image: Path, size_mb: int) -> Path:
    """A file with an empty file system of 4 KiB blocks."""
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    run("mkfs.ext4", *WHOLE, str(image))
    return image


@contextmanager
def mounted(image: Path, folder: Path, options: str = "defaults") -> Iterator[str]:
    """Mount an image with a loop device of its own, whose name (``loop3``) is given.

    Any namespace that is made meanwhile, by another test, has the mount too and keeps it after we
    let go. ``mount -o loop`` would take the device that is there for the same file, and show what
    that has in memory. For the same reason what lies below may be busy at the end.

    Raises:
        DiskError: There is no loop device, or it can't be mounted.
    """
    folder.mkdir(exist_ok=True)
    device = run("losetup", "--find", "--show", str(image))
    try:
        run("mount", "-o", options, device, str(folder))
        try:
            yield Path(device).name
        finally:
            run("umount", "--lazy", str(folder))
    finally:
        run("losetup", "--detach", device)


def run(*command: str) -> str:
    """What a command printed.

    Raises:
        DiskError: It failed.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise DiskError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
