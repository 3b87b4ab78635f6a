"""The driver of BENCHLAB boards against the simulated one: every product, firmware and fault."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from agent.devices.benchlab import KIND, Options
from agent.devices.benchlab.driver import Benchlab
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.benchlab import BenchlabSimulator, readings_at
from tests.devices.test_benchlab_layout import FRAME

READING_REQUESTS = {b"\x00", b"\x01", b"\x03", b"\x0d", b"\x0e"}
PAIRS = [*(("original", firmware) for firmware in range(2, 7)), *(("bl2", f) for f in range(3, 8))]

Made = tuple[BenchlabSimulator, Benchlab]
Make = Callable[..., Made]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a running simulator and a driver that knows its port."""
    with ExitStack() as stack:

        def made(product: str = "original", firmware: int | None = None, fault: str = "") -> Made:
            simulator = BenchlabSimulator(tmp_path / "board", product, firmware)
            simulator.set_fault(fault)
            stack.enter_context(simulator)
            driver = Benchlab(Options(port=str(simulator.path)), 2.0)
            stack.callback(driver.close)
            return simulator, driver

        yield made


@pytest.mark.parametrize(("product", "firmware"), PAIRS)
def test_every_product_and_firmware_is_read_and_says_what_it_is(
    make: Make, product: str, firmware: int
) -> None:
    simulator, driver = make(product, firmware)
    readings = simulator.freeze()

    values = driver.read()

    title = "BENCHLAB 2" if product == "bl2" else "BENCHLAB"
    assert driver.describe() == [
        f"{title}, firmware {firmware}, UID {simulator.uid}, named 'bench 1', at {simulator.path}"
    ]
    assert driver.warnings() == []
    assert len(values) == (87 if product == "original" else 127 if firmware < 5 else 129)
    is_in_tenths = firmware >= (3 if product == "original" else 4)
    chip = readings.chip / 10 if is_in_tenths else round(readings.chip / 10)
    assert values["Chip_Temp"] == chip
    volts, current, power = readings.rails[9]
    assert values["HPWR1_Voltage"] == volts / 1000
    assert values["HPWR1_Current"] == current / 1000
    assert values["HPWR1_Power"] == power / 1000
    assert values["SYS_Power"] == sum(rail[2] for rail in readings.rails[:11]) / 1000
    assert set(simulator.requests) == READING_REQUESTS


def test_the_frame_of_the_protocol_is_read_over_the_port(make: Make) -> None:
    simulator, driver = make()
    simulator.set_sensor_data(FRAME)

    values = driver.read()

    assert values["SYS_Power"] == 478.887
    assert values["Fan9_RPM"] == 2400


def test_one_read_is_one_request(make: Make) -> None:
    simulator, driver = make()
    driver.read()
    simulator.requests.clear()

    driver.read()
    driver.read()

    assert simulator.requests == [b"\x01", b"\x01"]


def test_metrics_grow_when_the_board_turns_out_to_be_a_benchlab_2(make: Make) -> None:
    _, driver = make("bl2")
    before = driver.metrics

    driver.read()
    found = driver.metrics
    driver.close()
    driver.read()

    assert (len(before), len(found)) == (87, 129)
    assert driver.metrics is found


@pytest.mark.parametrize(
    ("fault", "product"),
    [
        *(("no-push", "original"), ("double-push", "original"), ("shifted", "original")),
        *(("late-push:0.02", "original"), ("late-push:0.06", "bl2"), ("late-push:0.1", "bl2")),
        *(("greets-after", "bl2"), ("pieces:0.001", "bl2")),
    ],
)
def test_greetings_and_pieces_cost_no_reading(make: Make, fault: str, product: str) -> None:
    simulator, driver = make(product, fault=fault)
    simulator.freeze()

    first = driver.read()
    again = [driver.read() for _ in range(5)]

    simulator.set_fault(None)
    driver.close()
    right = driver.read()
    assert [first, *again] == [right] * 6
    assert f"UID {simulator.uid}, named 'bench 1'" in driver.describe()[0]


