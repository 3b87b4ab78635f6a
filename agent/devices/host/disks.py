"""File systems and disks of this machine."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from agent.devices.host.files import (
    Files,
    checksum,
    distinct_word,
    is_there,
    printable,
    whole,
    word,
)
from agent.model import Metric, MetricType, Value

SECTOR_BYTES = 512  # of /proc/diskstats, whatever the disk's own are
MAX_SECTORS = 10**15  # more is not a disk, nor a number that fits into 64 bits
NO_MEDIUM = ("sr", "fd")  # optical and floppy drives
# A FUSE file system is a program: if it hangs, so does whoever asks for its free space. The two
# others are images, full by nature, one for each installed snap.
LEFT_OUT = ("fuse", "squashfs", "iso9660")
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Disks:
    """Space of each local file system, and bytes through each whole disk.

    Local are those with a device under ``/dev/``: a network mount whose server is away would hang
    the poll. A device that is mounted more than once counts once, at its shortest path.
    Source: proc_pid_mounts(5), statvfs(3), the kernel's ``admin-guide/iostats``.
    """

    def __init__(self, files: Files, proc: str, sys: str) -> None:
        self._files = files
        self._proc = proc
        self._sys = sys
        self._mounts = b""
        self._points: Sequence[str] = ()
        self._disks: dict[str, bool] = {}  # block devices: whether it is a whole disk
        self._space: dict[str, Sequence[Metric]] = {}  # of each mount point so far
        self._traffic: dict[str, Sequence[Metric]] = {}  # of each disk so far

    @property
    def metrics(self) -> Sequence[Metric]:
        found = (*self._space.values(), *self._traffic.values())
        return [metric for metrics in found for metric in metrics]

    def read(self) -> Mapping[str, Value]:
        """Sizes in bytes, shares in %, and bytes read and written since boot."""
        values: dict[str, Value] = {}
        for point in self._mount_points():
            space = _space(point)
            if space is not None:
                values |= zip(self._space_names(point), space, strict=True)
        counters = dict(parse_diskstats(self._files.try_read(f"{self._proc}/diskstats")))
        self._disks = {
            name: self._disks[name] if name in self._disks else self._is_disk(name)
            for name in counters
        }
        for name, traffic in counters.items():
            if self._disks[name]:
                values |= zip(self._traffic_names(name), traffic, strict=True)
        return values

    def describe(self) -> Sequence[str]:
        """The file systems and the disks that are recorded."""
        disks = [name for name, is_disk in self._disks.items() if is_disk]
        points = [printable(os.fsencode(point)) for point in self._points]
        return [
            f"file systems {', '.join(points) or 'none'}",
            f"disks {', '.join(disks) or 'none'}",
        ]

    def _mount_points(self) -> Sequence[str]:
        # The table is read each time, so that what is unmounted is not taken for what lies below
        # it, and taken apart only when it has changed.
        mounts = self._files.try_read(f"{self._proc}/mounts")
        if mounts != self._mounts:
            self._mounts = mounts
            # Containers have single files mounted, such as /etc/hosts: not file systems.
            self._points = [point for point in parse_mounts(mounts) if is_there(f"{point}/.")]
        return self._points

    def _is_disk(self, name: str) -> bool:
        # Partitions are not in /sys/block; loop, zram and mapped devices have no hardware.
        folder = f"{self._sys}/block/{name.replace('/', '!')}"
        return not name.startswith(NO_MEDIUM) and is_there(f"{folder}/device")

    def _space_names(self, point: str) -> Iterator[str]:
        if point not in self._space:
            start, text = f"disk_{mount_word(point)}", f"of the file system at {point!a}"
            self._space[point] = (
                Metric(f"{start}_total_bytes", "B", MetricType.INT, f"Size {text}"),
                Metric(f"{start}_free_bytes", "B", MetricType.INT, f"Space for users {text}"),
                Metric(f"{start}_used_pct", "%", MetricType.FLOAT, f"Space in use {text}"),
            )
        return (metric.name for metric in self._space[point])

    def _traffic_names(self, name: str) -> Iterator[str]:
        if name not in self._traffic:
            start = f"disk_{distinct_word(name)}"
            self._traffic[name] = (
                Metric(f"{start}_read_bytes", "B", MetricType.INT, f"Read from {name}"),
                Metric(f"{start}_written_bytes", "B", MetricType.INT, f"Written to {name}"),
            )
        return (metric.name for metric in self._traffic[name])


def mount_word(point: str) -> str:
    """The name of a mount point as part of the name of a metric, another for each.

    ``root`` for ``/``; otherwise the path with ``_`` for ``/``. A path that can't be told from
    that (capitals, spaces, a folder named root) has its CRC-32 after two underscores, so that a
    name never depends on what else is mounted.

    >>> mount_word("/"), mount_word("/boot/firmware"), mount_word("/media/My Disk")
    ('root', 'boot_firmware', 'media_my_disk__50e6f158')
    """
    if point == "/":
        return "root"
    path = point[1:]
    name = word(path)
    if name == path.replace("/", "_") and "_" not in path and path != "root":
        return name
    return f"{name}__{checksum(point)}"


def parse_mounts(content: bytes) -> Sequence[str]:
    """Where local file systems are mounted, one path for each device, in order."""
    source_at: dict[str, bytes] = {}
    for line in content.split(b"\n"):
        fields = line.split(b" ")
        if len(fields) < 4:
            continue
        point = os.fsdecode(_ESCAPE.sub(_unescape, fields[1]))
        if point.startswith("/") and "\0" not in point:
            kind = fields[2].decode("ascii", "replace")
            is_local = fields[0].startswith(b"/dev/") and not kind.startswith(LEFT_OUT)
            source_at[point] = fields[0] if is_local else b""  # the last mount hides the others
    points: dict[bytes, str] = {}
    for point in sorted(source_at, key=lambda point: (len(point), point)):
        if source_at[point]:
            points.setdefault(source_at[point], point)
    return sorted(points.values())


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 8) & 255])


def _space(point: str) -> tuple[int, int, float] | None:
    try:
        state = os.statvfs(point)
    except OSError:  # unmounted since, or not ours to see
        return None
    return space_of(state.f_frsize, state.f_blocks, state.f_bfree, state.f_bavail)


def space_of(size: int, blocks: int, free: int, available: int) -> tuple[int, int, float] | None:
    """Total bytes, bytes free for users, and used %, as ``df`` has it: root's reserve is not used.

    >>> space_of(4096, 1000, 300, 250)
    (4096000, 1024000, 73.7)
    """
    used = blocks - free
    if not 0 < blocks * size < 2**63 or used + available <= 0:
        return None
    return size * blocks, size * available, round(100 * used / (used + available), 1)


def parse_diskstats(content: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name, bytes read, bytes written of each block device.

    >>> list(parse_diskstats(b" 8 0 sda 10 0 16 5 3 0 8 2 0 1 7\\n"))
    [('sda', (8192, 4096))]
    """
    for line in content.split(b"\n"):
        fields = line.split()
        if len(fields) < 10:
            continue
        read, written = whole(fields[5]), whole(fields[9])
        if read is not None and written is not None and max(read, written) <= MAX_SECTORS:
            yield printable(fields[2]), (read * SECTOR_BYTES, written * SECTOR_BYTES)
