"""From bytes to JSON, to single values, to the types of metrics."""

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.clock import Deadline
from agent.devices.json.names import LEAVES_LIMIT, Names
from agent.devices.json.values import Answer, converted, leaves, parse, type_of
from agent.model import MetricType, Value

FLOAT, INT, BOOL, TEXT = MetricType.FLOAT, MetricType.INT, MetricType.BOOL, MetricType.TEXT


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}\r\n', {"a": 1}),
        (b"21.5", 21.5),
        (b"null", None),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[NaN, Infinity, -Infinity]", [None, None, None]),
        (b"[1e999, -1e999, 1e-999]", [None, None, 0.0]),
        (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -(2**63)]),
        (b"[123456789012345678901234567890]", [123456789012345678901234567890.0]),
        (b"[" + b"9" * 5000 + b"]", [None]),
        ('["Küche"]'.encode(), ["Küche"]),
        (b'["\\u0000 \\ud83d\\ude00"]', ["\x00 \U0001f600"]),
    ],
)
def test_json_is_read(data: bytes, value: object) -> None:
    assert parse(data) == Answer(value)


def test_letters_that_are_not_utf8_cost_only_themselves() -> None:
    found = parse('{"room": "Küche", "°C": 21.5}'.encode("latin-1"))

    assert found == Answer({"room": "K\ufffdche", "\ufffdC": 21.5}, is_utf8=False)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "wanted JSON, got nothing"),
        (b" \n", "wanted JSON, got 2 blanks"),
        (b"\xef\xbb\xbf", "wanted JSON, got 3 blanks"),
        (
            b'{"a": 1, "b"',
            """wanted JSON, got only its beginning, 12 bytes that end in '{"a": 1, "b"'""",
        ),
        (b'{"a": "xy', """wanted JSON, got only its beginning, 9 bytes that end in '{"a": "xy'"""),
        (
            b"{'a': 1}",
            """wanted JSON, got "{'a': 1}": expecting property name enclosed in double""",
        ),
        (b'{\n"a": 1,,\n}', r"""got '{\n"a": 1,,\n}': expecting property name"""),
        (b'{"a": 1} {"b": 2}', "extra data at character 10"),
        (b"ERR 5", "wanted JSON, got 'ERR 5': expecting value at character 1"),
        (b"\x00\x01\x02", "wanted JSON, got bytes that are no text: 00 01 02"),
        (b"\xff" * 100, "wanted JSON, got bytes that are no text: ff ff"),
        (
            b"<!DOCTYPE HTML><title> Log\tin </title>",
            "wanted JSON, got a web page 'Log_in': the JSON of the device has another address",
        ),
        (b"<html>", "wanted JSON, got a web page: "),
        (b"<?xml version='1.0'?><a/>", "wanted JSON, got XML: "),
        (b"[" * 100_000, "wanted JSON, got brackets in brackets beyond measure"),
        (b'{"a":' * 100_000, "wanted JSON, got brackets in brackets beyond measure"),
    ],
)
def test_what_is_no_json_is_told_so(data: bytes, error: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(data)

    assert error in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode()))
@example(b'{"\\ud800": "\\udfff"}')
@example(b'[1e400, -0, 1E5, "\xc3"]')
def test_any_bytes_end_in_values_or_an_error(data: bytes) -> None:
    error = ""
    answer = Answer(None)
    try:
        answer = parse(data)
    except ValueError as exc:
        error = str(exc)
    assert error.isprintable()
    for name, value in leaves(answer.value).values.items():
        assert name
        assert name.isprintable()
        for wanted in MetricType:
            converted(value, wanted)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(JSON)
def test_any_json_becomes_sound_values(value: Any) -> None:
    answer = parse(json.dumps(value).encode())

    found = leaves(answer.value).values

    assert len({name.lower() for name in found}) == len(found)
    for name, leaf in found.items():
        assert name == name.strip()
        assert len(name) <= 200
        made, problem = converted(leaf, type_of(leaf) or FLOAT)
        assert problem == ""
        assert not isinstance(made, float) or math.isfinite(made)
        if isinstance(made, str):
            made.encode()


def test_single_values_are_named_by_the_way_to_them() -> None:
    value = {"a": {"b": 1, "c": [True, {"d": None}]}, "e": "x", "none": {}, "empty": []}

    assert leaves(value).values == {"a.b": 1, "a.c.0": True, "a.c.1.d": None, "e": "x"}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (21.5, ["value"]),
        ([1, 2], ["0", "1"]),
        ({"": 1}, ["_"]),
        ({" a\nb ": 1}, ["a_b"]),
        ({"time": 1, "TS": 2, "ts_ms": 3, "a": {"time": 4}}, [
            "device_time", "device_TS", "device_ts_ms", "a.time",
        ]),
        ({"a": {"b": 1}, "a.b": 2, "A.B": 3}, ["a.b", "a.b_2", "A.B_3"]),
        ({"device_time": 1, "time": 2}, ["device_time", "device_time_2"]),
    ],
)  # fmt: skip
def test_names_are_fit_to_print_and_to_store(value: object, names: list[str]) -> None:
    assert list(leaves(value).values) == names


