"""The simulated machine as one of the simulators: started, stopped, with faults on demand."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from hw_sim.contract import RunsInside
from hw_sim.host.tree import HostTree

FAULTS: Mapping[str, str] = {
    "no-proc": "there is no /proc",
    "no-sys": "there is no /sys",
    "no-stat": "/proc/stat is gone, the rest is there",
    "no-battery": "every power supply is taken out",
    "empty": "every file is empty",
    "garbage": "every file holds bytes that are no text",
    "endless": "no file ever ends",
    "folders": "every file is a folder",
}
GONE = {
    "no-proc": "proc",
    "no-sys": "sys",
    "no-stat": "proc/stat",
    "no-battery": "sys/class/power_supply",
}
GARBAGE = b"\xff\x00garbage \n" * 9


class HostSimulator(RunsInside):
    """A ``HostTree`` that promises what every simulator does; its address is its folder."""

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(self, root: Path, seed: int = 1) -> None:
        self.tree = HostTree(root, seed)
        self._fault = ""
        self._is_started = False
        self._as_left: Mapping[Path, tuple[int, int, int]] = {}

    @property
    def address(self) -> str:
        """The folder that holds what the options ``proc`` and ``sys`` name."""
        return str(self.tree.root)

    @property
    def write_requests(self) -> int:
        """How many files are new, gone or not as the simulator left them."""
        now = self._look() if self._is_started else self._as_left
        return len(dict(now.items() ^ self._as_left.items()))

    def start(self) -> None:
        """Make the tree; twice is fine."""
        if not self._is_started:
            self._is_started = True
            self.set_fault(self._fault)

    def stop(self) -> None:
        """Take the tree away; twice is fine."""
        self._is_started = False
        self._remove()

    def set_fault(self, fault: str | None) -> None:
        """Build the tree anew and damage it as ``fault`` says.

        Raises:
            ValueError: No such fault.
        """
        if fault and fault not in FAULTS:
            raise ValueError(f"no fault {fault!r}: known are {', '.join(FAULTS)}")
        self._fault = fault or ""
        if not self._is_started:
            return
        self._remove()
        self.tree.build()
        if self._fault in GONE:
            self.tree.remove(GONE[self._fault])
        elif self._fault:
            for file in self._files():
                self._damage(file)
        self._as_left = self._look()

    def _remove(self) -> None:
        for folder in (self.tree.proc, self.tree.sys):
            shutil.rmtree(folder, ignore_errors=True)

    def _damage(self, file: Path) -> None:
        file.unlink()
        match self._fault:
            case "empty":
                file.write_bytes(b"")
            case "garbage":
                file.write_bytes(GARBAGE)
            case "endless":
                file.symlink_to("/dev/zero")
            case "folders":
                file.mkdir()

    def _files(self) -> list[Path]:
        both = (self.tree.proc, self.tree.sys)
        return [
            path
            for folder in both
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        ]

    def _look(self) -> Mapping[Path, tuple[int, int, int]]:
        found = {}
        for folder in (self.tree.proc, self.tree.sys):
            for path in folder.rglob("*"):
                state = path.lstat()
                found[path] = (state.st_ino, state.st_mtime_ns, state.st_size)
        return found
