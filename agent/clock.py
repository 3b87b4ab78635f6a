"""The only source of time."""

import ctypes
import time
from pathlib import Path
from typing import Protocol

from agent.model import Stamp

CLOCK_SET_MS = 1_735_689_600_000  # 2025-01-01: a wall clock before this was never set
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
PAIR_WITHIN_S = 0.001  # the two clocks of a stamp are read within this time of each other
PAIR_TRIES = 5


class Clock(Protocol):
    """Where every part gets its time from; tests hand in one of their own."""

    @property
    def boot_id(self) -> str:
        """Names this start of the machine: monotonic times compare only within one."""

    def now_ms(self) -> int:
        """Wall time, UTC milliseconds since 1970. It may jump by years."""

    def monotonic(self) -> float:
        """Seconds since boot; never jumps."""

    def stamp(self) -> Stamp:
        """Both clocks, read together."""

    def is_synchronised(self) -> bool | None:
        """Whether the kernel holds its wall clock for right; ``None`` where it cannot be asked."""


class SystemClock:
    """The clocks of this machine."""

    def __init__(self) -> None:
        self._boot_id: str | None = None

    @property
    def boot_id(self) -> str:
        if self._boot_id is None:
            try:
                self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
            except OSError:  # not Linux, or /proc is closed: the boot time tells starts apart
                self._boot_id = f"boot-{round(time.time() - time.monotonic())}"
        return self._boot_id

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def stamp(self) -> Stamp:
        # A thread can be put to sleep between the two readings; a pair that lies too far apart
        # would look like a step of the clock.
        for _ in range(PAIR_TRIES):
            before = time.monotonic()
            ts_ms = time.time_ns() // 1_000_000
            after = time.monotonic()
            if after - before <= PAIR_WITHIN_S:
                break
        return Stamp(ts_ms, int(before * 1000))

    def is_synchronised(self) -> bool | None:
        try:
            state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
        except (OSError, AttributeError):
            return None
        return None if state < 0 else state != TIME_ERROR


class Deadline:
    """The time that the steps of one operation share.

    Source of time for drivers, which know no clock: everything that blocks asks ``left_s()``.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._end = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Seconds left, more than zero.

        Raises:
            TimeoutError: Nothing is left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.timeout_s:g} s")
        return left


def cpu_s() -> float:
    """CPU seconds that this process has used, all threads together."""
    return time.process_time()


def monotonic_s() -> float:
    """Seconds that only rise: for a driver that does something seldom. Tests hand in their own."""
    return time.monotonic()