def test_long_names_are_cut_and_stay_apart() -> None:
    found = leaves({"x" * 300: 1, "x" * 301: 2, "y": {"z" * 300: 3}}).values

    assert [len(name) for name in found] == [190, 192, 190]
    assert list(leaves({"x" * 189 + " y": 1}).values) == ["x" * 189]


def test_too_many_values_are_cut() -> None:
    found = leaves({"list": list(range(LEAVES_LIMIT + 1))})

    assert len(found.values) == LEAVES_LIMIT
    assert found.beyond_limit


@pytest.mark.parametrize(("depth", "count"), [(32, 1), (33, 0)])
def test_values_that_are_nested_too_deep_are_left_out(depth: int, count: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value]

    found = leaves(value)

    assert len(found.values) == count
    assert found.beyond_depth is not bool(count)


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ({"a.b": 1, "a": {"b": 2}}, {"a": {"b": 3}}, {"a.b_2": 3}),
        ({"temp": 1, "Temp": 2}, {"Temp": 3}, {"Temp_2": 3}),
        ({"temp": 1, "Temp": 2}, {"Temp": 3, "temp": 4}, {"Temp_2": 3, "temp": 4}),
        ({"x" * 9000: 1, "x" * 9001: 2}, {"x" * 9001: 3}, {"x" * 190 + "_2": 3}),
        ({"a": [1, 2]}, {"a": {"1": 3}}, {"a.1": 3}),
    ],
)
def test_a_name_belongs_to_one_value_whatever_else_is_there(
    first: object, second: object, names: dict[str, Value]
) -> None:
    known = Names()
    leaves(first, known)

    assert leaves(second, known).values == names


def test_names_beyond_the_limit_are_refused_and_those_that_are_known_stay() -> None:
    known = Names()
    leaves([1] * (LEAVES_LIMIT - 1), known)

    found = leaves({"x": 1, "y": 2, "0": 3}, known)

    assert found.values == {"x": 1, "0": 3}
    assert found.beyond_names
    assert not found.beyond_limit


NO_NUMBER = "wanted a number, got a text that is none"
NO_INT = "wanted a whole number of 64 bits, got a number"


@pytest.mark.parametrize(
    ("value", "wanted", "made"),
    [
        (21.5, FLOAT, 21.5),
        (21, FLOAT, 21),
        ("21.5", FLOAT, 21.5),
        (" -1e3 ", FLOAT, -1000.0),
        (".5", FLOAT, 0.5),
        ("1e999", FLOAT, None),
        (2**64, FLOAT, 2.0**64),
        (None, FLOAT, None),
        (21, INT, 21),
        (21.0, INT, 21),
        ("21", INT, 21),
        (-(2**63), INT, -(2**63)),
        (True, BOOL, True),
        (0, BOOL, False),
        (1.0, BOOL, True),
        ("On", BOOL, True),
        (" no ", BOOL, False),
        ("x", TEXT, "x"),
        ("", TEXT, ""),
        (21.5, TEXT, "21.5"),
        (True, TEXT, "true"),
        ("\ud800", TEXT, "?"),
    ],
)
def test_values_become_the_type_of_their_metric(
    value: object, wanted: MetricType, made: Value
) -> None:
    assert converted(value, wanted) == (made, "")


@pytest.mark.parametrize(
    ("value", "wanted", "problem"),
    [
        ("n/a", FLOAT, NO_NUMBER),
        ("nan", FLOAT, NO_NUMBER),
        ("1_000", FLOAT, NO_NUMBER),
        ("21,5", FLOAT, NO_NUMBER),
        ("", FLOAT, NO_NUMBER),
        ("9" * 400, TEXT, ""),
        ("9" * 65, FLOAT, NO_NUMBER),
        (True, FLOAT, "wanted a number, got true or false"),
        ([1], FLOAT, "wanted a number, got a list"),
        ({}, TEXT, "wanted a text, got an object"),
        (21.5, INT, NO_INT),
        (2**63, INT, NO_INT),
        (1e300, INT, NO_INT),
        ("21.0", INT, "wanted a whole number of 64 bits, got a text that is none"),
        ("9" * 20, INT, "wanted a whole number of 64 bits, got a text that is none"),
        (2, BOOL, "wanted true or false, got a number"),
        ("perhaps", BOOL, "wanted true or false, got a text that is none"),
    ],
)
def test_what_does_not_fit_is_no_value_and_told(
    value: object, wanted: MetricType, problem: str
) -> None:
    made, found = converted(value, wanted)

    assert found == problem
    assert (made is None) is bool(problem)


@pytest.mark.parametrize("size", [1_000, 8_000, 65_000])
@pytest.mark.parametrize(
    "sign", ["9", "1.", ".", " ", "-", "9e", "e9", "<", "<title", "<title>", "[", '"', "\\", "\x00"]
)
def test_a_text_of_equal_signs_costs_no_time(sign: str, size: int) -> None:
    text = (sign * size)[:size]
    deadline = Deadline(5.0)  # milliseconds are enough

    for each in (text, f"{text}x", f"x{text}", f" {text} "):
        for wanted in MetricType:
            converted(each, wanted)
        assert leaves(parse(json.dumps({each: each}).encode())).values
        for data in (each, f"<html>{each}", f"<{each}", f"[{each}", f'{{"{each}'):
            with contextlib.suppress(ValueError):
                parse(data.encode())

    deadline.left_s()
