"""Which file system a path is on, as the kernel lists them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from agent.doctor.machine import Machine

NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "ncpfs"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "davfs", "fuse.davfs2"}
)
MEMORY: Final = frozenset({"tmpfs", "ramfs", "rootfs", "devtmpfs"})
SIMPLE: Final = frozenset({"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk"})


@attrs.frozen
class Mount:
    """One line of ``/proc/self/mountinfo``."""

    point: str
    type: str
    source: str
    options: frozenset[str]
    number: str  # major:minor of the device

    @property
    def is_memory(self) -> bool:
        """Whether what is there is gone after a power cut."""
        compressed = self.source.startswith("/dev/zram")
        return self.type in MEMORY or compressed or self.source == "log2ram"

    @property
    def is_read_only(self) -> bool:
        return "ro" in self.options


def mounts(machine: Machine) -> Iterator[Mount]:
    """All that this process sees, in the order in which they were mounted.

    Source: proc(5), ``/proc/PID/mountinfo``.
    """
    for line in machine.text("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        fields, rest = left.split(" "), right.split(" ")
        if len(fields) > 5 and len(rest) > 2:
            options = frozenset((fields[5] + "," + rest[2]).split(","))
            # A bind mount is read-only by its own options alone, a card with errors by the last.
            yield Mount(_plain(fields[4]), rest[0], _plain(rest[1]), options, fields[2])


def mount_of(machine: Machine, path: Path) -> Mount | None:
    """The mount that a path is on; links in it must be resolved."""
    around = [mount for mount in mounts(machine) if path.is_relative_to(mount.point)]
    # Of two at the same place the later one is seen.
    return max(reversed(around), key=lambda mount: len(mount.point), default=None)


def _plain(text: str) -> str:
    r"""A path as it is, where the kernel wrote blanks as ``\040``.

    >>> _plain("/mnt/my\\040disk")
    '/mnt/my disk'
    """
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