@pytest.mark.parametrize(
    ("fault", "text", "reason"),
    [
        ("short", "wanted 216 bytes, got 215 bytes: ", Reason.TIMEOUT),
        ("extra", "wanted 216 bytes, got 1 more: 00", Reason.BAD_DATA),
        ("extra:32", "wanted 216 bytes, got 32 more: 00", Reason.BAD_DATA),
        ("silent", "no answer within 0.2 s, wanted 216 bytes, got none", Reason.TIMEOUT),
        ("unplug", "it was unplugged", Reason.UNREACHABLE),
    ],
)
def test_a_fault_while_reading_names_board_port_and_bytes(
    make: Make, fault: str, text: str, reason: Reason
) -> None:
    simulator, _ = make()
    driver = Benchlab(Options(port=str(simulator.path)), 0.2)
    driver.read()
    simulator.set_fault(fault)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    where = f"reading board {simulator.uid} at {simulator.path}: "
    assert str(caught.value).startswith(where)
    assert text in str(caught.value)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("product", "got 0x12: this version of the agent does not know that board, look for a new"),
        ("vendor:205", "it is no BENCHLAB board: wanted vendor id 0xEE, got 0xCD"),
        ("silent", "wanted 9 bytes, got none; if it is a BENCHLAB board, unplug it and plug it"),
        ("unplug", "no such serial port; is the device plugged in? see: agent discover"),
        ("extra", "wanted 32 bytes, got 1 more: 00"),
    ],
)
def test_a_fault_while_connecting_names_the_port(make: Make, fault: str, text: str) -> None:
    simulator, _ = make(fault=fault)
    driver = Benchlab(Options(port=str(simulator.path)), 0.2)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value).startswith(f"looking for a BENCHLAB board: {simulator.path}: ")
    assert text in str(caught.value)


def test_an_unknown_firmware_is_read_as_the_newest_one_and_said(make: Make) -> None:
    simulator, driver = make("bl2", fault="firmware:9")
    simulator.freeze()

    values = driver.read()

    doubt = "firmware 9 of BENCHLAB 2 is not known here, it is read as 7"
    assert len(values) == 129
    assert driver.describe()[1:] == [doubt]
    assert driver.warnings() == [doubt]


@pytest.mark.parametrize(
    ("product", "firmware", "count"), [("original", 6, 87), ("bl2", 4, 127), ("bl2", 7, 129)]
)
def test_a_board_that_does_not_tell_its_firmware_is_read_with_a_warning(
    make: Make, product: str, firmware: int, count: int
) -> None:
    simulator, driver = make(product, firmware, "no-vendor")
    simulator.freeze()

    values = driver.read()

    simulator.set_fault(None)
    driver.close()
    known = driver.read()
    assert len(values) == count
    assert values["Chip_Temp"] is None
    assert {**values, "Chip_Temp": known["Chip_Temp"]} == known


def test_a_board_that_does_not_tell_its_uid_is_read_with_a_warning(make: Make) -> None:
    _, driver = make(fault="no-uid")

    driver.read()

    assert driver.warnings() == [
        "the board does not tell its UID: it can't be told from another board at its port"
    ]
    assert "UID unknown" in driver.describe()[0]


def test_a_board_without_a_name_has_none(make: Make) -> None:
    simulator, driver = make(fault="no-name")

    driver.read()

    assert driver.describe() == [f"BENCHLAB, firmware 6, UID {simulator.uid}, at {simulator.path}"]
    assert driver.warnings() == []


def test_absent_temperatures_are_none(make: Make) -> None:
    _, driver = make("bl2", fault="no-temperatures")

    values = driver.read()

    names = {metric.name for metric in driver.metrics if metric.unit == "°C"}
    assert len(names) == 10
    assert all(values[name] is None for name in names)


def test_zeros_of_a_broken_sensor_are_kept_with_a_warning(make: Make) -> None:
    simulator, driver = make(fault="no-ambient")

    values = driver.read()

    assert (values["Ambient_Temp"], values["Humidity"]) == (0, 0)
    assert driver.warnings() == [
        "Ambient_Temp and Humidity are both 0, as they are when their sensor does not answer"
    ]
    simulator.freeze(attrs.evolve(readings_at(0, 1), ambient=0, humidity=400))
    driver.read()
    simulator.set_fault(None)
    driver.read()
    assert driver.warnings() == []


def test_faults_that_the_board_reports_are_warnings_while_they_last(make: Make) -> None:
    simulator, driver = make("bl2", fault="over-current")

    values = driver.read()

    assert (values["FaultStatus"], values["FaultLog"]) == (1 << 9, 1 << 9 | 1 << 20)
    now = "too much current: CPU power connector 1 (EPS)"
    assert driver.warnings() == [f"the board reports a fault: {now}"]
    assert driver.describe()[1:] == [
        f"there has been a fault: {now}",
        "there has been a fault: too much current: wire 1 of high-power graphics connector 1",
    ]
    simulator.set_fault(None)
    driver.read()
    assert driver.warnings() == []


def test_nothing_is_known_of_a_board_that_is_not_connected(make: Make) -> None:
    _, driver = make()

    assert list(driver.describe()) == []
    assert list(driver.warnings()) == []


def test_the_kind_has_its_paces() -> None:
    assert (KIND.interval_s, KIND.min_interval_s, KIND.timeout_s) == (1.0, 0.1, 2.0)
