"""A memory card to be worn: ext4 with 4 KiB blocks, and how much of it was written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from tests.loop_disk import DiskError, lacking, made, mounted

SECTOR_BYTES = 512  # in /proc/diskstats, whatever the device


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
        raise DiskError(f"{self.device} is not in /proc/diskstats")


@contextmanager
def card(size_mb: int = 2048, options: str = "defaults") -> Iterator[Card]:
    """A card that is there for a while, mounted with ``options``.

    Raises:
        DiskError: It needs root, some tools and a loop device.
    """
    if missing := lacking():
        raise DiskError(missing)
    with tempfile.TemporaryDirectory(prefix="agent-wear-") as name:
        folder = Path(name) / "card"
        with mounted(made(Path(name) / "image", size_mb), folder, options) as device:
            yield Card(folder, device)
