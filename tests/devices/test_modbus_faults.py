"""The Modbus driver and what devices, gateways and lines do wrong."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.devices.modbus import Options, Tag
from agent.devices.modbus.driver import Modbus
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.modbus import ModbusRtuSimulator, ModbusTcpSimulator, encode
from tests.fakes import FakeClock

TIMEOUT_S = 2.0
SHORT_S = 0.3
POWER = Tag("power", "IR18:FLOAT32")
SECOND = Tag("second", "IR18:FLOAT32", unit_id=2)


@pytest.fixture
def meter() -> Iterator[ModbusTcpSimulator]:
    with ModbusTcpSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def line(tmp_path: Path) -> Iterator[ModbusRtuSimulator]:
    with ModbusRtuSimulator(tmp_path / "line", frozen=True) as simulator:
        yield simulator


def over_tcp(meter: ModbusTcpSimulator, *tags: Tag, timeout_s: float = TIMEOUT_S) -> Modbus:
    return Modbus(Options(meter.host, meter.port, tag=tags or (POWER,)), timeout_s)


def over_line(line: ModbusRtuSimulator, *tags: Tag, timeout_s: float = TIMEOUT_S) -> Modbus:
    return Modbus(Options(serial=line.address, tag=tags or (POWER,)), timeout_s)


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("refuse", Reason.REFUSED, "connection refused: nothing listens at this port, Modbus TCP"),
        ("too-many", Reason.UNREACHABLE, "closed the connection instead of answering"),
        ("silent", Reason.TIMEOUT, "no answer of unit 1 within 0.3 s: check unit_id"),
        ("trickle:0.1", Reason.TIMEOUT, "no answer within 0.3 s, wanted 7 bytes, got"),
        ("late", Reason.TIMEOUT, "no answer of unit 1 within 0.3 s"),
        ("drop", Reason.UNREACHABLE, "closed the connection instead of answering"),
        ("half-close", Reason.UNREACHABLE, "closed the connection after 6 of 7 bytes"),
        ("wrong-id", Reason.BAD_DATA, "wanted the answer to request 1, got that to 257"),
        ("wrong-unit", Reason.BAD_DATA, "wanted an answer of unit 1, got one of unit 77"),
        ("wrong-function", Reason.BAD_DATA, "wanted an answer to function 4, got one to 6"),
        ("wrong-count", Reason.BAD_DATA, "wanted 4 bytes of IR18 to IR19, got 6 in 4: 04 06"),
        ("wrong-count:-4", Reason.BAD_DATA, "wanted 4 bytes of IR18 to IR19, got 0 in 4: 04 00"),
        ("short", Reason.BAD_DATA, "wanted 4 bytes of IR18 to IR19, got 2 in 2"),
        ("long", Reason.BAD_DATA, "wanted 4 bytes of IR18 to IR19, got 6 in 6"),
        ("mbap-length", Reason.BAD_DATA, "wanted a length of 3 to 254 bytes, got 0"),
        ("mbap-length:65535", Reason.BAD_DATA, "wanted a length of 3 to 254 bytes, got 65535"),
        ("protocol-id:256", Reason.BAD_DATA, "wanted protocol 0, got 256"),
        ("exception:2", Reason.REFUSED, "no tag could be read: IR18:FLOAT32: illegal data address"),
        ("exception:4", Reason.REFUSED, "device failure (04)"),
        ("busy", Reason.REFUSED, "device busy (06): raise interval_s, or set pause_ms"),
        ("absent:1", Reason.UNREACHABLE, "(0B): unit 1 behind the gateway is silent"),
    ],
)
def test_each_fault_over_tcp_is_an_error_that_helps(
    meter: ModbusTcpSimulator, fault: str, reason: Reason, text: str
) -> None:
    driver = over_tcp(meter, timeout_s=SHORT_S if reason is Reason.TIMEOUT else TIMEOUT_S)
    meter.set_fault(fault)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert text in str(caught.value)
    assert meter.address in str(caught.value)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("silent", Reason.TIMEOUT, "no answer of unit 1 within 0.3 s: check unit_id"),
        ("half-close", Reason.TIMEOUT, "no whole answer of unit 1 within 0.3 s, got 01 04 04"),
        ("crc", Reason.BAD_DATA, "check baud, parity, stop_bits, wiring and termination"),
        ("wrong-unit", Reason.BAD_DATA, "wanted an answer of unit 1, got one of unit 77"),
        ("wrong-function", Reason.BAD_DATA, "wanted an answer to function 4, got 01 06"),
        ("short", Reason.BAD_DATA, "wanted 4 bytes of IR18 to IR19, got 2"),
        ("exception:3", Reason.REFUSED, "illegal data value (03)"),
        ("busy", Reason.REFUSED, "device busy (06)"),
        ("unplug", Reason.UNREACHABLE, "no such serial port; is the device plugged in?"),
    ],
)
def test_each_fault_on_a_line_is_an_error_that_helps(
    line: ModbusRtuSimulator, fault: str, reason: Reason, text: str
) -> None:
    driver = over_line(line, timeout_s=SHORT_S if reason is Reason.TIMEOUT else 1.0)
    line.set_fault(fault)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert text in str(caught.value)
    assert line.address in str(caught.value)
    assert caught.value.reason is reason


@pytest.mark.parametrize("fault", ["pieces:0.001", "delay:0.01"])
def test_what_a_slow_device_does_is_no_error(meter: ModbusTcpSimulator, fault: str) -> None:
    driver = over_tcp(meter)
    meter.set_fault(fault)

    assert driver.read() == {"power": 1770.0}

    driver.close()


@pytest.mark.parametrize("fault", ["pieces:0.001", "noise", "noise:200", "echo", "replug"])
def test_what_is_usual_on_a_line_is_no_error(line: ModbusRtuSimulator, fault: str) -> None:
    driver = over_line(line)
    driver.read()
    line.set_fault(fault)

    assert driver.read() == {"power": 1770.0}

    driver.close()


def test_a_unit_that_a_gateway_can_not_reach_costs_only_its_own_tags(
    meter: ModbusTcpSimulator,
) -> None:
    driver = over_tcp(meter, POWER, SECOND, Tag("serial", "HR18:UINT32", unit_id=2))
    meter.set_fault("absent:2")

    values = driver.read()

    assert values == {"power": 1770.0, "second": None, "serial": None}
    assert driver.warnings() == [
        "target device failed to respond (0B): unit 2 behind the gateway is silent, check "
        "unit_id, its power and its wiring; its tags are empty"
    ]
    assert [unit for unit, *_ in meter.requests] == [1, 2]
    driver.close()


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_a_silent_unit_costs_only_its_own_tags_and_comes_back(
    meter: ModbusTcpSimulator, line: ModbusRtuSimulator, kind: str
) -> None:
    simulator = meter if kind == "tcp" else line
    options = Options(serial=line.address, tag=(SECOND, POWER))
    if kind == "tcp":
        options = Options(meter.host, meter.port, tag=(SECOND, POWER))
    clock = FakeClock()
    driver = Modbus(options, 0.6, clock=clock.monotonic)
    simulator.set_fault("mute:2")

    silent = driver.read()
    warned = driver.warnings()
    simulator.set_fault(None)
    waiting = driver.read()
    clock.advance(1.0)
    back = driver.read()

    assert silent == waiting == {"second": None, "power": 1770.0}
    assert warned == [
        "unit 2 does not answer: check unit_id, its power and its wiring; its tags are empty"
    ]
    assert back == {"second": 1770.0, "power": 1770.0}
    assert driver.warnings() == []
    driver.close()


def test_a_unit_that_stays_away_is_asked_ever_more_seldom(meter: ModbusTcpSimulator) -> None:
    clock = FakeClock()
    options = Options(meter.host, meter.port, tag=(SECOND, POWER))
    driver = Modbus(options, TIMEOUT_S, clock=clock.monotonic)
    meter.set_fault("absent:2")
    asked = []

    for second in range(130):
        before = len(meter.requests)
        driver.read()
        if (2, 4, 18, 2) in meter.requests[before:]:
            asked.append(second)
        clock.advance(1.0)

    driver.close()
    assert asked == [0, 1, 3, 7, 15, 31, 61, 91, 121]


def test_units_that_are_all_silent_are_a_time_out(meter: ModbusTcpSimulator) -> None:
    driver = over_tcp(meter, POWER, SECOND, timeout_s=SHORT_S)
    meter.set_fault("silent")

    with pytest.raises(DeviceError, match="unit 1 does not answer") as caught:
        driver.read()

    assert caught.value.reason is Reason.TIMEOUT


def serve_rows(line: ModbusRtuSimulator, first: int, second: int) -> None:
    line.set_cells("HR", 100, encode("UINT32", first))
    line.set_cells("HR", 200, encode("UINT32", second))


@pytest.mark.parametrize("polls", [6])
def test_an_answer_that_is_late_on_a_line_is_never_taken_for_another(
    line: ModbusRtuSimulator, polls: int
) -> None:
    serve_rows(line, 1, 2)
    driver = over_line(line, Tag("a", "HR100:UINT32"), Tag("b", "HR200:UINT32"), timeout_s=SHORT_S)
    driver.read()
    line.set_fault("late")
    seen = []

    for _ in range(polls):
        try:
            seen.append(dict(driver.read()))
        except DeviceError:
            driver.close()
    line.set_fault(None)
    after = driver.read()

    driver.close()
    assert [values for values in seen if values != {"a": 1, "b": 2}] == []
    assert after == {"a": 1, "b": 2}


def test_after_a_time_out_on_a_line_the_first_answer_must_be_to_a_question_of_its_own(
    line: ModbusRtuSimulator,
) -> None:
    driver = over_line(line, timeout_s=SHORT_S)
    line.set_fault("silent")
    with pytest.raises(DeviceError):
        driver.read()
    line.set_fault(None)
    before = len(line.requests)

    assert driver.read() == {"power": 1770.0}

    driver.close()
    assert line.requests[before:] == [(1, 4, 18, 1), (1, 4, 18, 2)]


def test_a_device_that_was_silent_to_that_question_gets_it_once_it_says_anything(
    line: ModbusRtuSimulator,
) -> None:
    driver = over_line(line, timeout_s=SHORT_S)
    line.set_fault("mute:1")
    for _ in range(2):
        with pytest.raises(DeviceError):
            driver.read()
    line.set_fault(None)
    before = len(line.requests)

    assert driver.read() == {"power": 1770.0}

    driver.close()
    assert line.requests[before:] == [(1, 4, 18, 2), (1, 4, 18, 3), (1, 4, 18, 2)]


def test_a_device_that_needs_most_of_the_time_is_read_again_after_a_time_out(
    line: ModbusRtuSimulator,
) -> None:
    driver = over_line(line, timeout_s=2 * SHORT_S)
    line.set_fault("silent")
    with pytest.raises(DeviceError):
        driver.read()
    line.set_fault("delay:0.35")  # the question of its own leaves too little for the values
    found: list[dict[str, object]] = []

    while {"power": 1770.0} not in found and len(found) < 10:
        with contextlib.suppress(DeviceError):
            found.append({})
            found.append(dict(driver.read()))

    driver.close()
    assert [values for values in found if values] == [{"power": 1770.0}]


def test_values_at_all_limits_are_read(meter: ModbusTcpSimulator) -> None:
    tags = (POWER, Tag("e", "HR0:UINT64"), Tag("i", "HR32:INT64"), Tag("d", "HR28:FLOAT64"))
    driver = over_tcp(meter, *tags, Tag("t", "HR10:STRING(16)"))
    meter.set_fault("limits")

    assert list(driver.read()) == ["power", "e", "i", "d", "t"]

    driver.close()
