"""All faults of an S7 device are found, and each says what is allowed."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent.config.structure import structure
from agent.devices.s7.options import Options, Tag, parse_tsap
from agent.errors import ConfigError
from agent.model import Metric, MetricType

GOOD = Tag("pressure", "DB1.DBD6:REAL", unit="bar")


def faults(*tags: Tag, **options: Any) -> dict[str, str]:
    """Key of each fault and what is allowed there."""
    found = Options("10.0.0.7", tag=tags or (GOOD,), **options).check()
    return {fault.key: f"{fault.allowed}{fault.hint}" for fault in found}


def two(first: str, second: str, **options: Any) -> dict[str, str]:
    return faults(Tag("a", first), Tag("b", second, **options))


def test_a_good_device_has_no_fault() -> None:
    assert faults() == {}


def test_all_faults_are_found_at_once() -> None:
    found = faults(
        Tag("a", "DB1.DBD6"),
        Tag("A", "DB1.DBD0:INT"),
        Tag("flag", "DB1.DBX10.0", scale=0.1),
        Tag("zero", "DB1.DBW12:INT", scale=0.0),
        Tag("twice", "DB1.DBB12:BYTE"),
        Tag("type", "DB1.DBD20", "REEL"),
        remote_tsap="0200",
    )

    assert sorted(found) == [
        "local_tsap",
        "tag[1].address",
        "tag[2].address",
        "tag[2].name",
        "tag[3].scale",
        "tag[4].scale",
        "tag[5].address",
        "tag[6].type",
    ]


def test_a_fault_of_an_address_says_what_was_meant() -> None:
    assert "say which: DB1.DBD6:REAL" in faults(Tag("a", "DB1.DBD6"))["tag[1].address"]


def test_a_device_without_tags_is_a_fault() -> None:
    (fault,) = Options("10.0.0.7").check()

    assert fault.key == "tag"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("DB1.DBX0.0", "DB1.DBX0.1"),
        ("DB1.DBX1.0", "DB1.DBW0:WORD"),
        ("DB1.DBX7.0", "DB1.DBB0:LWORD"),
        ("DB1.DBW0:INT", "DB1.DBW2:INT"),
        ("DB1.DBW0:INT", "DB2.DBW0:INT"),
        ("MW0:INT", "IW0:INT"),
        ("C5", "C6"),
        ("C5", "T5"),
    ],
)
def test_tags_that_share_nothing_or_bits_of_a_bit_string_are_no_fault(
    first: str, second: str
) -> None:
    assert two(first, second) == {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("DB1.DBX0.0", "DB1.DBX0.0"),
        ("DB1.DBD0:REAL", "DB1.DBW2:INT"),
        ("DB1.DBW2:INT", "DB1.DBD0:REAL"),
        ("DB1.DBX0.0", "DB1.DBW0:INT"),
        ("DB1.DBW0:WORD", "DB1.DBB1:BYTE"),
        ("DB1.DBB0:STRING[10]", "DB1.DBB11:BYTE"),
        ("VW0:INT", "DB1.DBW0:INT"),
        ("C5", "Z5"),
    ],
)
def test_tags_that_share_bytes_are_a_fault_of_the_later_one(first: str, second: str) -> None:
    found = two(first, second)

    assert list(found) == ["tag[2].address"]
    assert "'a' (tag[1]) has some of them, or overlap = true" in found["tag[2].address"]


def test_overlap_may_be_asked_for() -> None:
    assert two("DB1.DBD0:REAL", "DB1.DBD0:DWORD", overlap=True) == {}


def test_a_tag_hidden_behind_a_short_one_is_still_compared_with_a_long_one() -> None:
    found = faults(
        Tag("long", "DB1.DBB0:STRING[100]"),
        Tag("short", "DB1.DBB2:BYTE", overlap=True),
        Tag("behind", "DB1.DBW50:INT"),
    )

    assert list(found) == ["tag[3].address"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("0100", 0x0100), ("10.00", 0x1000), ("0x0200", 0x0200), ("4d57", 0x4D57)],
)
def test_tsaps_are_four_hex_digits(text: str, number: int) -> None:
    assert parse_tsap(text) == number


@pytest.mark.parametrize("text", ["100", "1.0", "0x200", "01000", "wxyz"])
def test_another_text_is_no_tsap(text: str) -> None:
    found = faults(local_tsap=text, remote_tsap="0200")

    assert list(found) == ["local_tsap"]


@pytest.mark.parametrize(
    ("options", "tsaps"),
    [
        ({}, (0x0100, 0x0201)),
        ({"connection": "PG"}, (0x0100, 0x0101)),
        ({"connection": "BASIC", "slot": 2}, (0x0100, 0x0302)),
        ({"rack": 1, "slot": 3}, (0x0100, 0x0223)),
        ({"local_tsap": "10.00", "remote_tsap": "20.00"}, (0x1000, 0x2000)),
    ],
)
def test_the_tsap_follows_from_rack_slot_and_connection_or_is_given(
    options: Mapping[str, Any], tsaps: tuple[int, int]
) -> None:
    assert Options("10.0.0.7", tag=(GOOD,), **options).tsaps() == tsaps


def test_metrics_carry_unit_type_and_help() -> None:
    tags = (
        GOOD,
        Tag("temperature", "DB1.DBW4:INT", scale=0.1, unit="°C", help="Oil"),
        Tag("runtime", "DB1.DBD12:TIME"),
        Tag("count", "C1"),
    )

    assert Options("10.0.0.7", tag=tags).metrics() == (
        Metric("pressure", "bar", MetricType.FLOAT, "DB1.DBD6:REAL"),
        Metric("temperature", "°C", MetricType.FLOAT, "Oil"),
        Metric("runtime", "s", MetricType.FLOAT, "DB1.DBD12:TIME"),
        Metric("count", "", MetricType.INT, "C1"),
    )


def test_options_with_a_bad_tag_exist_but_make_no_driver() -> None:
    options = Options("10.0.0.7", tag=(Tag("a", "nowhere"),))

    with pytest.raises(ConfigError, match="tag 'a': 'nowhere' is not an address such as"):
        options.planned_tags()


def test_the_tables_of_a_configuration_become_options() -> None:
    table = {"host": "plc", "tag": [{"name": "a", "address": "DB1.DBD6", "type": "REAL"}]}

    options, found = structure(table, Options)

    assert found == []
    assert options == Options("plc", tag=(Tag("a", "DB1.DBD6", "REAL"),))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"host": "plc", "pdu": 100}, "pdu"),
        ({"host": "plc", "slot": 32}, "slot"),
        ({"host": "plc", "connection": "op"}, "connection"),
        ({"host": "plc", "tag": [{"name": "a", "adress": "DB1.DBX0.0"}]}, "tag[1]"),
        (
            {"host": "plc", "tag": [{"name": "a", "address": "M0.0", "scale": float("nan")}]},
            "tag[1].scale",
        ),
    ],
)
def test_values_out_of_range_are_refused(table: Mapping[str, Any], key: str) -> None:
    _, found = structure(table, Options)

    assert any(name.startswith(key) for name, _ in found)
