"""One simulator of each kind at once, with faults that are switched by typing a line."""

import difflib
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from hw_sim.contract import RunsInside, Simulator
from hw_sim.registry import SIMULATED, Simulated
from hw_sim.running import fault_table

USAGE = """\
fault DEVICE NAME   misbehave, such as: {example}
fault DEVICE none   be well again
faults [DEVICE]     what there is
DEVICE is a name or a kind: {names}"""
UNFIT = '"\\'  # a path with these would have to be written otherwise in agent.toml


@attrs.frozen
class Device:
    """One simulated device, and what newcomers call it."""

    kind: str
    name: str
    simulator: Simulator
    simulated: Simulated

    @property
    def table(self) -> str:
        """What ``agent.toml`` says of it, once it has started."""
        return self.simulated.table(self.name, self.simulator.address)


def device(kind: str, folder: Path, seed: int = 1) -> Device:
    """A device of a kind, not started; the folder is for its files and links."""
    simulated = SIMULATED[kind].load()
    own = folder / kind
    own.mkdir(parents=True, exist_ok=True)
    return Device(kind, simulated.name or kind, simulated.simulate(own, seed), simulated)


def check_folder(folder: Path) -> None:
    """See that a folder's name can stand in ``agent.toml`` as it is.

    Raises:
        ValueError: It has a quotation mark, a backslash, or what can't be printed.
    """
    text = str(folder)
    if not text.isprintable() or any(sign in text for sign in UNFIT):
        raise ValueError(f"{text!r}: name a folder without quotation marks and backslashes")


class Everything(RunsInside):
    """Several devices that run together."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self.devices: Sequence[Device] = tuple(devices)
        self._faults: dict[str, str] = {}  # in force, by name
        self._lock = threading.Lock()

    @property
    def tables(self) -> Sequence[str]:
        """What ``agent.toml`` says of each, once they have started."""
        return [each.table for each in self.devices]

    def start(self) -> None:
        """Start all or none; twice is fine.

        Raises:
            OSError: One of them can't start.
        """
        try:
            for each in self.devices:
                each.simulator.start()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all, the newest first; twice is fine."""
        for each in reversed(self.devices):
            each.simulator.stop()

    def obey(self, line: str) -> str:
        """Do what a line says, ``fault DEVICE NAME`` or another of ``USAGE``; what to say to it.

        What could not be done begins with "error: ". Lines may come from several threads.
        """
        try:
            with self._lock:
                return self._obey(line)
        except (ValueError, OSError) as error:
            return f"error: {error}"

    def usage(self) -> str:
        """What can be typed."""
        names = ", ".join(_called(each) for each in self.devices)
        return USAGE.format(example=self.example(), names=names)

    def example(self) -> str:
        """A line that switches a fault."""
        last = self.devices[-1]
        faults = last.simulator.FAULTS
        return f"fault {last.name} {'silent' if 'silent' in faults else next(iter(faults))}"

    def _obey(self, line: str) -> str:
        match line.split():
            case ["fault", who, fault]:
                return self._set_fault(self._device(who), fault)
            case ["fault" | "faults", who]:
                return fault_table(self._device(who).simulator.FAULTS)
            case ["fault" | "faults"]:
                return "\n".join(map(self._faults_of, self.devices))
            case [] | ["help"]:
                return self.usage()
        raise ValueError(f"no such line: {line!r}\n{self.usage()}")

    def _set_fault(self, found: Device, fault: str) -> str:
        found.simulator.set_fault(None if fault == "none" else fault)
        self._faults[found.name] = "" if fault == "none" else fault
        return f"{found.name}: fault {fault}"

    def _device(self, who: str) -> Device:
        known = {each.kind: each for each in self.devices} | {
            each.name: each for each in self.devices
        }
        if who in known:
            return known[who]
        close = difflib.get_close_matches(who, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        raise ValueError(f"no device {who!r}: {hint}")

    def _faults_of(self, each: Device) -> str:
        now = self._faults.get(each.name)
        state = f", now {now}" if now else ""
        return f"{_called(each)}{state}: {', '.join(each.simulator.FAULTS)}"


def _called(each: Device) -> str:
    return each.name if each.name == each.kind else f"{each.name} ({each.kind})"
