"""A watchdog for tests, with parts that hang when told so and a clock of its own."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from agent.progress import Part, Progress, Sort
from agent.service.notify import Notify
from agent.service.restarts import Restarts
from agent.watchdog import Watchdog
from tests.fakes import FakeClock
from tests.service.listener import Listener, environment

WATCHDOG_S = 60.0
BOUND_S = 30.0
HOUR_S = 3600.0


class Bench:
    """A watchdog with three parts that a test has hang, and a systemd that listens."""

    def __init__(self, folder: Path, systemd: Listener, watchdog_s: float | None) -> None:
        self.clock = FakeClock()
        self.since_s: dict[str, float | None] = {"scheduler": None, "store": None, "plc": None}
        self.systemd = systemd
        self.rows = 0
        self.condition = "1 of 1 device well"
        self._folder = folder
        self._watchdog_s = watchdog_s
        self._notify = Notify({})
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._notify.close()

    def start(self) -> None:
        """As systemd starts it, also after it was killed."""
        for name in self.since_s:
            self.since_s[name] = None
        self._notify.close()
        self._notify = Notify(dict(environment(self.systemd, self._watchdog_s)))
        parts = [self._part(Sort.SCHEDULER), self._part(Sort.STORE), self._part(Sort.DEVICE, "plc")]
        self.watchdog = Watchdog(
            Progress(self.clock, parts),
            self._notify,
            Restarts(self._folder, self.clock),
            self.clock,
            self._summary,
        )
        self.watchdog.look()
        self.watchdog.ready()
        self.watchdog.look()

    def hang(self, name: str) -> None:
        """From now on."""
        self.since_s[name] = self.clock.monotonic()

    def pass_time(self, seconds: float) -> list[str]:
        """What systemd hears in so many seconds."""
        before = len(self.systemd.lines)
        for _ in range(round(seconds / self.watchdog.look_s)):
            self.clock.advance(self.watchdog.look_s)
            self.watchdog.look()
            _ = self.systemd.lines  # its queue is short
        return self.systemd.lines[before:]

    def fed_in(self, seconds: float) -> int:
        """How often the watchdog was fed in so many seconds."""
        return self.pass_time(seconds).count("WATCHDOG=1")

    def _part(self, sort: Sort, name: str = "") -> Part:
        key = name or sort.value
        return Part(
            sort, key, BOUND_S, f"{key} hangs for {{for_s}}",
            lambda: self.since_s[key], lambda: [threading.current_thread()],
        )  # fmt: skip

    def _summary(self, hung: Sequence[str]) -> str:
        return "; ".join([*hung, self.condition, f"{self.rows} rows stored"])
