"""A machine without a clock chip: it starts in the past and learns the time later."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from agent.model import Gap, Sample, Stamp, Value
from agent.store import Reader
from agent.store.moved import Moved
from agent.store.true_time import TrueTime
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import EVER
from tests.store.upkept import Upkept, exact

START_MS = NOON_MS


@attrs.frozen
class Given:
    """A sample as it was put in, and when that really was."""

    true_ms: int
    said_ms: int
    monotonic_ms: int
    boot_id: str
    values: Mapping[str, Value]


class Board(Upkept):
    """Knows what time it really is, whatever its clock says."""

    def __init__(self, path: Path, *, plain: bool = False) -> None:
        self.given: dict[str, list[Given]] = {"press": [], "host": []}
        self._true_us = START_MS * 1000
        super().__init__(path, FakeClock(START_MS), plain=plain)

    @property
    def true_ms(self) -> int:
        """What time it is."""
        return self._true_us // 1000

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)
        self._true_us += round(seconds * 1e6)

    def put_values(self, device: str, values: Mapping[str, Value]) -> None:
        super().put_values(device, values)
        stamp = self.clock.stamp()
        self.given[device].append(
            Given(self.true_ms, stamp.ts_ms, stamp.monotonic_ms, self.clock.boot_id, values)
        )

    def put_late(self, device: str, stamp: Stamp, **values: Value) -> None:
        """A sample of a poll that took long."""
        self.store.append(Sample(device, stamp, values))

    def boot(self, name: str, said_ms: int, *, off_s: float = 60.0) -> None:
        """The power fails, and comes back after a while; the clock says something then."""
        self.wait(off_s)
        self.clock.reboot(name, said_ms)
        self.clock.synchronised = False
        self.restart()

    def learn(self) -> None:
        """The clock is set, and the kernel says so."""
        self.clock.set_wall(self.true_ms)
        self.clock.synchronised = True

    def run_for(self, seconds: int, every_s: float = 1.0, *devices: str) -> None:
        """Polls of the press and of the host, with a commit every ten."""
        for number in range(round(seconds / every_s)):
            for device in devices or ("press", "host"):
                level = len(self.given[device])
                self.put(device, level=level, temperature=level % 7 / 10, mode="auto")
            self.wait(every_s)
            if number % 10 == 9:
                self.store.flush()
        self.store.flush()

    def mend(self) -> None:
        """All that the step does, and nothing else of the upkeep."""
        step = TrueTime(self.upkeep.workplace, self.store.intervals_s)
        while step():
            pass

    def is_true(self, *devices: str) -> bool:
        """Whether all is there once, in order, exact, with its true time."""
        return self._has(
            {name: [g.true_ms for g in self.given[name]] for name in devices or DEVICES}
        )

    def is_as_said(self, *devices: str) -> bool:
        """The same with the times that the clock said."""
        return self._has(
            {name: [g.said_ms for g in self.given[name]] for name in devices or DEVICES}
        )

    def _has(self, times: Mapping[str, list[int]]) -> bool:
        with Reader(self.path) as reader:
            found = {n: [*reader.samples(n, *EVER)] for n in times if self.given[n]}
        sent = {name: [*zip(times[name], self.given[name], strict=True)] for name in found}
        monotonic = {n: [s.stamp.monotonic_ms for s in samples] for n, samples in found.items()}
        got = {n: [(s.stamp.ts_ms, dict(s.values)) for s in found[n]] for n in found}
        wanted = {n: [(ts_ms, dict(g.values)) for ts_ms, g in sent[n]] for n in sent}
        return exact(got) == exact(wanted) and monotonic == {
            n: [g.monotonic_ms for _, g in sent[n]] for n in sent
        }

    def moved(self, device: str = "press") -> list[Moved]:
        """What was moved of a device."""
        with Reader(self.path) as reader:
            return reader.moved(device, *EVER)

    def seconds(self, device: str = "press") -> list[tuple[float, float | None, str]]:
        """The gaps of a device in seconds after the start of all, with their reasons."""
        return [_seconds(gap) for gap in self.gaps(device)]


DEVICES = ("press", "host")


def _seconds(gap: Gap) -> tuple[float, float | None, str]:
    end = None if gap.end_ms is None else (gap.end_ms - START_MS) / 1000
    return (gap.start_ms - START_MS) / 1000, end, str(gap.reason)
