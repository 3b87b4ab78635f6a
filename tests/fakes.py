"""What the tests hand in: a clock that stands still, and a driver that follows a script."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from agent.devices.contract import Driver
from agent.model import Metric, Stamp, Value

NOON_MS = 1_795_176_000_000  # 2026-11-20T12:00:00Z


class FakeClock:
    """Both clocks of a machine; they move when a test says so."""

    def __init__(self, now_ms: int = NOON_MS, monotonic_s: float = 1000.0) -> None:
        self.boot_id = "boot 1"
        self.synchronised: bool | None = True
        self._wall_us = now_ms * 1000
        self._monotonic_us = round(monotonic_s * 1e6)

    def now_ms(self) -> int:
        return self._wall_us // 1000

    def monotonic(self) -> float:
        return self._monotonic_us / 1e6

    def stamp(self) -> Stamp:
        return Stamp(self.now_ms(), self._monotonic_us // 1000)

    def is_synchronised(self) -> bool | None:
        return self.synchronised

    def advance(self, seconds: float) -> None:
        """Time passes, on both clocks."""
        self._wall_us += round(seconds * 1e6)
        self._monotonic_us += round(seconds * 1e6)

    def set_wall(self, now_ms: int) -> None:
        """Somebody sets the wall clock."""
        self._wall_us = now_ms * 1000

    def reboot(self, boot_id: str, now_ms: int | None = None) -> None:
        """The machine starts anew, perhaps with a clock that lost its time."""
        self.boot_id = boot_id
        self._monotonic_us = 5_000_000
        if now_ms is not None:
            self.set_wall(now_ms)


Answer = Mapping[str, Value] | BaseException | Callable[[], Mapping[str, Value]]


class ScriptedDriver:
    """Gives the answers of its script one by one, the last one for ever."""

    def __init__(self, *script: Answer, metrics: Iterable[Metric] = ()) -> None:
        self.script: list[Answer] = list(script)
        self.metrics: Sequence[Metric] = tuple(metrics)
        self.found: list[str] = []
        self.warned: list[str] = []
        self.reads = 0
        self.closes = 0

    def read(self) -> Mapping[str, Value]:
        self.reads += 1
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer

    def describe(self) -> Sequence[str]:
        return self.found

    def warnings(self) -> Sequence[str]:
        return self.warned

    def close(self) -> None:
        self.closes += 1


def as_driver(driver: ScriptedDriver) -> Driver:
    """Has the type checker compare the fake with the contract."""
    return driver
