"""From a report's objects to values: order, types, and fields of other firmware."""

import math

import pytest

from agent.devices.thermostat.fields import FIELDS as REPORT_FIELDS
from agent.devices.thermostat.fields import UNKNOWN_LIMIT, Decoder, Row, standard_metrics
from agent.devices.thermostat.fields import typed as typed_value
from agent.devices.thermostat.settings import QUERIES
from agent.devices.thermostat.wire import Json, channels, parse_line
from agent.model import MetricType, Value
from tests.devices.thermostat_script import V1

FIELDS = (
    *("temperature", "i_tec", "pid_output", "adc", "sens", "i_set", "dac_value", "dac_feedback"),
    *("tec_i", "tec_u_meas", "pid_engaged", "current_swapped", "interval"),
)

UNITS = {
    "temperature": "°C",
    "i_tec": "V",
    "pid_output": "A",
    "adc": "V",
    "sens": "Ω",
    "i_set": "A",
    "dac_value": "V",
    "dac_feedback": "V",
    "tec_i": "A",
    "tec_u_meas": "V",
    "pid_engaged": "",
    "current_swapped": "",
    "interval": "s",
    "time": "s",
    "vref": "V",
    "center": "",
    "output_max_v": "V",
    "output_max_i_pos": "A",
    "output_max_i_neg": "A",
    "polarity": "",
    "pid_target": "°C",
    "pid_kp": "A/K",
    "pid_ki": "A/K",
    "pid_kd": "A/K",
    "pid_output_min": "A",
    "pid_output_max": "A",
    "pid_integral_min": "A",
    "pid_integral_max": "A",
    "sensor_t0": "K",
    "sensor_r0": "Ω",
    "sensor_b": "K",
    "postfilter_rate": "Hz",
}
EVERY_FIELD = (
    *REPORT_FIELDS.values(),
    *(each for query in QUERIES for each in query.fields.values()),
)


def row_of(*objects: dict[str, Json], decoder: Decoder | None = None) -> Row:
    return (decoder or Decoder()).row(dict(enumerate(objects)))


@pytest.mark.parametrize(("name", "unit"), UNITS.items())
def test_a_metric_has_its_unit(name: str, unit: str) -> None:
    found = {each.name: each.unit for each in EVERY_FIELD}

    assert found[name] == unit


def test_every_metric_is_in_the_table_of_units() -> None:
    assert sorted(each.name for each in EVERY_FIELD) == sorted(UNITS)


def test_the_report_of_the_vectors_becomes_a_wide_row() -> None:
    row = Decoder().row(channels(parse_line(V1), ("adc",), "a report"))

    names = [name for name in (*FIELDS, "time") if name != "current_swapped"]
    assert list(row.values) == [f"{name}_ch{number}" for name in names for number in (0, 1)]
    assert row.values["temperature_ch0"] == 23.06311189108584
    assert row.values["temperature_ch1"] is None
    assert row.values["pid_engaged_ch0"] is True
    assert row.values["tec_i_ch1"] == 0.0025000000000002798
    assert row.values["time_ch1"] == 5127.391
    assert row.problems == []
    assert tuple(row.metrics) == standard_metrics()


def test_fields_of_old_and_unmerged_firmware_have_their_place() -> None:
    report: dict[str, Json] = {"temperature": 1.0, "vref": 1.495, "current_swapped": False}

    row = row_of(report, report)

    assert list(row.values.items()) == [
        ("temperature_ch0", 1.0),
        ("temperature_ch1", 1.0),
        ("current_swapped_ch0", False),
        ("current_swapped_ch1", False),
        ("vref_ch0", 1.495),
        ("vref_ch1", 1.495),
    ]


def test_null_is_offered_and_absent_is_not() -> None:
    row = row_of({"adc": None, "pid_output": None}, {"adc": 1.0})

    assert list(row.values.items()) == [
        ("pid_output_ch0", None),
        ("adc_ch0", None),
        ("adc_ch1", 1.0),
    ]
    assert row.problems == []


