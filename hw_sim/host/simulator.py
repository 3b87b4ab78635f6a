"""The simulated machine as one of the simulators: started, stopped, with faults on demand."""

import shutil
import tempfile
import threading
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
    """A ``HostTree`` that promises what every simulator does; its address is its folder.

    Args:
        root: Where ``proc`` and ``sys`` are made; neither may be there.
        interval_s: Seconds between changes of the values, which pass in the tree as well.
        frozen: Values stay as they are.
    """

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(
        self, root: Path, seed: int = 1, *, interval_s: float = 1.0, frozen: bool = False
    ) -> None:
        self.tree = HostTree(root, seed)
        self._root = self.tree.root
        self._interval_s = interval_s
        self._frozen = frozen
        self._fault = ""
        self._as_left: Mapping[Path, tuple[int, int, int]] = {}
        self._foreign = 0  # changes that others made before the values moved last
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._moving: threading.Thread | None = None

    @property
    def address(self) -> str:
        """The folder that holds what the options ``proc`` and ``sys`` name."""
        return str(self._root)

    @property
    def write_requests(self) -> int:
        """How many files are new, gone or not as the simulator left them."""
        with self._lock:
            return self._foreign + (self._changed() if self._moving else 0)

    def start(self) -> None:
        """Make the tree; twice is fine.

        Raises:
            FileExistsError: There is a ``proc`` or a ``sys`` already, which may be a real one.
        """
        if self._moving:
            return
        for folder in (self.tree.proc, self.tree.sys):
            if folder.exists():
                raise FileExistsError(f"{folder} is there already, name another folder")
        self._stopped.clear()
        self._moving = threading.Thread(target=self._move, name="host values", daemon=True)
        try:
            self.set_fault(self._fault)
        except OSError:
            self._moving = None
            self._remove()
            raise
        self._moving.start()

    def stop(self) -> None:
        """Take the tree away; twice is fine."""
        if not self._moving:
            return
        self._stopped.set()
        self._moving.join()
        self._foreign += self._changed()
        self._moving = None
        self._remove()

    def set_fault(self, fault: str | None) -> None:
        """Build the tree anew and damage it as ``fault`` says.

        Raises:
            ValueError: No such fault.
        """
        if fault and fault not in FAULTS:
            raise ValueError(f"no fault {fault!r}: known are {', '.join(FAULTS)}")
        with self._lock:
            self._fault = fault or ""
            if not self._moving:
                return
            self._swap()
            self._as_left = self._look()

    def _swap(self) -> None:
        """Build a tree with the fault aside and put it in place: nobody sees half of one."""
        root = self._root
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".swap-", dir=root) as aside:
            new, old = Path(aside) / "new", Path(aside) / "old"
            old.mkdir()
            self.tree.place(new)
            try:
                self._build()
            finally:
                self.tree.place(root)
            for name in ("proc", "sys"):
                if (root / name).exists():
                    (root / name).rename(old / name)
                if (new / name).exists():
                    (new / name).rename(root / name)

    def _build(self) -> None:
        self.tree.absent = ""
        self.tree.build()
        if self._fault in GONE:
            self.tree.remove(GONE[self._fault])
            self.tree.absent = GONE[self._fault]
        elif self._fault:
            for file in self._files():
                self._damage(file)

    def freeze(self) -> None:
        """Values stay as they are."""
        with self._lock:  # not in the middle of a change
            self._frozen = True

    def thaw(self) -> None:
        """Values move on."""
        self._frozen = False

    def _move(self) -> None:
        while not self._stopped.wait(self._interval_s):
            with self._lock:
                if self._frozen or (self._fault and self._fault not in GONE):
                    continue  # where every file is damaged none has a value
                self._foreign += self._changed()
                self.tree.step(self._interval_s)
                self._as_left = self._look()

    def _changed(self) -> int:
        return len(dict(self._look().items() ^ self._as_left.items()))

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
