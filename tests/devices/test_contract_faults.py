"""Every promise of ``Driver``, kept by every kind while its device misbehaves in every way."""

import threading
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agent.devices.contract import Driver
from agent.errors import DeviceError
from agent.model import Reason, Value
from tests.devices.case import Case
from tests.devices.flood import Flood
from tests.devices.kinds import FAULTS, FLOODS, TIMEOUT_S, Rig, open_files, try_read

SHORT_S = 0.3
SHORTEST_S = 0.02  # twenty reads of a device that is silent fit into half a second
POLLS = 5
GRACE_S = 2.0  # a busy test machine; a driver that hangs takes far longer
FLOOD_LIMIT = 1 << 20  # bytes; no answer of any device is as long
MEMORY_LIMIT = 16 << 20  # bytes; the host reads up to 1 MiB of a file, a few at once

each_fault = pytest.mark.parametrize(
    ("rig", "fault"),
    FAULTS,
    indirect=["rig"],
    ids=[f"{case.id}-{fault}" for case, fault in FAULTS],
)


@each_fault
def test_a_fault_is_a_device_error_on_one_line_that_says_where(rig: Rig, fault: str) -> None:
    driver = rig.driver(SHORT_S)
    rig.simulator.set_fault(fault)

    result = try_read(driver)

    driver.close()
    if isinstance(result, DeviceError):
        assert rig.simulator.address in str(result)
        assert str(result).isprintable()
        assert not str(result).endswith(".")
        assert result.reason is not Reason.BUG
    else:
        assert set(result) == {metric.name for metric in driver.metrics}


@each_fault
def test_a_read_keeps_its_deadline(rig: Rig, fault: str) -> None:
    driver = rig.driver(SHORT_S)
    rig.simulator.set_fault(fault)
    began_s = time.monotonic()

    result = try_read(driver)

    took_s = time.monotonic() - began_s
    driver.close()
    assert took_s < SHORT_S + GRACE_S
    if fault in rig.case.silences:
        assert isinstance(result, DeviceError)
        assert result.reason is Reason.TIMEOUT


def read_in_time(driver: Driver) -> Mapping[str, Value]:
    """The next polls of a driver, whose time-out is short for a busy machine."""
    for _ in range(POLLS):
        result = try_read(driver)
        if not isinstance(result, DeviceError):
            return result
        assert result.reason is Reason.TIMEOUT, result
    pytest.fail(f"no answer in {POLLS} polls: {result}")


@each_fault
def test_once_a_fault_is_gone_the_device_is_read_again(rig: Rig, fault: str) -> None:
    driver = rig.driver(SHORT_S if fault in rig.case.silences else TIMEOUT_S)
    before = driver.read()
    rig.simulator.set_fault(fault)
    try_read(driver)
    rig.simulator.set_fault(None)

    driver.close()
    after = driver.read() if fault not in rig.case.silences else read_in_time(driver)

    driver.close()
    assert list(after) == list(before)
    assert list(driver.warnings()) == []


@each_fault
def test_a_fault_that_was_there_from_the_start_leaves_nothing_behind(rig: Rig, fault: str) -> None:
    driver = rig.driver(SHORT_S if fault in rig.case.silences else TIMEOUT_S)
    rig.simulator.set_fault(fault)
    try_read(driver)
    rig.simulator.set_fault(None)

    driver.close()
    values = driver.read()

    driver.close()
    assert list(values) == [metric.name for metric in driver.metrics]
    assert list(driver.warnings()) == []


@pytest.mark.parametrize(
    ("case", "fault"), FAULTS, ids=[f"{case.id}-{fault}" for case, fault in FAULTS]
)
def test_twenty_reads_of_a_faulty_device_leak_neither_files_nor_threads(
    case: Case, fault: str, tmp_path: Path
) -> None:
    files, threads = open_files(), threading.enumerate()

    with case.simulate(tmp_path) as simulator:
        simulator.set_fault(fault)
        driver = case.driver(simulator.address, SHORTEST_S)
        for _ in range(20):
            try_read(driver)
        driver.close()

    assert open_files() == files
    assert threading.enumerate() == threads


@pytest.mark.parametrize(
    ("case", "first", "rest"),
    FLOODS,
    ids=[f"{case.id}-{rest[:8].hex()}" for case, _, rest in FLOODS],
)
def test_an_answer_without_end_is_refused_in_little_memory(
    case: Case, first: Sequence[bytes], rest: bytes
) -> None:
    with Flood(first, rest) as flood:
        driver = case.driver(flood.address, TIMEOUT_S)

        result, peak_bytes = traced_read(driver)

    assert isinstance(result, DeviceError)
    assert flood.address in str(result)
    assert len(str(result)) < 300
    assert peak_bytes < FLOOD_LIMIT


@each_fault
def test_a_fault_costs_little_memory(rig: Rig, fault: str) -> None:
    driver = rig.driver(SHORT_S)
    rig.simulator.set_fault(fault)

    _, peak_bytes = traced_read(driver)

    driver.close()
    assert peak_bytes < MEMORY_LIMIT


def traced_read(driver: Driver) -> tuple[Mapping[str, Value] | DeviceError, int]:
    """A read, and the most memory that it held."""
    tracemalloc.start()
    try:
        result = try_read(driver)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@each_fault
def test_no_fault_makes_a_driver_write(rig: Rig, fault: str) -> None:
    driver = rig.driver(SHORT_S)
    driver.read()
    rig.simulator.set_fault(fault)

    try_read(driver)
    try_read(driver)

    driver.close()
    assert rig.simulator.write_requests == 0
