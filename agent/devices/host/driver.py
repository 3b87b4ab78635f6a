"""Readings of this machine: battery, CPU, processes, memory, disks, network, temperatures."""

import threading
from collections.abc import Callable, Mapping, Sequence, Set

from agent.clock import Deadline
from agent.devices.contract import device_errors
from agent.devices.host.battery import Battery
from agent.devices.host.cpu import Cpu
from agent.devices.host.disks import Disks
from agent.devices.host.files import Files
from agent.devices.host.options import Options
from agent.devices.host.processes import Processes
from agent.devices.host.sensors import Temperatures, Throttling
from agent.devices.host.system import Memory, Network
from agent.model import Metric, Value

FIRST_INTERVAL_S = 0.1  # ten ticks of a core at the usual 100 Hz, so the first figures are coarse


class Host:
    """Reads this machine.

    Percentages of CPU are those of the time since the previous read. The first read makes a short
    interval of its own, so that its sample is not empty.
    """

    def __init__(
        self,
        options: Options,
        timeout_s: float,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._wait = wait or threading.Event().wait
        self._is_connected = False
        self._options = options
        proc, sys = options.proc, options.sys
        self._files = Files()
        self._battery = Battery(sys, options.power_supply)
        self._cpu = Cpu(self._files, proc, sys)
        self._processes = Processes(proc, options.processes, options.command_lines)
        self._memory = Memory(self._files, proc)
        self._others = self._make_others()
        self._offered: Set[str] = frozenset()  # names of the newest read
        self._metrics = self._list_metrics()

    @property
    def metrics(self) -> Sequence[Metric]:
        """Battery, CPU, processes; then what was found so far: nothing more before a read."""
        return self._metrics

    def read(self) -> Mapping[str, Value]:
        """All values. Those that this machine does not have are left out, but for the battery's.

        Raises:
            DeviceError: ``/proc`` can't be read, or not in time.
        """
        deadline = Deadline(self._timeout_s)
        with device_errors("reading this machine"):
            if not self._is_connected:
                self._connect(deadline)
            memory = self._memory.read()
            values = dict(self._battery.read())
            values |= self._cpu.read()
            deadline.left_s()
            values |= self._read_processes(memory)
            values |= memory
            for part in self._others:
                deadline.left_s()
                values |= part.read()
        if values.keys() != self._offered:
            self._offered = values.keys()
            self._metrics = self._list_metrics()
        return values

    def describe(self) -> Sequence[str]:
        """What the last read found, a sentence each."""
        if not self._is_connected:
            return []
        parts = (self._battery, self._cpu, self._processes, *self._others)
        return [text for part in parts for text in part.describe()]

    def warnings(self) -> Sequence[str]:
        """A power supply that was asked for by name and is not there; all else is left out."""
        return self._battery.warnings()

    def _list_metrics(self) -> Sequence[Metric]:
        parts = (self._battery, self._cpu, self._processes, self._memory, *self._others)
        return tuple(metric for part in parts for metric in part.metrics)

    def _make_others(self) -> Sequence[Disks | Network | Temperatures | Throttling]:
        options, proc, sys = self._options, self._options.proc, self._options.sys
        made: list[Disks | Network | Temperatures | Throttling] = []
        if options.disks:
            made.append(Disks(self._files, proc, sys))
        if options.network:
            made.append(Network(self._files, proc, sys, options.virtual_interfaces))
        if options.temperatures:
            made += [Temperatures(sys), Throttling(sys)]
        return made

    def close(self) -> None:
        """Close all files; forget what was found, and the counters that figures start from."""
        self._is_connected = False
        self._cpu.close()
        self._processes.close()
        self._files.close()
        self._others = self._make_others()

    def _connect(self, deadline: Deadline) -> None:
        self._cpu.read()
        self._read_processes(self._memory.read())
        self._wait(min(FIRST_INTERVAL_S, deadline.left_s() / 2))
        self._is_connected = True

    def _read_processes(self, memory: Mapping[str, Value]) -> Mapping[str, Value]:
        total = memory.get("memory_total_bytes")
        # Asked for once more, right beside the counters that are divided by it.
        return self._processes.read(
            self._memory.uptime_s(), total if isinstance(total, int) else None
        )
