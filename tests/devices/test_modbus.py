"""The Modbus driver against the simulated meters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.devices.modbus import KIND, Options, Tag
from agent.devices.modbus.driver import Modbus
from agent.devices.modbus.poll import RETRY_EVERY
from agent.errors import ConfigError, DeviceError
from agent.model import Reason, Value
from hw_sim.modbus import POINTS, ModbusRtuSimulator, ModbusTcpSimulator

TIMEOUT_S = 2.0
POWER = Tag("power", "IR18:FLOAT32")
MODEL = Tag("model", "HR10:STRING(16)")
BEYOND = Tag("beyond", "IR24:INT16")  # does not exist
ROW = tuple(Tag(f"r{number}", f"HR{number}:UINT16") for number in range(100, 140))
EXPECTED: dict[str, Value] = {
    point.name: None
    if point.is_missing
    else round(float(point.raw) * point.scale, 1)
    if point.scale != 1
    else bool(point.raw)
    if point.type == "BOOL"
    else point.raw
    for point in POINTS
}


@pytest.fixture
def meter() -> Iterator[ModbusTcpSimulator]:
    with ModbusTcpSimulator(frozen=True) as simulator:
        yield simulator


@pytest.fixture
def line(tmp_path: Path) -> Iterator[ModbusRtuSimulator]:
    with ModbusRtuSimulator(tmp_path / "line", frozen=True) as simulator:
        yield simulator


def all_tags() -> tuple[Tag, ...]:
    return tuple(
        Tag(
            point.name,
            point.address,
            point.type,
            scale=point.scale,
            missing=int(point.raw) if point.is_missing else None,
        )
        for point in POINTS
    )


def make(
    meter: ModbusTcpSimulator | ModbusRtuSimulator,
    *tags: Tag,
    timeout_s: float = TIMEOUT_S,
    **options: object,
) -> Modbus:
    where: dict[str, object] = {"serial": meter.address}
    if isinstance(meter, ModbusTcpSimulator):
        where = {"host": meter.host, "port": meter.port}
    return Modbus(Options(**where, **options, tag=tags), timeout_s)  # type: ignore[arg-type]


def test_every_type_and_table_is_read_over_tcp(meter: ModbusTcpSimulator) -> None:
    driver = make(meter, *all_tags())

    values = driver.read()

    driver.close()
    assert list(values.items()) == list(EXPECTED.items())
    assert driver.warnings() == []


def test_every_type_and_table_is_read_over_a_serial_line(line: ModbusRtuSimulator) -> None:
    driver = make(line, *all_tags())

    values = driver.read()

    driver.close()
    assert list(values.items()) == list(EXPECTED.items())
    assert driver.warnings() == []


def test_bits_of_a_register_and_classic_numbers_are_read(meter: ModbusTcpSimulator) -> None:
    meter.set_cells("HR", 100, [0b1010])
    driver = make(meter, *(Tag(str(bit), f"40101.{bit}") for bit in range(4)))

    assert list(driver.read().values()) == [False, True, False, True]

    driver.close()


def test_a_poll_takes_as_few_requests_as_it_can(meter: ModbusTcpSimulator) -> None:
    meter.set_cells("HR", 100, range(40))
    driver = make(meter, *ROW, POWER, Tag("two", "HR18:UINT32", unit_id=2))

    values = driver.read()

    driver.close()
    assert meter.requests == [(1, 3, 100, 40), (1, 4, 18, 2), (2, 3, 18, 2)]
    assert [values[tag.name] for tag in ROW] == list(range(40))
    assert values["two"] == 20_260_002


def test_gaps_that_a_device_refuses_are_left_out_from_then_on(meter: ModbusTcpSimulator) -> None:
    driver = make(meter, Tag("a", "IR20:FLOAT32"), Tag("b", "IR22:FLOAT32"), Tag("c", "IR30:INT16"))

    first, second = driver.read(), driver.read()

    driver.close()
    assert first == second == {"a": 50.01, "b": 0.98, "c": 314}
    searched = [(1, 4, 20, 11), (1, 4, 20, 4), (1, 4, 30, 1)]
    assert meter.requests == [*searched, (1, 4, 20, 4), (1, 4, 30, 1)]
    assert driver.warnings() == []


def test_a_bad_tag_is_none_with_a_warning_and_its_neighbours_are_read(
    meter: ModbusTcpSimulator,
) -> None:
    driver = make(meter, Tag("a", "IR22:FLOAT32"), BEYOND, Tag("b", "IR30:INT16"))

    values = driver.read()

    assert values == {"a": 0.98, "beyond": None, "b": 314}
    assert driver.warnings() == [
        "beyond: IR24:INT16: illegal data address (02): check address and length; "
        "many data sheets count from 1, then it is IR23"
    ]
    driver.close()


def test_one_bad_tag_among_many_is_found_in_few_requests(meter: ModbusTcpSimulator) -> None:
    meter.set_cells("HR", 100, range(40))
    meter.remove_cells("HR", 117, 1)
    driver = make(meter, *ROW)

    values = driver.read()
    search = meter.read_requests
    driver.read()

    driver.close()
    assert [name for name, value in values.items() if value is None] == ["r117"]
    assert search <= 13
    assert meter.read_requests - search <= 6


def test_a_bad_tag_is_tried_again_ever_more_seldom(meter: ModbusTcpSimulator) -> None:
    driver = make(meter, POWER, BEYOND)
    tried = []

    for number in range(1, 200):
        driver.read()
        if (1, 4, 24, 1) in meter.requests[-1:]:
            tried.append(number)

    driver.close()
    assert tried == [1, 2, 4, 8, 16, 32, 64, 124, 184]
    assert tried[-1] - tried[-2] == RETRY_EVERY


def test_a_tag_that_becomes_readable_is_read(meter: ModbusTcpSimulator) -> None:
    driver = make(meter, POWER, BEYOND)
    driver.read()
    meter.set_cells("IR", 24, [7])

    driver.read()

    assert driver.read()["beyond"] == 7
    assert driver.warnings() == []
    driver.close()


def test_a_function_that_a_device_does_not_have_costs_one_request(
    meter: ModbusTcpSimulator,
) -> None:
    driver = make(meter, *(Tag(f"c{number}", f"CO{number}") for number in range(3)))
    meter.set_fault("exception:1")

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert meter.read_requests == 1
    assert str(caught.value) == (
        f"reading {meter.address}: no tag could be read: CO0:BOOL: illegal function (01): the "
        "device does not offer coils (function 1); are they discrete inputs (DI)?"
    )
    assert caught.value.reason is Reason.REFUSED


def test_a_raw_number_that_means_missing_is_none_without_a_warning(
    meter: ModbusTcpSimulator,
) -> None:
    driver = make(meter, Tag("outside", "IR31:INT16", scale=0.1, missing=0x7FFF))

    assert driver.read() == {"outside": None}
    assert driver.warnings() == []

    driver.close()


def test_a_float_that_is_no_number_is_none_and_named(meter: ModbusTcpSimulator) -> None:
    meter.set_cells("IR", 18, [0x7FC0, 1])
    driver = make(meter, POWER, MODEL)

    assert driver.read() == {"power": None, "model": "EM340-SIM"}
    assert driver.warnings() == ["power: IR18:FLOAT32: wanted a valid FLOAT32"]
    assert driver.tag_errors == {"power": "IR18:FLOAT32: wanted a valid FLOAT32, got 7fc0 0001"}

    driver.close()


def test_one_connection_serves_all_reads_and_a_closed_one_costs_no_poll(
    meter: ModbusTcpSimulator,
) -> None:
    driver = make(meter, POWER)
    driver.read()

    meter.drop_sessions()  # as devices do after some time without a request

    assert driver.read() == {"power": 1770.0}
    driver.close()


def test_limits_of_the_device_are_kept(meter: ModbusTcpSimulator) -> None:
    meter.set_cells("HR", 100, range(40))
    driver = make(meter, *ROW, max_registers=16)

    driver.read()

    driver.close()
    assert [count for *_, count in meter.requests] == [16, 16, 8]


def test_bad_tags_make_no_driver() -> None:
    with pytest.raises(ConfigError, match="tag 'a'"):
        Modbus(Options("192.0.2.1", tag=(Tag("a", "HR1"),)), TIMEOUT_S)


def test_the_kind_makes_the_driver(meter: ModbusTcpSimulator) -> None:
    driver = KIND.driver(KIND.options(meter.host, meter.port, tag=(POWER,)), KIND.timeout_s)

    assert driver.read() == {"power": 1770.0}

    driver.close()


def test_describe_shows_the_way_the_requests_and_places_that_no_help_shows(
    meter: ModbusTcpSimulator,
) -> None:
    alarm = Tag("alarm", "DI9", unit_id=2, help="Door is open")
    driver = make(meter, Tag("power", "30019:FLOAT32"), alarm)
    driver.read()

    assert driver.describe() == [
        f"Modbus TCP at {meter.address}, units 1 and 2",
        "2 tags, 2 registers in 2 requests a poll",
        "alarm: DI9:BOOL of unit 2, in data sheets 10010",
    ]
    driver.close()


def test_describe_shows_the_serial_line(line: ModbusRtuSimulator) -> None:
    driver = make(line, POWER, baud=19200, parity="odd", stop_bits=2)

    assert driver.describe()[0] == (
        f"Modbus RTU at {line.address}, 19200 baud, parity odd, 2 stop bits, unit 1"
    )
    driver.close()
