"""The processes of this machine that use most of its CPU."""

import errno
import os
import resource
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent.devices.host.files import printable
from agent.model import Metric, MetricType, Value

STAT_BYTES = 1024  # the fields up to rss of the longest name; the rest is not looked at
CMDLINE_BYTES = 4096
MAX_KEPT = 512
MAX_PID_DIGITS = 9
MAX_COUNT = 10**15  # of ticks or pages: more is not a process
GONE = {errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR}


# Tuples, not attrs.frozen: there is one of each for every process, and with frozen classes a read
# of 100 takes 0.89 ms of CPU, not 0.67.
class Used(NamedTuple):
    """What a process has used since the previous scan; sorts by ticks, then by pid downwards."""

    ticks: int
    minus_pid: int
    rss_pages: int
    name: bytes


class Stat(NamedTuple):
    """What is taken from ``/proc/PID/stat``; times are clock ticks, ``start`` since boot."""

    name: bytes
    ticks: int
    start: bytes
    rss_pages: int


class Processes:
    """Reads the ``count`` busiest processes. Source: proc_pid_stat(5).

    The name is the kernel's, which keeps 15 characters of a program's. Command lines are read only
    where they are asked for, because they may hold passwords. Kernel threads are processes too.
    """

    def __init__(self, proc: str, count: int, command_lines: bool) -> None:
        self._proc = proc
        self._count = count
        self._command_lines = command_lines
        self._kept: dict[str, int] = {}  # pid: its stat, open
        self._before: dict[str, tuple[bytes, int]] = {}  # pid: when it started, ticks used
        self._before_s: float | None = None
        self._max_kept = 0

    @property
    def metrics(self) -> Sequence[Metric]:
        return [
            metric
            for slot in range(1, self._count + 1)
            for metric in _slot_metrics(slot, self._command_lines)
        ]

    def read(self, uptime_s: float | None, memory_bytes: int | None) -> Mapping[str, Value]:
        """All slots, busiest first; those without a process are ``None``.

        Args:
            uptime_s: Now, of the clock that measures the time since the previous read.
            memory_bytes: Memory of the machine, what the share of a process is taken of.

        Raises:
            OSError: ``/proc`` can't be listed, or there are too many open files.
        """
        if not self._count:
            return {}
        passed_s = None
        if uptime_s is not None and self._before_s is not None and uptime_s > self._before_s:
            passed_s = uptime_s - self._before_s
        used = sorted(self._scan(), reverse=True)[: self._count]
        self._before_s = uptime_s
        values: dict[str, Value] = {}
        for slot, process in enumerate(used, 1):
            values |= self._slot(slot, process, passed_s, memory_bytes)
        for slot in range(len(used) + 1, self._count + 1):
            values |= {metric.name: None for metric in _slot_metrics(slot, self._command_lines)}
        return values

    def describe(self) -> Sequence[str]:
        """How many processes are recorded; how many there are changes at every read."""
        if not self._count:
            return ["processes turned off"]
        return [f"the {self._count} busiest processes"]

    def close(self) -> None:
        """Close what is kept and forget the counters."""
        while self._kept:
            os.close(self._kept.popitem()[1])
        self._before = {}
        self._before_s = None

    def _scan(self) -> list[Used]:
        # The costly part: for 100 processes, opening and closing each file takes 0.70 ms, reading
        # it through a kept descriptor 0.30 ms, and taking it apart 0.06 ms.
        self._max_kept = max_kept()
        before, now, used = self._before, dict[str, tuple[bytes, int]](), []
        for pid in os.listdir(self._proc):  # noqa: PTH208 - Path.iterdir makes objects
            if not pid.isdecimal() or len(pid) > MAX_PID_DIGITS:
                continue
            stat = parse_pid_stat(self._read_stat(pid))
            if stat is None:
                continue
            now[pid] = (stat.start, stat.ticks)
            # Whoever was not there before has started since, and used all of its ticks since; the
            # same holds for a pid with another start.
            start, earlier = before.get(pid, (b"", 0))
            ticks = max(0, stat.ticks - earlier) if start == stat.start else stat.ticks
            used.append(Used(ticks, -int(pid), stat.rss_pages, stat.name))
        for pid in self._kept.keys() - now.keys():
            os.close(self._kept.pop(pid))
        self._before = now
        return used

    def _read_stat(self, pid: str) -> bytes:
        """The start of the file, empty where the process is gone or hidden."""
        kept = self._kept.get(pid)
        try:
            if kept is not None:
                return os.pread(kept, STAT_BYTES, 0)
        except OSError:  # it has ended; another may have its pid
            os.close(self._kept.pop(pid))
        try:
            return self._open_stat(pid)
        except OSError as exc:
            if exc.errno in GONE:
                return b""
            raise

    def _open_stat(self, pid: str) -> bytes:
        file = os.open(f"{self._proc}/{pid}/stat", os.O_RDONLY)
        try:
            content = os.pread(file, STAT_BYTES, 0)
            # Files of procfs have no size. Others may be replaced by new ones of the same name.
            if len(self._kept) < self._max_kept and content and not os.fstat(file).st_size:
                self._kept[pid] = file
        finally:
            if self._kept.get(pid) != file:
                os.close(file)
        return content

    def _slot(
        self, slot: int, process: Used, passed_s: float | None, memory_bytes: int | None
    ) -> Mapping[str, Value]:
        cpu = mem = None
        if passed_s is not None:
            cpu = round(100 * process.ticks / (os.sysconf("SC_CLK_TCK") * passed_s), 1)
        if memory_bytes:
            mem = round(100 * process.rss_pages * os.sysconf("SC_PAGE_SIZE") / memory_bytes, 2)
        values: dict[str, Value] = {
            f"process{slot}_pid": -process.minus_pid,
            f"process{slot}_name": printable(process.name),
            f"process{slot}_cpu": cpu,
            f"process{slot}_mem": mem,
        }
        if self._command_lines:
            values[f"process{slot}_cmdline"] = self._command_line(-process.minus_pid)
        return values

    def _command_line(self, pid: int) -> str | None:
        """Arguments with spaces between them, empty for kernel threads; ``None``: it has ended."""
        try:
            file = os.open(f"{self._proc}/{pid}/cmdline", os.O_RDONLY)
        except OSError:
            return None
        try:
            return printable(os.read(file, CMDLINE_BYTES).rstrip(b"\0").replace(b"\0", b" "))
        except OSError:
            return None
        finally:
            os.close(file)


