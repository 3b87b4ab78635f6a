"""The run of the matrix: that it sees drivers that lie, and which devices share an agent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from agent.devices import KINDS
from agent.devices.contract import Driver
from agent.errors import DeviceError
from agent.model import Metric, Value
from tests.devices.cases import host, s7
from tests.matrix.run import groups, run
from tests.matrix.trial import Trial
from tests.matrix.watched import Watched


class Liar:
    """Gives its last values again when it can't read any, and forgets one."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._last: Mapping[str, Value] = {}

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._driver.metrics

    def read(self) -> Mapping[str, Value]:
        try:
            self._last = self._driver.read()
        except DeviceError:
            self._driver.close()
            return dict(list(self._last.items())[1:])
        return self._last

    def describe(self) -> Sequence[str]:
        return ()

    def warnings(self) -> Sequence[str]:
        return ()

    def close(self) -> None:
        self._driver.close()


def test_a_driver_that_makes_values_up_is_seen() -> None:
    # Some seconds: a fault lasts for several polls.
    kind = KINDS["s7"]()

    def lying(options: Any, timeout_s: float) -> Driver:
        return Liar(kind.driver(options, timeout_s))

    (row,) = run([(s7.CASE, "silent")], {"s7": lambda: attrs.evolve(kind, driver=lying)})

    assert row.does == "stays well, 1 of 5 metrics not offered"
    assert len(row.problems) == 2
    assert row.problems[0].endswith("samples made up")
    assert row.problems[1] == "samples without counter"


def test_a_reading_is_compared_with_what_is_announced() -> None:
    class Half(Liar):
        metrics: Sequence[Metric] = (Metric("level"), Metric("count"))

        def __init__(self) -> None: ...

        def read(self) -> Mapping[str, Value]:
            return {"level": 1.0, "extra": 2.0}

    driver = Watched(Half())

    values = driver.read()

    assert values == {"level": 1.0, "extra": 2.0}
    assert (driver.missing, driver.unannounced) == ({"count"}, {"extra"})


def test_devices_of_a_kind_that_there_can_be_one_of_have_an_agent_each(tmp_path: Path) -> None:
    trials = [
        Trial(str(number), case, case.faults[0], case.simulate(tmp_path), KINDS[case.kind]())
        for number, case in enumerate((host.CASE, s7.CASE, host.CASE, s7.CASE, host.CASE))
    ]

    names = [[trial.name for trial in group] for group in groups(trials)]

    assert names == [["0", "1", "3"], ["2"], ["4"]]
