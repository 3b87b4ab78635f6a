"""Fills a small file system beside a store, step by step, and tells what became of both.

Run with a folder on it: ``python -m tests.store.space_on_disk FOLDER main``, or ``at_once``.
"""

import json
import logging
import sys
from pathlib import Path

from agent.store.room import room_of
from tests.fakes import FakeClock
from tests.store.filled import DEVICES, Filled, run

MAX_PERCENT = 90
CHUNK = 65_536
HOURS = 100


class OnDisk:
    """A store of some MB on a file system, and a file of somebody else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"
        self._said: list[str] = []
        self._number = 0
        logging.getLogger().addHandler(self._handler())
        self.filled = Filled(folder / "telemetry.db", FakeClock())
        self.filled.fill(100)
        self._step = self.filled.keep_small(None, MAX_PERCENT)

    def _handler(self) -> logging.Handler:
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self._said.append(record.getMessage())  # type: ignore[method-assign]
        return handler

    def fill_to(self, percent: float) -> None:
        """Somebody else fills the file system so far."""
        wanted = room_of(self._folder).over(percent)
        with self._ballast.open("ab", buffering=0) as file:
            while wanted < 0:
                try:
                    wanted += file.write(bytes(min(-wanted, CHUNK)))
                except OSError:  # that was the last of it
                    return

    def make_room(self) -> None:
        """Somebody deletes what is not needed."""
        self._ballast.unlink()

    def poll(self, hours: int) -> int:
        """Samples of some hours with the upkeep between them; how many commits failed."""
        failed = 0
        for _ in range(hours):
            for _ in range(10):
                self._number += 1
                self.filled.put("press", noise=f"{self._number:06d}" * 2000)
                self.filled.clock.advance(360)
            failed += not self.filled.store.flush()
            run(self._step)
        return failed

    def keep_up(self) -> None:
        """Upkeep, a minute after the last time."""
        self.filled.clock.advance(61)
        run(self._step)

    def facts(self) -> dict[str, object]:
        """How it is now; what was said since the last time."""
        said = [*self._said]
        self._said.clear()
        return {
            "percent": room_of(self._folder).used_percent,
            "on_disk": self.filled.on_disk(),
            "texts": [*self._step.texts],
            "said": said,
            "samples": {device: len(self.filled.times(device)) for device in DEVICES},
        }


def main(folder: Path) -> None:
    """All steps; a line of JSON with their facts."""
    disk = OnDisk(folder)
    disk.keep_up()
    found: dict[str, object] = {"before": disk.facts()}
    disk.fill_to(93)
    disk.keep_up()
    found["at once"] = disk.facts()
    disk.keep_up()
    found["a minute later"] = disk.facts()
    disk.fill_to(93)
    disk.keep_up()
    found["filled again"] = disk.facts()
    disk.fill_to(99.5)
    disk.keep_up()
    found["as good as full"] = disk.facts()
    disk.fill_to(100)
    found["failed"] = disk.poll(HOURS)
    found["full for days"] = disk.facts()
    disk.make_room()
    disk.keep_up()
    found["with room again"] = disk.facts()
    found["sound"] = disk.filled.is_sound()
    found["newest"] = disk.filled.values("press")[-1]["noise"]
    disk.filled.close()
    sys.stdout.write(json.dumps(found) + "\n")


def at_once(folder: Path) -> None:
    """The same of a file system that has not one byte left from one minute to the next."""
    disk = OnDisk(folder)
    disk.keep_up()
    found: dict[str, object] = {"before": disk.facts()}
    disk.fill_to(100)
    found["failed"] = disk.poll(HOURS)
    found["after"] = disk.facts()
    found["sound"] = disk.filled.is_sound()
    found["newest"] = disk.filled.values("press")[-1]["noise"]
    disk.filled.close()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    {"main": main, "at_once": at_once}[sys.argv[2]](Path(sys.argv[1]))
