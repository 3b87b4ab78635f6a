"""Processes that write into one file, one after the other, until they are killed."""

import subprocess
import sys
import time
from pathlib import Path

from tests.proofs.stored import reading
from tests.proofs.writing import RIGHT, QuickClock, counted, store_of

MERGED_MS = 6 * 3_600_000
ROOT = Path(__file__).parent.parent.parent


class Lives:
    """They say in ``said`` what went in; ``memory`` is the folder of their journal, if any."""

    def __init__(self, path: Path, said: Path, memory: Path | None = None) -> None:
        self.path = path
        self.said = said
        self._memory = memory
        self._boots = 0
        self._epoch_s = time.monotonic()
        self._errors = said.with_suffix(".log")

    def start(self, clock: str = RIGHT) -> subprocess.Popen[bytes]:
        """A process that writes on; its clock is right, wrong, or set after some samples."""
        words = [str(self.path), str(self.said), str(self._epoch_s), self._boot_id, clock]
        words += ["--memory", str(self._memory)] if self._memory is not None else []
        with self._errors.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.proofs.writing", *words], cwd=ROOT, stderr=log
            )

    def reboot(self) -> None:
        """The machine starts anew."""
        self._boots += 1

    @property
    def _boot_id(self) -> str:
        return f"boot {self._boots}"

    def inherit(self) -> None:
        """A start with nothing to poll, and a stop in order."""
        self._start_on(self.path, self._boot_id, self._memory)

    def start_on(self, path: Path) -> None:
        """The same on a copy of the disk, after another boot."""
        self._start_on(path, "boot of a copy", None)

    def _start_on(self, path: Path, boot_id: str, memory: Path | None) -> None:
        store = store_of(path, memory, QuickClock(self._epoch_s, boot_id))
        assert store.flush()
        assert store.close() == 0

    def complaints(self) -> list[str]:
        """What the processes had to say."""
        return self._errors.read_text("utf-8").splitlines()

    def have_merged(self) -> bool:
        """Whether there is a block of more than an hour, which is what sealing makes of batches."""
        longest_ms = self._number("SELECT max(last_ms - first_ms) FROM block")
        return longest_ms > MERGED_MS

    def have_moved(self) -> bool:
        """Whether samples got their true time."""
        return self._number("SELECT count(*) FROM clock WHERE moved_ms IS NOT NULL") > 0

    def _number(self, sql: str) -> int:
        with reading(self.path) as connection:
            return int(connection.execute(sql).fetchone()[0] or 0)

    def lost_and_doubled(self) -> tuple[list[int], list[int]]:
        """Numbers that went in and are not there, and those that are there twice.

        One that was on its way in when its process was killed may be there, or not.
        """
        words = self.said.read_text("ascii").split("\n")[:-1]
        taken = {int(line[2:]) for line in words if line.startswith("s")}
        wanted = {int(line[2:]) for line in words if line.startswith("w")}
        found = counted(self.path)
        assert set(found) <= wanted
        return sorted(taken - set(found)), sorted(n for n, times in found.items() if times > 1)