def max_kept() -> int:
    """How many files may stay open: a quarter of what this process may open, at most 512."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_KEPT if limit == resource.RLIM_INFINITY else min(MAX_KEPT, limit // 4)


def parse_pid_stat(content: bytes) -> Stat | None:
    """Take ``/proc/PID/stat`` apart; ``None`` for what is not one.

    The name stands in parentheses and may hold some itself, and spaces: it ends at the last one.

    >>> parse_pid_stat(b"7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 5 3 0 0 20 0 1 0 99 4096 25 0")
    Stat(name=b'a) b', ticks=8, start=b'99', rss_pages=25)
    """
    end = content.rfind(b")")
    fields = content[end + 2 :].split(b" ", 22)
    try:
        ticks = int(fields[11]) + int(fields[12])
        rss_pages = int(fields[21])
    except (IndexError, ValueError):
        return None
    if end < 0 or not (0 <= ticks <= MAX_COUNT and rss_pages <= MAX_COUNT):
        return None
    # The counts of a process's pages are added up loosely and can fall below zero.
    return Stat(content[content.find(b"(") + 1 : end], ticks, fields[19], max(0, rss_pages))


def _slot_metrics(slot: int, command_lines: bool) -> Sequence[Metric]:
    name, text = f"process{slot}", f"of the process that is number {slot} by CPU"
    metrics = [
        Metric(f"{name}_pid", "", MetricType.INT, f"Process id {text}"),
        Metric(f"{name}_name", "", MetricType.TEXT, f"Name {text}, cut by the kernel"),
        Metric(f"{name}_cpu", "%", MetricType.FLOAT, f"CPU {text}, in % of one core"),
        Metric(f"{name}_mem", "%", MetricType.FLOAT, f"Memory {text}, in % of the machine's"),
    ]
    if command_lines:
        metrics.append(Metric(f"{name}_cmdline", "", MetricType.TEXT, f"Command line {text}"))
    return metrics
