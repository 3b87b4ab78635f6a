"""Memory, time since boot and network traffic of this machine."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from agent.devices.host.files import Files, distinct_word, is_there, printable, whole
from agent.model import Metric, MetricType, Value

_MEMORY = re.compile(
    rb"^(MemTotal|MemAvailable|SwapTotal|SwapFree):[ \t]+([0-9]{1,15}) kB$", re.MULTILINE
)
_METRICS = {
    metric.name: metric
    for metric in (
        Metric("memory_total_bytes", "B", MetricType.INT, "Memory that the kernel can use"),
        Metric("memory_available_bytes", "B", MetricType.INT, "Memory free without swapping"),
        Metric("memory_used_pct", "%", MetricType.FLOAT, "Memory that is not available"),
        Metric("swap_total_bytes", "B", MetricType.INT, "Swap space"),
        Metric("swap_used_bytes", "B", MetricType.INT, "Swap space in use"),
        Metric("uptime_s", "s", MetricType.FLOAT, "Time since boot"),
    )
}


class Memory:
    """Source: proc_meminfo(5) and proc_uptime(5)."""

    def __init__(self, files: Files, proc: str) -> None:
        self._files = files
        self._proc = proc
        self._found: dict[str, Metric] = {}

    @property
    def metrics(self) -> Sequence[Metric]:
        return [metric for name, metric in _METRICS.items() if name in self._found]

    def read(self) -> Mapping[str, Value]:
        """Memory, swap and uptime, each left out where the kernel does not say."""
        values = dict(parse_meminfo(self._files.try_read(f"{self._proc}/meminfo")))
        uptime_s = self.uptime_s()
        if uptime_s is not None:
            values["uptime_s"] = uptime_s
        for name in values:
            self._found[name] = _METRICS[name]
        return values

    def uptime_s(self) -> float | None:
        """Seconds since boot, to a hundredth; suspended time is part of it."""
        return parse_uptime(self._files.try_read(f"{self._proc}/uptime"))


def parse_meminfo(content: bytes) -> Mapping[str, Value]:
    """Sizes in bytes and shares in %, without those that the kernel does not name.

    >>> parse_meminfo(b"MemTotal:  1000 kB\\nMemAvailable:  250 kB\\n")["memory_used_pct"]
    75.0
    """
    size = {name: int(text) * 1024 for name, text in _MEMORY.findall(content)}
    values: dict[str, Value] = {}
    total, available = size.get(b"MemTotal"), size.get(b"MemAvailable")
    if total is not None:
        values["memory_total_bytes"] = total
    if available is not None:
        values["memory_available_bytes"] = available
    if total and available is not None:
        values["memory_used_pct"] = round(100 * max(0, total - available) / total, 1)
    swap, free = size.get(b"SwapTotal"), size.get(b"SwapFree")
    if swap is not None and free is not None:
        values["swap_total_bytes"] = swap
        values["swap_used_bytes"] = max(0, swap - free)
    return values


def parse_uptime(content: bytes) -> float | None:
    """The first of the two numbers.

    >>> parse_uptime(b"8712.04 31000.55\\n"), parse_uptime(b"1e999"), parse_uptime(b"")
    (8712.04, None, None)
    """
    try:
        uptime_s = float(content[:64].split()[0])
    except (IndexError, ValueError):
        return None
    return uptime_s if math.isfinite(uptime_s) and uptime_s >= 0 else None


class Network:
    """Bytes through each interface that has hardware; all but ``lo`` if ``virtual``.

    Virtual ones (bridges, tunnels, the two ends of each container's cable) come and go, and each
    would be a column of its own. Source: proc_pid_net(5), ``/proc/net/dev``.
    """

    def __init__(self, files: Files, proc: str, sys: str, virtual: bool) -> None:
        self._files = files
        self._path = f"{proc}/net/dev"
        self._sys = sys
        self._virtual = virtual
        self._wanted: dict[str, bool] = {}  # interfaces that are there
        self._found: dict[str, tuple[Metric, Metric]] = {}

    @property
    def metrics(self) -> Sequence[Metric]:
        return [metric for pair in self._found.values() for metric in pair]

    def read(self) -> Mapping[str, Value]:
        """Bytes received and sent since the interface came up."""
        counters = dict(parse_net_dev(self._files.try_read(self._path)))
        self._wanted = {
            name: self._wanted[name] if name in self._wanted else self._is_wanted(name)
            for name in counters
        }
        values: dict[str, Value] = {}
        for name, (received, sent) in counters.items():
            if self._wanted[name]:
                metrics = self._metrics_of(name)
                values[metrics[0].name] = received
                values[metrics[1].name] = sent
        return values

    def describe(self) -> Sequence[str]:
        """The interfaces that are recorded, and those that are left out."""
        wanted = [name for name, is_wanted in self._wanted.items() if is_wanted]
        others = [name for name, is_wanted in self._wanted.items() if not is_wanted]
        text = f"network interfaces {', '.join(wanted) or 'none'}"
        return [text + (f"; left out: {', '.join(others)}" if others else "")]

    def _is_wanted(self, name: str) -> bool:
        # Only what has hardware has a device.
        if name == "lo":
            return False
        return self._virtual or is_there(f"{self._sys}/class/net/{name}/device")

    def _metrics_of(self, name: str) -> tuple[Metric, Metric]:
        if name not in self._found:
            start = f"net_{distinct_word(name)}"
            self._found[name] = (
                Metric(f"{start}_received_bytes", "B", MetricType.INT, f"Received by {name}"),
                Metric(f"{start}_sent_bytes", "B", MetricType.INT, f"Sent by {name}"),
            )
        return self._found[name]


def parse_net_dev(content: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name, bytes received, bytes sent of each interface.

    >>> list(parse_net_dev(b"  eth0: 120 3 0 0 0 0 0 0 77 2 0 0 0 0 0 0\\n"))
    [('eth0', (120, 77))]
    """
    for line in content.split(b"\n"):
        name, colon, rest = line.rpartition(b":")
        fields = rest.split()
        if not colon or len(fields) < 9 or not name.strip():
            continue
        received, sent = whole(fields[0]), whole(fields[8])
        if received is not None and sent is not None:
            yield printable(name.strip()), (received, sent)
