"""What reaches the disk: an ext4 file system in a file, and what the kernel wrote to it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SECTOR_BYTES = 512
SIZE_MB = 256
SHADOWED = ("/tmp", "/var/tmp", "/root")


class Disk:
    """A mounted file system of our own; ``/tmp`` and the like lie on it for ``prefix``."""

    def __init__(self, path: Path, device: str) -> None:
        self.path = path
        self._stat = Path("/sys/block") / Path(device).name / "stat"
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
    if os.getuid() != 0 or shutil.which("mkfs.ext4") is None:
        yield None
        return
    with tempfile.TemporaryDirectory(dir="/run") as made:  # what is SHADOWED can't be seen inside
        image, path = Path(made, "image"), Path(made, "disk")
        path.mkdir()
        with image.open("wb") as stream:
            stream.truncate(SIZE_MB << 20)
        options = "lazy_itable_init=0,lazy_journal_init=0"
        _do("mkfs.ext4", "-q", "-E", options, str(image))
        try:
            device = _do("losetup", "--find", "--show", str(image)).strip()
        except subprocess.CalledProcessError:
            yield None
            return
        try:
            _do("mount", device, str(path))
            try:
                yield Disk(path, device)
            finally:
                _do("umount", str(path))
        finally:
            _do("losetup", "--detach", device)


def _do(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