@pytest.mark.parametrize(
    ("raw", "wanted", "value", "problem"),
    [
        (1, MetricType.FLOAT, 1.0, ""),
        (-2.5, MetricType.FLOAT, -2.5, ""),
        (math.nan, MetricType.FLOAT, None, "wanted a finite number"),
        (-math.inf, MetricType.FLOAT, None, "wanted a finite number"),
        (True, MetricType.FLOAT, None, "wanted a number, got true or false"),
        ("1", MetricType.FLOAT, None, "wanted a number, got a text"),
        ([1], MetricType.FLOAT, None, "wanted a number, got a list or an object"),
        (None, MetricType.FLOAT, None, ""),
        (True, MetricType.BOOL, True, ""),
        (1, MetricType.BOOL, None, "wanted true or false, got a number"),
        (None, MetricType.BOOL, None, ""),
        ("vref", MetricType.TEXT, "vref", ""),
        ("a\n\ud800", MetricType.TEXT, "a\ufffd\ufffd", ""),
        ("x" * 300, MetricType.TEXT, "x" * 200, ""),
        (1.5, MetricType.TEXT, None, "wanted a text, got a number"),
    ],
)
def test_a_value_fits_its_type_or_is_none_with_a_reason(
    raw: Json, wanted: MetricType, value: Value, problem: str
) -> None:
    actual = typed_value(raw, wanted)

    assert actual == (value, problem)
    assert type(actual[0]) is type(value)


def test_unknown_fields_come_last_with_the_type_that_they_have() -> None:
    row = row_of({"n": 3, "ok": True, "state": "on", "laser": {"power": 1.5}, "adc": 1.0})

    assert [(each.name, each.type) for each in row.metrics] == [
        ("adc_ch0", MetricType.FLOAT),
        ("n_ch0", MetricType.FLOAT),
        ("ok_ch0", MetricType.BOOL),
        ("state_ch0", MetricType.TEXT),
        ("laser_power_ch0", MetricType.FLOAT),
    ]
    assert list(row.values.values()) == [1.0, 3.0, True, "on", 1.5]


def test_an_unknown_field_keeps_its_type_while_it_is_there() -> None:
    decoder = Decoder()
    row_of({"state": "on"}, decoder=decoder)

    changed = row_of({"state": 7}, decoder=decoder)
    empty = row_of({"state": None}, decoder=decoder)
    row_of({"adc": 1.0}, decoder=decoder)
    anew = row_of({"state": 7}, decoder=decoder)

    assert changed.values == {"state_ch0": None}
    assert changed.metrics[0].type is MetricType.TEXT
    assert changed.problems == ["state_ch0: wanted a text, got a number"]
    assert empty.metrics[0].type is MetricType.TEXT
    assert anew.values == {"state_ch0": 7.0}


def test_an_unknown_field_that_was_null_gets_its_type_with_its_first_value() -> None:
    decoder = Decoder()

    before = row_of({"state": None}, decoder=decoder)
    after = row_of({"state": "on"}, decoder=decoder)

    assert before.values == {"state_ch0": None}
    assert after.values == {"state_ch0": "on"}
    assert after.metrics[0].type is MetricType.TEXT


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"history": [1, 2]}, "history is left out, it is no single value"),
        ({"a": {"b": {"c": 1}}}, "a_b is left out, it is no single value"),
        ({"a name": 1}, "a field with an unusual name is left out"),
        ({"": 1}, "a field with an unusual name is left out"),
        ({"\ud800": 1}, "a field with an unusual name is left out"),
        ({"x" * 61: 1}, "a field with an unusual name is left out"),
        ({"ADC": 1}, "ADC is left out, another field has this name"),
    ],
)
def test_what_can_not_be_a_metric_is_left_out_with_a_reason(
    fields: dict[str, Json], problem: str
) -> None:
    row = row_of({"adc": 1.0, **fields})

    assert row.values == {"adc_ch0": 1.0}
    assert row.problems == [f"channel 0 of the report: {problem}"]


def test_only_so_many_unknown_fields_are_taken() -> None:
    row = row_of({f"f{n}": n for n in range(1000)})

    assert len(row.values) == UNKNOWN_LIMIT
    assert row.problems == [
        f"channel 0 of the report: of its unknown fields only {UNKNOWN_LIMIT} are taken"
    ]


def test_names_that_change_with_every_report_are_not_remembered() -> None:
    decoder = Decoder()

    for n in range(100):
        row_of({f"f{n}": n}, decoder=decoder)

    assert row_of({"f0": "text"}, decoder=decoder).values == {"f0_ch0": "text"}
