"""A memory card to be worn: ext4 with 4 KiB blocks, and how much of it was written."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

SECTOR_BYTES = 512  # in /proc/diskstats, whatever the device
TOOLS = ("mkfs.ext4", "losetup", "mount", "umount")


class NoCardError(Exception):
    """Such a card can't be made here, and why."""


@attrs.frozen
class Card:
    """Where it is mounted, and the block device below."""

    folder: Path
    device: str

    def written_bytes(self) -> int:
        """What reached the device since it is there, all that was written before included."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.sync()
        finally:
            os.close(descriptor)
        for line in Path("/proc/diskstats").read_text("ascii").splitlines():
            fields = line.split()
            if fields[2] == self.device:
                return int(fields[9]) * SECTOR_BYTES
        raise NoCardError(f"{self.device} is not in /proc/diskstats")


@contextmanager
def card(size_mb: int = 2048, options: str = "defaults") -> Iterator[Card]:
    """A card that is there for a while, mounted with ``options``.

    Raises:
        NoCardError: It needs root, some tools and a loop device.
    """
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or lacking:
        raise NoCardError(f"needs {', '.join(lacking) or 'root'}")
    with tempfile.TemporaryDirectory(prefix="agent-wear-") as name:
        image, folder = Path(name) / "image", Path(name) / "card"
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        # Made whole at once: what ext4 would still be making in the background counts as written.
        whole = "lazy_itable_init=0,lazy_journal_init=0"
        _run("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", whole, str(image))
        device = _run("losetup", "--find", "--show", str(image))
        try:
            _run("mount", "-o", options, device, str(folder))
            try:
                yield Card(folder, Path(device).name)
            finally:
                _run("umount", "--lazy", str(folder))
        finally:
            _run("losetup", "--detach", device)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoCardError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
