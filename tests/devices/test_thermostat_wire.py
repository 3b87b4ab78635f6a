"""Lines of a thermostat, as bytes alone."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.devices.thermostat.fields import SIGN
from agent.devices.thermostat.wire import BRACKETS_LIMIT, RefusedError, channels, parse_line
from tests.devices.thermostat_script import FILTER, INVALID, PID, V1, V3, V4


def test_the_report_of_the_vectors_is_decoded() -> None:
    value = parse_line(V1)

    assert len(V1) == 602
    first, second = channels(value, SIGN, "a report").values()
    assert list(first) == [
        *("channel", "time", "interval", "adc", "sens", "temperature", "pid_engaged", "i_set"),
        *("dac_value", "dac_feedback", "i_tec", "tec_i", "tec_u_meas", "pid_output"),
    ]
    assert first["time"] == 5127.341
    assert first["sens"] == 10869.103655483224
    assert first["pid_engaged"] is True
    assert [second[key] for key in ("adc", "sens", "temperature")] == [None, None, None]


@pytest.mark.parametrize("line", [V3, V4, FILTER, PID])
def test_settings_of_the_vectors_have_two_channels(line: bytes) -> None:
    found = channels(parse_line(line), ("max_v", "params", "rate", "parameters"), "settings")

    assert list(found) == [0, 1]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (INVALID, "'invalid input'"),
        (b'{"error":"report failed"}', "'report failed'"),
        (b'{{"error": "unable to choose postfilter rate"}}', "'unable to choose postfilter rate'"),
        (b'{{"error": "flash config not found"}}', "'flash config not found'"),
        (b'{"error":{"code":3}}', "\"{'code': 3}\""),
        (b'{"error":"a\\u0007b"}', "'a\\x07b'"),
        (b'{"error":"' + b"x" * 1000 + b'"}', "'" + "x" * 60 + "...'"),
    ],
)
def test_an_error_keeps_the_words_of_the_device(line: bytes, told: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_line(line)

    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-1", 0.1),
        ("2.306311189108584e1", 23.06311189108584),
        ("0e0", 0.0),
        ("-2e0", -2.0),
        ("7", 7),
        ("1e308", 1e308),
        ("1e999", math.inf),
        ("-1e999", -math.inf),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("Infinity", math.inf),
        ("9" * 400, math.inf),
        ("9" * 15_000, math.inf),
    ],
)
def test_a_number_is_read_in_every_form(text: str, number: float) -> None:
    assert parse_line(f'[{{"adc":{text}}}]'.encode()) == [{"adc": number}]


@pytest.mark.parametrize("text", ["NaN", "nan", "-nan"])
def test_what_is_no_number_is_one_that_is_not_finite(text: str) -> None:
    value = parse_line(f'{{"adc":{text},"note":"nan and inf \\" nan"}}'.encode())

    assert isinstance(value, dict)
    assert math.isnan(value["adc"])
    assert value["note"] == 'nan and inf " nan'


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"", "wanted a line of JSON, got ''"),
        (b"login: ", "wanted a line of JSON, got 'login: '"),
        (b"\xff\xfd\x18", "wanted a line of JSON, got ff fd 18"),
        (V1[:300], 'wanted a line of JSON, got \'[{"channel":0,'),
        (V1 + V1, "wanted a line of JSON, got"),
        (b'{"a":1,"a":2}', "wanted each key once in an object, got one twice"),
        (b"[" * 10_000, f"wanted at most {BRACKETS_LIMIT} brackets in a line, got 10000"),
        (b'{"a":' * 3000, f"wanted at most {BRACKETS_LIMIT} brackets in a line, got 3000"),
        (b'"' + b'\\"' * 8000, "wanted a line of JSON"),
    ],
)
def test_anything_else_is_an_error_that_shows_it(line: bytes, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_line(line)

    assert str(caught.value).startswith(text)
    assert len(str(caught.value)) < 150


@given(st.binary(max_size=200) | st.text('[]{}",:0e-1nainf\\"', max_size=60).map(str.encode))
@example(b'{"error":null}')
@example(b'["\\ud800"]')
def test_any_bytes_end_in_a_value_or_a_known_error(line: bytes) -> None:
    try:
        channels(parse_line(line), SIGN, "a report")
    except (ValueError, RefusedError) as error:
        assert str(error).isprintable()  # noqa: PT017 - most bytes are no line


@pytest.mark.parametrize("at", range(1, len(V1)))
def test_a_report_that_is_cut_anywhere_is_an_error(at: int) -> None:
    with pytest.raises(ValueError, match="wanted a line of JSON"):
        parse_line(V1[:at])


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"{}", "wanted a report, got '{}'"),
        (b"null", "wanted a report, got 'null'"),
        (b"3", "wanted a report, got '3'"),
        (b"[]", "wanted a report, got '[]'"),
        (b"[{}]", "wanted a report, got '{}'"),
        (b"[3]", "wanted a report, got '3'"),
        (V3, 'wanted a report, got \'{"channel": 0, "center": "vref"'),
        (V4, 'wanted a report, got \'{"channel": 0, "params"'),
        (PID, 'wanted a report, got \'{"channel": 0, "parameters"'),
        (FILTER, 'wanted a report, got \'{"channel": 0, "rate": null}\''),
        (b'[{"adc":1}]', "wanted a channel of 0 to 7, got None"),
        (b'[{"adc":1,"channel":8}]', "wanted a channel of 0 to 7, got 8"),
        (b'[{"adc":1,"channel":-1}]', "wanted a channel of 0 to 7, got -1"),
        (b'[{"adc":1,"channel":0.5}]', "wanted a channel of 0 to 7, got 0.5"),
        (b'[{"adc":1,"channel":NaN}]', "wanted a channel of 0 to 7, got nan"),
        (b'[{"adc":1,"channel":true}]', "wanted a channel of 0 to 7, got True"),
        (b'[{"adc":1,"channel":"0"}]', "wanted a channel of 0 to 7, got '0'"),
        (b'[{"adc":1,"channel":[]}]', "wanted a channel of 0 to 7, got []"),
        (b'[{"adc":1,"channel":1},{"adc":1,"channel":1e0}]', "wanted each channel once"),
    ],
)
def test_an_answer_to_another_request_is_no_report(line: bytes, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        channels(parse_line(line), SIGN, "a report")

    assert str(caught.value).startswith(text)


def test_channels_are_matched_by_their_number_and_not_by_their_place() -> None:
    value = parse_line(b'[{"channel":1e0,"adc":1},{"channel":0,"adc":0}]')

    found = channels(value, SIGN, "a report")

    assert [(number, each["adc"]) for number, each in found.items()] == [(0, 0), (1, 1)]
