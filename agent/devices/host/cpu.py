"""How busy the processor of this machine is: usage, frequency, load."""

import math
import os
import re
from collections.abc import Mapping, Sequence

from agent.devices.contract import device_errors, hex_bytes
from agent.devices.host.files import Files, read_number
from agent.model import Metric, Value

METRICS = (
    Metric("cpu_total", "%", help="CPU time in use since the previous sample, all cores together"),
    Metric("cpu_freq", "MHz", help="CPU frequency now, mean of the cores"),
    Metric("load1", help="Load average of 1 minute"),
    Metric("load5", help="Load average of 5 minutes"),
    Metric("load15", help="Load average of 15 minutes"),
)
LOADS = ("load1", "load5", "load15")
MAX_CORE = 8191  # the kernel's own limit; more is not a list of cores
COUNTERS = 8  # user nice system idle iowait irq softirq steal; guest times are in user and nice
IDLE, IOWAIT = 3, 4
_CPU_MHZ = re.compile(rb"^cpu MHz\s*:\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*$", re.MULTILINE)

Jiffies = tuple[int, ...]


class Cpu:
    """Source: proc_stat(5), proc_loadavg(5), and the kernel's ``admin-guide/pm/cpufreq``."""

    def __init__(self, files: Files, proc: str, sys: str) -> None:
        self._files = files
        self._proc = proc
        self._sys = sys
        self._before: Mapping[str, Jiffies] = {}
        self._cores: tuple[str, ...] = ()
        self._policies: dict[str, int] = {}  # folder of a frequency policy: number of its cores
        self._has_cpuinfo = True
        self._core_metrics: dict[str, Metric] = {}

    @property
    def metrics(self) -> Sequence[Metric]:
        return (*METRICS, *self._core_metrics.values())

    def read(self) -> Mapping[str, Value]:
        """Usage since the previous read in %, ``None`` in the first; frequency in MHz; loads.

        Raises:
            DeviceError: ``/proc/stat`` can't be read, or is none.
        """
        path = f"{self._proc}/stat"
        with device_errors(f"reading {path}"):
            content = self._files.read(path)
            now = parse_stat(content)
            if "cpu" not in now:  # nothing else of this machine is to be believed then
                raise ValueError(f"wanted a line 'cpu' with counters, got {hex_bytes(content)!r}")
        before, self._before = self._before, now
        cores = tuple(name for name in now if name != "cpu")
        if cores != self._cores:
            self._cores = cores
            self._find_policies()
        values: dict[str, Value] = {
            "cpu_total": usage_pct(before.get("cpu"), now.get("cpu")),
            "cpu_freq": self._frequency_mhz(),
        }
        values |= parse_loadavg(self._files.try_read(f"{self._proc}/loadavg"))
        for core in cores:
            values[self._core_metric(core)] = usage_pct(before.get(core), now[core])
        return values

    def describe(self) -> Sequence[str]:
        """How many cores there are, and their numbers."""
        if not self._cores:
            return ["no list of cores"]
        numbers = ", ".join(core.removeprefix("cpu") for core in self._cores)
        return [f"{len(self._cores)} cores online: {numbers}"]

    def close(self) -> None:
        """Forget the counters: the next read has no earlier one."""
        self._before = {}
        self._cores = ()
        self._has_cpuinfo = True

    def _core_metric(self, core: str) -> str:
        name = f"core{core.removeprefix('cpu')}_usage"
        if name not in self._core_metrics:
            text = f"CPU time in use since the previous sample, core {core.removeprefix('cpu')}"
            self._core_metrics[name] = Metric(name, "%", help=text)
        return name

    def _find_policies(self) -> None:
        self._policies = {}
        for core in self._cores:
            folder = os.path.realpath(f"{self._sys}/devices/system/cpu/{core}/cpufreq")
            if read_number(f"{folder}/scaling_cur_freq") is not None:
                self._policies[folder] = self._policies.get(folder, 0) + 1

    def _frequency_mhz(self) -> float | None:
        total = cores = 0
        for folder, count in self._policies.items():
            khz = read_number(f"{folder}/scaling_cur_freq")
            if khz is not None and khz > 0:
                total += khz * count
                cores += count
        if cores:
            return round(total / cores / 1000, 1)
        return self._cpuinfo_mhz()

    def _cpuinfo_mhz(self) -> float | None:
        # Virtual machines have no cpufreq; their cpuinfo names what the host gave them. ARM has
        # no such line, so it is looked for once only.
        if self._policies or not self._has_cpuinfo:
            return None
        found = _CPU_MHZ.findall(self._files.try_read(f"{self._proc}/cpuinfo"))
        self._has_cpuinfo = bool(found)
        return round(sum(map(float, found)) / len(found), 1) if found else None


def parse_stat(content: bytes) -> dict[str, Jiffies]:
    """Jiffies of ``cpu`` (all) and of each core that is online, in the order of ``/proc/stat``.

    >>> parse_stat(b"cpu  9 1 4 80 2 0 1 0 5 0\\ncpu0 9 1 4 80 2 0 1 0 5 0\\nintr 5 1\\n")["cpu0"]
    (9, 1, 4, 80, 2, 0, 1, 0)
    """
    found: dict[str, Jiffies] = {}
    for line in content.split(b"\n"):
        if not line.startswith(b"cpu"):
            break  # the lines of the cores come first; that of the interrupts can be very long
        name, *texts = line.split()
        number = name[3:]
        if not all(text.isdigit() and len(text) <= 18 for text in texts[:COUNTERS]):
            continue
        is_core = number.isdigit() and len(number) <= 4 and int(number) <= MAX_CORE
        if len(texts) > IDLE and (not number or is_core):
            counters = tuple(map(int, texts[:COUNTERS]))
            found[name.decode("ascii")] = counters + (0,) * (COUNTERS - len(counters))
    return found


def usage_pct(before: Jiffies | None, now: Jiffies | None) -> float | None:
    """Share of the time between two readings that was not idle, in %; waiting for I/O is idle.

    ``None`` where no time has passed. Counters that run backwards, as that of iowait does, count
    as standing still.

    >>> usage_pct((0, 0, 0, 0, 0, 0, 0, 0), (20, 0, 5, 70, 5, 0, 0, 0))
    25.0
    """
    if before is None or now is None:
        return None
    passed = [max(0, later - earlier) for earlier, later in zip(before, now, strict=True)]
    total = sum(passed)
    if not total:
        return None
    return round(100 * (total - passed[IDLE] - passed[IOWAIT]) / total, 1)


def parse_loadavg(content: bytes) -> Mapping[str, Value]:
    """The three load averages; ``None`` for each that is not a number.

    >>> parse_loadavg(b"0.52 0.58 nan 2/1143 8712")
    {'load1': 0.52, 'load5': 0.58, 'load15': None}
    """
    texts = content[:256].split()[:3]
    loads = [_finite(text) for text in texts] + [None] * (3 - len(texts))
    return dict(zip(LOADS, loads, strict=True))


def _finite(text: bytes) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
