"""All faults of a Modbus device are found, and each says what is allowed."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent.config.structure import structure
from agent.devices.modbus.options import Options, Tag
from agent.devices.modbus.types import Order
from agent.errors import ConfigError
from agent.model import Metric, MetricType

GOOD = Tag("power", "IR12:FLOAT32", unit="W")


def faults(*tags: Tag, **options: Any) -> dict[str, str]:
    """Key of each fault and what is allowed there."""
    if not {"host", "serial"} & options.keys():
        options["host"] = "10.0.0.7"
    found = Options(**options, tag=tags or (GOOD,)).check()
    return {fault.key: f"{fault.allowed}{fault.hint}" for fault in found}


def test_a_good_device_has_no_fault() -> None:
    assert faults() == {}
    assert faults(serial="/dev/ttyUSB0") == {}


def test_all_faults_are_found_at_once() -> None:
    found = faults(
        Tag("a", "HR1"),
        Tag("A", "HR2:INT16"),
        Tag("flag", "HR3.1", scale=0.1),
        Tag("zero", "HR4:INT16", scale=0.0),
        Tag("type", "HR5", "FLOTE32"),
        Tag("text", "HR6:STRING(8)", missing=0),
        Tag("large", "HR7:INT16", missing=70_000),
        Tag("ts", "HR8:INT16"),
        Tag("unit", "HR9:INT16", unit_id=0),
        host="10.0.0.7",
        serial="/dev/ttyUSB0",
        unit_id=248,
    )

    assert sorted(found) == [
        "serial",
        "tag[1].address",
        "tag[2].name",
        "tag[3].scale",
        "tag[4].scale",
        "tag[5].type",
        "tag[6].missing",
        "tag[7].missing",
        "tag[8].name",
        "tag[9].unit_id",
        "unit_id",
    ]


def test_a_device_is_at_a_host_or_at_a_serial_port() -> None:
    assert faults(host="", serial="") == {
        "host": 'an address or a name such as "192.168.0.10", or serial = "/dev/ttyUSB0" for RTU'
    }
    assert faults(host="a", serial="/dev/b") == {"serial": "host or serial, not both"}


@pytest.mark.parametrize("unit_id", [0, 248, 255])
def test_units_on_a_serial_line_have_other_numbers(unit_id: int) -> None:
    assert faults(unit_id=unit_id) == {}
    assert faults(serial="/dev/b", unit_id=unit_id) == {"unit_id": "1 to 247 on a serial line"}


def test_a_device_without_tags_is_a_fault() -> None:
    (fault,) = Options("10.0.0.7").check()

    assert fault.key == "tag"


def test_a_value_longer_than_a_request_is_a_fault() -> None:
    tags = Tag("a", "HR0:FLOAT64"), Tag("b", "HR4:UINT32"), Tag("c", "CO0")

    assert faults(*tags, max_registers=2) == {
        "tag[1].address": "a value of at most max_registers = 2 registers, FLOAT64 has 4"
    }


def test_many_tags_may_lie_in_the_same_registers() -> None:
    tags = Tag("word", "HR1:UINT16"), Tag("low", "HR1.0"), Tag("high", "40002.8")

    assert faults(*tags) == {}


def test_metrics_carry_unit_type_and_help() -> None:
    tags = (
        GOOD,
        Tag("temperature", "30031:INT16", scale=0.1, unit="°C", help="Cabinet"),
        Tag("energy", "HR0:UINT64", unit_id=2),
        Tag("relay", "CO0"),
        Tag("model", "HR10:STRING(16)"),
    )

    assert Options("10.0.0.7", tag=tags).metrics() == (
        Metric("power", "W", MetricType.FLOAT, "IR12:FLOAT32, in data sheets 30013"),
        Metric("temperature", "°C", MetricType.FLOAT, "Cabinet"),
        Metric("energy", "", MetricType.INT, "HR0:UINT64, in data sheets 40001, unit 2"),
        Metric("relay", "", MetricType.BOOL, "CO0:BOOL, in data sheets 00001"),
        Metric("model", "", MetricType.TEXT, "HR10:STRING(16), in data sheets 40011"),
    )


def test_a_tag_has_the_unit_and_the_orders_of_the_device_or_its_own() -> None:
    own = Tag("own", "HR0:INT32", unit_id=0, word_order="big", byte_order="little")
    options = Options("10.0.0.7", unit_id=9, word_order="little", tag=(GOOD, own))

    assert [options.unit_of(tag) for tag in options.tag] == [9, 0]
    assert [options.order_of(tag) for tag in options.tag] == [
        Order("little", "big"),
        Order("big", "little"),
    ]


def test_options_with_a_bad_tag_exist_but_make_no_driver() -> None:
    options = Options("10.0.0.7", tag=(Tag("a", "nowhere"),))

    with pytest.raises(ConfigError, match="tag 'a': 'nowhere' is not an address such as"):
        options.planned_tags()


def test_the_tables_of_a_configuration_become_options() -> None:
    tag = {"name": "a", "address": "IR1", "type": "INT16", "missing": 0x7FFF, "unit_id": 3}

    options, found = structure({"host": "meter", "tag": [tag]}, Options)

    assert found == []
    assert options == Options("meter", tag=(Tag("a", "IR1", "INT16", missing=32767, unit_id=3),))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"host": "http://meter"}, "host"),
        ({"host": "meter", "port": 0}, "port"),
        ({"host": "meter", "unit_id": 256}, "unit_id"),
        ({"host": "meter", "max_registers": 126}, "max_registers"),
        ({"host": "meter", "max_bits": 0}, "max_bits"),
        ({"host": "meter", "word_order": "swap"}, "word_order"),
        ({"serial": "/dev/b", "parity": "mark"}, "parity"),
        ({"serial": "/dev/b", "stop_bits": 3}, "stop_bits"),
        ({"host": "meter", "tag": [{"name": "a", "adress": "HR1"}]}, "tag[1]"),
        ({"host": "meter", "tag": [{"name": "a", "address": "CO1", "unit_id": -1}]}, "tag[1].u"),
    ],
)
def test_values_out_of_range_are_refused(table: Mapping[str, Any], key: str) -> None:
    _, found = structure(table, Options)

    assert any(name.startswith(key) for name, _ in found)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (Options(serial="/dev/ttyUSB0", port=1502, tag=(GOOD,)), "port"),
        (Options("10.0.0.7", baud=19200, tag=(GOOD,)), "baud"),
        (Options("10.0.0.7", parity="none", tag=(GOOD,)), "parity"),
    ],
)
def test_an_option_of_the_other_link_is_a_fault(options: Options, key: str) -> None:
    assert [fault.key for fault in options.check()] == [key]
