"""A machine as its kernel shows it: a tree of files below a folder, with values that move.

``HostTree(root).build()`` writes ``root/proc`` and ``root/sys``; point the options ``proc`` and
``sys`` of the kind ``host`` there. Each ``step()`` lets some seconds pass. The same seed moves the
values in the same way. Every file is replaced whole, so a reader never sees half of one.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import attrs

from hw_sim.host.texts import (
    diskstats_text,
    meminfo_text,
    mounts_text,
    net_dev_text,
    pid_stat_text,
    stat_text,
)

HZ = 100
SENSORS = (("hwmon0", "cpu_thermal", ""), ("hwmon1", "nvme", "Composite"))
NAMES = ("systemd", "kworker/0:1", "sshd", "python3", "Web Content", "a) S (b", "cron", "bash")


@attrs.frozen
class Supply:
    """One folder of ``/sys/class/power_supply``; a value of ``None`` has no file."""

    name: str
    type: str = "Battery"
    voltage_uv: int | None = 3_987_500
    current_ua: int | None = -412_000
    power_uw: int | None = 1_642_850
    capacity: int | None = 87


BATTERY = (Supply("BAT0"),)
NO_BATTERY: tuple[Supply, ...] = ()
AC = Supply("ac", "Mains", None, None, None, None)
AC_AND_BATTERY = (AC, Supply("battery", current_ua=250_000, power_uw=996_875))
SEVERAL = (AC, Supply("BAT1", voltage_uv=7_400_000), Supply("BAT0"), Supply("usb", "USB"))
NO_POWER_NOW = (Supply("BAT0", power_uw=None),)


@attrs.define
class Process:
    """A process of the tree; ``ticks`` is its CPU time, ``busy`` its share of a core from 0 up."""

    pid: int
    name: str
    busy: float
    start: int
    ticks: int = 0
    rss_pages: int = 1000
    command_line: Sequence[str] = ()


class HostTree:
    """The files of one machine, and what changes them."""

    def __init__(
        self,
        root: Path,
        seed: int = 1,
        *,
        supplies: Sequence[Supply] = BATTERY,
        cores: int = 4,
        processes: int = 20,
        is_raspberry_pi: bool = True,
    ) -> None:
        self.place(root.absolute())
        self.supplies = {supply.name: supply for supply in supplies}
        self.cores = {core: [500, 0, 300, 90_000, 40, 0, 10, 0, 0, 0] for core in range(cores)}
        self.processes: dict[int, Process] = {}
        self.uptime_s = 1000.0
        self.available_kb = 3_000_000
        self.traffic = {"lo": (1000, 1000), "eth0": (5_000_000, 700_000), "veth12ab": (9, 9)}
        self.sectors = {"mmcblk0": (20_000, 8_000), "mmcblk0p1": (900, 10), "loop0": (4, 0)}
        self.mounts: Sequence[tuple[str, str, str]] = (
            ("/dev/mmcblk0p2", str(self.root), "ext4"),
            ("tmpfs", "/run", "tmpfs"),
        )
        self.temperature_mc = 48_312
        self.throttled = 0x50000
        self.absent = ""  # what ``write()`` leaves out: a path below the root, and all below it
        self._is_raspberry_pi = is_raspberry_pi
        self._random = random.Random(seed)
        for _ in range(processes):
            self.spawn(self._random.choice(NAMES), busy=self._random.choice((0, 0, 0.02, 0.3)))

    def place(self, root: Path) -> None:
        """From now on write below another folder; links between the files hold anywhere."""
        self.root = root
        self.proc = root / "proc"
        self.sys = root / "sys"

    def build(self) -> None:
        """Write the whole tree."""
        for name in self.traffic:
            self.write(f"sys/class/net/{name}/mtu", "1500\n")
        for name in self.sectors:
            if "p" not in name:
                self.write(f"sys/block/{name}/size", "62333952\n")
        for hardware in ("class/net/eth0/device", "block/mmcblk0/device"):
            self.write(f"sys/{hardware}/uevent", "")
        self.write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
        for chip, name, label in SENSORS:
            self.write(f"sys/class/hwmon/{chip}/name", f"{name}\n")
            if label:
                self.write(f"sys/class/hwmon/{chip}/temp1_label", f"{label}\n")
        for folder in ("class/power_supply", "class/thermal", "class/hwmon"):
            (self.sys / folder).mkdir(parents=True, exist_ok=True)
        self._link_zone()
        self._write_policy()
        self.refresh()

    def step(self, seconds: float = 5.0) -> None:
        """Let time pass: counters rise, processes work, the battery drains or charges."""
        self.uptime_s += seconds
        self._work(seconds)
        self.supplies = {name: self._drain(s, seconds) for name, s in self.supplies.items()}
        self.available_kb += self._random.randint(-2000, 2000)
        self.temperature_mc += self._random.randint(-487, 487)
        flow = self._random.randint(0, 100_000)
        self.traffic = {name: (r + flow, s + flow // 8) for name, (r, s) in self.traffic.items()}
        self.sectors = {name: (r + 8, w + flow // 512) for name, (r, w) in self.sectors.items()}
        self.refresh()

    def refresh(self) -> None:
        """Write the files whose values move, as the fields of this object are now."""
        self.write("proc/stat", stat_text(self.cores))
        self.write("proc/uptime", f"{self.uptime_s:.2f} {3 * self.uptime_s:.2f}\n")
        busy = sum(process.busy for process in self.processes.values())
        self.write("proc/loadavg", f"{busy:.2f} {busy / 2:.2f} {busy / 4:.2f} 1/99 4242\n")
        self.write("proc/meminfo", meminfo_text(3_884_000, self.available_kb))
        self.write("proc/net/dev", net_dev_text(self.traffic))
        self.write("proc/diskstats", diskstats_text(self.sectors))
        self.write("proc/mounts", mounts_text(self.mounts))
        for process in self.processes.values():
            self._write_process(process)
        for supply in self.supplies.values():
            self._write_supply(supply)
        self.write("sys/class/thermal/thermal_zone0/temp", f"{self.temperature_mc}\n")
        for chip, _, _ in SENSORS:
            self.write(f"sys/class/hwmon/{chip}/temp1_input", f"{self.temperature_mc - 5000}\n")
        if self._is_raspberry_pi:
            path = "sys/devices/platform/soc/soc:firmware/get_throttled"
            self.write(path, f"{self.throttled:x}\n")

    def spawn(self, name: str, busy: float = 0.0, command_line: Sequence[str] = ()) -> Process:
        """A new process; its files appear with the next ``refresh()`` or ``step()``."""
        pid = max(self.processes, default=0) + 1
        arguments = command_line or (f"/usr/bin/{name}",)
        process = Process(pid, name, busy, round(self.uptime_s * HZ), command_line=arguments)
        self.processes[pid] = process
        return process

    def end(self, pid: int) -> None:
        """The process is gone, and its files with it."""
        del self.processes[pid]
        self.remove(f"proc/{pid}")

    def write(self, path: str, content: str | bytes) -> None:
        """Replace the file at ``path`` below the root."""
        if self.absent and Path(path).is_relative_to(self.absent):
            return
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.new")
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        beside.replace(file)

    def remove(self, path: str) -> None:
        """Take away a file, or a folder with all it holds."""
        target = self.root / path
        if target.is_dir() and not target.is_symlink():
            for inner in target.iterdir():
                self.remove(str(inner.relative_to(self.root)))
            target.rmdir()
        else:
            target.unlink()

    def _work(self, seconds: float) -> None:
        ticks = round(seconds * HZ)
        used = 0
        for process in self.processes.values():
            share = process.busy * self._random.uniform(0.8, 1.2)
            process.ticks += round(share * ticks)
            used += round(share * ticks)
        for counters in self.cores.values():
            user = min(ticks, used // max(1, len(self.cores)))
            waiting = self._random.randint(0, (ticks - user) // 10)
            counters[0] += user
            counters[3] += ticks - user - waiting
            counters[4] += waiting

    def _drain(self, supply: Supply, seconds: float) -> Supply:
        if supply.voltage_uv is None or supply.current_ua is None:
            return supply
        charging = supply.current_ua > 0
        voltage = supply.voltage_uv + round(seconds * (40 if charging else -40))
        sign = 1 if charging else -1
        current = sign * max(1000, abs(supply.current_ua) + self._random.randint(-9000, 9000))
        power = None if supply.power_uw is None else abs(voltage * current) // 1_000_000
        minutes = int(self.uptime_s // 60) - int((self.uptime_s - seconds) // 60)
        capacity = supply.capacity
        if capacity is not None:  # a percent a minute
            capacity = min(100, max(0, capacity + sign * minutes))
        return attrs.evolve(
            supply, voltage_uv=voltage, current_ua=current, power_uw=power, capacity=capacity
        )

    def _write_supply(self, supply: Supply) -> None:
        folder = f"sys/class/power_supply/{supply.name}"
        self.write(f"{folder}/type", f"{supply.type}\n")
        files = {
            "voltage_now": supply.voltage_uv,
            "current_now": supply.current_ua,
            "power_now": supply.power_uw,
            "capacity": supply.capacity,
        }
        for name, value in files.items():
            if value is not None:
                self.write(f"{folder}/{name}", f"{value}\n")

    def _write_process(self, process: Process) -> None:
        folder = f"proc/{process.pid}"
        text = pid_stat_text(
            process.pid, process.name, process.ticks, process.start, process.rss_pages
        )
        self.write(f"{folder}/stat", text)
        self.write(f"{folder}/cmdline", "".join(f"{word}\0" for word in process.command_line))

    def _write_policy(self) -> None:
        # As on a Raspberry Pi: all cores share one policy.
        folder = "sys/devices/system/cpu"
        self.write(f"{folder}/cpufreq/policy0/scaling_cur_freq", "1500000\n")
        for core in self.cores:
            link = self.root / folder / f"cpu{core}" / "cpufreq"
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to("../cpufreq/policy0")

    def _link_zone(self) -> None:
        # The kernel shows a thermal zone once more as a chip; drivers must not count it twice.
        link = self.sys / "class/hwmon/hwmon0/device"
        if not link.is_symlink():
            link.symlink_to("../../thermal/thermal_zone0")
