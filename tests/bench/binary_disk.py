"""What reaches the disk: an ext4 file system in a file, and what the kernel wrote to it."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.loop_disk import DiskError, lacking, made, mounted

SECTOR_BYTES = 512
SIZE_MB = 256
SHADOWED = ("/tmp", "/var/tmp", "/root")


class Disk:
    """A mounted file system of our own; ``/tmp`` and the like lie on it for ``prefix``."""

    def __init__(self, path: Path, device: str) -> None:
        self.path = path
        self._stat = Path("/sys/block") / device / "stat"
        mounts = []
        for folder in SHADOWED:
            own = path / folder.strip("/").replace("/", "-")
            own.mkdir(mode=0o1777)
            mounts.append(f"mount --bind {own} {folder}")
        script = "; ".join([*mounts, 'exec "$@"'])
        self.prefix: Sequence[str] = ["unshare", "-m", "/bin/sh", "-ec", script, "sh"]

    def written_bytes(self) -> int:
        """All that was written to it so far, after what waits has been written too."""
        os.sync()
        return int(self._stat.read_text("ascii").split()[6]) * SECTOR_BYTES


@contextmanager
def disk() -> Iterator[Disk | None]:
    """Such a disk, or ``None`` where it can't be had: not root, no loop devices."""
    if lacking():
        yield None
        return
    with ExitStack() as stack:
        # Not in /tmp: what is SHADOWED can't be seen inside.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/run")))
        try:
            image = made(folder / "image", SIZE_MB)
            device = stack.enter_context(mounted(image, folder / "disk"))
        except DiskError:
            yield None
            return
        yield Disk(folder / "disk", device)
