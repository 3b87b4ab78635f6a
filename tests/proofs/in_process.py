"""A whole agent inside the test, with devices that the test makes up."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from agent.app import App
from agent.clock import Clock
from agent.config import Config
from agent.config.schema import AgentSection, DeviceConfig, ReportsSection, StoreSection
from agent.devices.contract import Kind
from agent.model import Metric, Value

STOP_S = 5.0


@attrs.frozen
class NoOptions:
    """A made-up device has none."""


class Counting:
    """Reads how often it was read."""

    metrics: Sequence[Metric] = (Metric("count"),)

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> Mapping[str, Value]:
        self.reads += 1
        return {"count": self.reads}

    def describe(self) -> Sequence[str]:
        return ()

    def warnings(self) -> Sequence[str]:
        return ()

    def close(self) -> None: ...


class Hanging(Counting):
    """Never returns from its second read, whatever its time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.is_hanging = threading.Event()
        self.let_go = threading.Event()

    def read(self) -> Mapping[str, Value]:
        if self.reads:
            self.is_hanging.set()
            self.let_go.wait()
        return super().read()


def config_of(
    folder: Path,
    devices: Mapping[str, float],
    *,
    timeout_s: float = 0.05,
    store: StoreSection | None = None,
    reports: ReportsSection | None = None,
) -> Config:
    """A configuration of made-up devices: name, which is its kind too, and interval in seconds."""
    return Config(
        source="test",
        agent=AgentSection(data_dir=str(folder), timezone="Europe/Berlin"),
        store=store or StoreSection(flush_interval_s=0.2),
        reports=reports or ReportsSection(),
        devices=tuple(
            DeviceConfig(name, name, True, interval_s, timeout_s, NoOptions())
            for name, interval_s in devices.items()
        ),
        data_dir=folder,
    )


def kinds_of(drivers: Mapping[str, Counting]) -> dict[str, Callable[[], Kind]]:
    """A registry in which each driver is a kind."""

    def maker(driver: Counting) -> Callable[[], Kind]:
        return lambda: Kind(NoOptions, lambda _options, _timeout_s: driver, "made up")

    return {name: maker(driver) for name, driver in drivers.items()}


@contextmanager
def running(
    config: Config, drivers: Mapping[str, Counting], clock: Clock | None = None
) -> Iterator[App]:
    """An agent that polls in a thread, and has stopped in time when this is left."""
    switch_s = sys.getswitchinterval()
    app = App(config, kinds_of(drivers), clock)
    thread = threading.Thread(target=app.run)
    thread.start()
    try:
        yield app
    finally:
        app.stop()
        thread.join(STOP_S)
        sys.setswitchinterval(switch_s)
        assert not thread.is_alive(), f"the agent did not stop within {STOP_S:g} s"
