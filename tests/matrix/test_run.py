"""The run of the matrix: that it sees drivers that lie, and which devices share an agent."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs

from agent.devices import KINDS
from agent.devices.contract import Driver
from agent.errors import DeviceError
from agent.model import Metric, Value
from tests.devices.cases import benchlab, host, s7
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


class Muddled(Liar):
    """Has one value wrong from its first error on, as after an answer to another question."""

    def read(self) -> Mapping[str, Value]:
        try:
            values = self._driver.read()
        except DeviceError:
            self._last = {"counter": 7}
            self._driver.close()
            raise
        return {**values, **self._last}


def test_a_driver_that_gives_wrong_values_is_seen() -> None:
    # Some seconds: a fault lasts for several polls.
    kind = KINDS["s7"]()

    def muddled(options: Any, timeout_s: float) -> Driver:
        return Muddled(kind.driver(options, timeout_s))

    (row,) = run([(s7.CASE, "garbage")], {"s7": lambda: attrs.evolve(kind, driver=muddled)})

    assert row.problems == ["wrong values: counter is 7, was 123456"]


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


def test_devices_that_want_the_same_to_themselves_have_an_agent_each(tmp_path: Path) -> None:
    cases = (host.CASE, s7.CASE, host.CASE, benchlab.CASE, s7.CASE, benchlab.CASE, host.CASE)
    with ExitStack() as simulators:
        trials = []
        for number, case in enumerate(cases):
            folder = tmp_path / str(number)
            folder.mkdir()
            simulator = simulators.enter_context(case.simulate(folder))
            kind = KINDS[case.kind]()
            trials.append(Trial(str(number), case, case.faults[0], simulator, kind))

        names = [[trial.name for trial in group] for group in groups(trials)]

    assert names == [["0", "1", "3", "4"], ["2", "5"], ["6"]]
