"""Every promise of ``Driver``, kept by every kind against its simulator."""

import math
import socket
import threading
from collections.abc import Mapping

import pytest

from agent.devices import KINDS
from agent.model import MetricType
from tests.devices.case import Case
from tests.devices.kinds import CASES, TIMEOUT_S, Rig, open_files

TYPES: Mapping[MetricType, tuple[type, ...]] = {
    MetricType.FLOAT: (float, int),
    MetricType.INT: (int,),
    MetricType.BOOL: (bool,),
    MetricType.TEXT: (str,),
}


each_kind = pytest.mark.parametrize("rig", CASES, indirect=True, ids=lambda case: case.id)


def test_every_kind_has_its_simulator_here() -> None:
    assert list(dict.fromkeys(case.kind for case in CASES)) == list(KINDS)


@each_kind
def test_a_driver_that_is_only_built_has_opened_nothing(rig: Rig) -> None:
    files, threads = open_files(), threading.enumerate()

    driver = rig.driver()
    metrics = driver.metrics
    driver.describe()
    driver.warnings()

    assert open_files() == files
    assert threading.enumerate() == threads
    assert driver.metrics is metrics
    driver.close()


@pytest.mark.parametrize("case", [case for case in CASES if case.floods], ids=lambda case: case.id)
def test_a_driver_that_is_only_built_has_not_connected(case: Case) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()

        case.driver(f"{host}:{port}", TIMEOUT_S).close()

        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@each_kind
def test_some_metrics_are_known_before_the_first_read(rig: Rig) -> None:
    driver = rig.driver()

    early = [metric.name for metric in driver.metrics]

    driver.read()
    driver.close()
    assert early
    assert set(early) <= {metric.name for metric in driver.metrics}


@each_kind
def test_metrics_is_one_object_while_nothing_changes(rig: Rig) -> None:
    driver = rig.driver()
    driver.read()
    metrics = driver.metrics

    driver.read()

    assert driver.metrics is metrics
    driver.close()


@each_kind
def test_every_value_is_announced_in_order_and_has_its_type(rig: Rig) -> None:
    driver = rig.driver()

    values = driver.read()

    driver.close()
    types = {metric.name: TYPES[metric.type] for metric in driver.metrics}
    wrong = {
        name: value
        for name, value in values.items()
        if value is not None and type(value) not in types[name]
    }
    assert list(values) == list(types)
    assert wrong == {}
    assert any(value is not None for value in values.values())


@each_kind
def test_values_are_finite_and_names_are_fit_to_print(rig: Rig) -> None:
    driver = rig.driver()

    values = driver.read()

    driver.close()
    metrics = driver.metrics
    assert all(math.isfinite(value) for value in values.values() if isinstance(value, float))
    assert all(metric.name and metric.name == metric.name.strip() for metric in metrics)
    assert all(f"{each.name}{each.unit}{each.help}".isprintable() for each in metrics)


@each_kind
def test_a_device_that_is_well_has_no_warning_and_a_description(rig: Rig) -> None:
    driver = rig.driver()
    driver.read()

    found, warnings = driver.describe(), driver.warnings()

    driver.close()
    assert found
    assert all(text.isprintable() for text in found)
    assert list(warnings) == []


@each_kind
def test_close_works_twice_and_the_next_read_connects_again(rig: Rig) -> None:
    driver = rig.driver()
    driver.close()
    before = driver.read()
    driver.close()
    driver.close()

    after = driver.read()

    driver.close()
    assert list(after) == list(before)
