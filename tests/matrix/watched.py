"""A driver that is watched: whether each reading has just the metrics that it announces."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from agent.devices.contract import Driver, Kind
from agent.model import Metric, Value


class Watched:
    """Passes everything on, and notes what is missing in a reading or was never announced."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.missing: set[str] = set()
        self.unannounced: set[str] = set()

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._driver.metrics

    def read(self) -> Mapping[str, Value]:
        values = self._driver.read()
        announced = {metric.name for metric in self._driver.metrics}
        self.missing |= announced - values.keys()
        self.unannounced |= values.keys() - announced
        return values

    def describe(self) -> Sequence[str]:
        return self._driver.describe()

    def warnings(self) -> Sequence[str]:
        return self._driver.warnings()

    def close(self) -> None:
        self._driver.close()


def watched(load: Callable[[], Kind], made: Callable[[Watched], None]) -> Callable[[], Kind]:
    """The kind with drivers that are watched; ``made`` is given each."""
    kind = load()

    def make(options: Any, timeout_s: float) -> Driver:
        driver = Watched(kind.driver(options, timeout_s))
        made(driver)
        return driver

    return lambda: attrs.evolve(kind, driver=make)
