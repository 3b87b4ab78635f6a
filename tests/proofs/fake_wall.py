"""Wall clocks that a test sets while the agent runs: for a process, and for a clock in a test."""

import os
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.model import Stamp

BERLIN = ZoneInfo("Europe/Berlin")
PLACES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")


def berlin_ms(text: str) -> int:
    """``2027-03-28 01:59:57`` on a clock in Berlin, or a time with its offset, as UTC ms."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)
    return round(moment.timestamp() * 1000)


def libfaketime() -> Path | None:
    """The library for programs with threads, where it is installed.

    The plain one has no lock around what it reads from its file: with six threads that asked for
    the time, some were told the real one.
    """
    found = (p for place in PLACES for p in Path(place).glob("**/libfaketimeMT.so.1"))
    return next(found, None)


class ProcessWall:
    """The wall clock of a process that is started with ``env``, moved through a file.

    Settings that were found to work with Python's waits, which all go by the monotonic clock:

    - FAKETIME_DONT_FAKE_MONOTONIC: else monotonic() jumps too, and no machine's does.
    - an offset from the real time in the file: an absolute time (``@...``) would begin anew each
      time that the file is read, so that the clock stood still.
    - FAKETIME_CACHE_DURATION: else a step is seen 10 s later. FAKETIME_NO_CACHE would show it at
      once, but then each look at a clock reads the file behind one lock, also those of Python's
      own waits for its interpreter lock: the agent took up to 85 % of a core with 7 polls a second.
    - NO_FAKE_STAT: else the times of files move with every step.
    """

    def __init__(self, folder: Path, library: Path) -> None:
        self._path = folder / "faketime"
        self.env: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_CACHE_DURATION": "0",  # whole seconds
            "NO_FAKE_STAT": "1",
        }
        self._offset_ms = 0

    def set(self, ts_ms: int) -> None:
        """It is that late now, and goes on from there."""
        self._write(ts_ms - time.time_ns() // 1_000_000)

    def step(self, by_ms: int) -> None:
        """Forward, or back."""
        self._write(self._offset_ms + by_ms)

    def now_ms(self) -> int:
        """What the process is told."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def _write(self, offset_ms: int) -> None:
        self._offset_ms = offset_ms
        beside = self._path.with_suffix(".new")  # half a file would be no time at all
        beside.write_text(f"{offset_ms / 1000:+.3f}\n", "ascii")
        beside.replace(self._path)


class SettableClock:
    """A wall clock to be set, over the machine's monotonic one."""

    boot_id = f"test-{os.getpid()}"

    def __init__(self, ts_ms: int) -> None:
        self._lock = threading.Lock()
        self.set(ts_ms)

    def set(self, ts_ms: int) -> None:
        """It is that late now, and goes on from there."""
        with self._lock:
            self._offset_ms = ts_ms - time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        return self.stamp().ts_ms

    def monotonic(self) -> float:
        return time.monotonic()

    def stamp(self) -> Stamp:
        with self._lock:
            monotonic_ms = time.monotonic_ns() // 1_000_000
            return Stamp(monotonic_ms + self._offset_ms, monotonic_ms)

    def is_synchronised(self) -> bool | None:
        return None
