"""What was read comes back: to the digit, the type, and the metric that was not there."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Metric, MetricType, Value
from agent.store import Reader
from tests.fakes import FakeClock
from tests.store.stored import Stored

VALUES = [
    *(0, 1, -1, 2**63, 2**64 - 1, -(2**64) + 1),
    *(1.0, 0.1, -0.0, 1e22, 5e-324, 1.7976931348623157e308),
    *(True, False, None),
    *("", " ", "a,b", 'say "hi"', "two\nlines\r\n", "nul\0nul", "ä€😀", "null", "true", "1"),
    *("\ud83d", "half \udc80 pair"),
]
NAMES = [
    "time",
    "ts_ms",
    "ts",
    'a"b',
    "a'b",
    "a.b",
    "a[0]",
    "$",
    "Ä",
    "ä",
    "A",
    "a",
    "-",
    "%s",
    ";",
]

ROWS = pytest.mark.parametrize("plain", [True], ids=["rows"])  # of which there is a view
SOME_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**64) + 1, 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)
HOST_NAMES = st.sampled_from(
    ["cpu_total", "core0_usage", "core3_usage", "process1_pid", "process2_name", "process12_mem"]
)
SOME_NAMES = st.one_of(HOST_NAMES, st.text(min_size=1, max_size=5))
READINGS = st.lists(st.dictionaries(SOME_NAMES, SOME_VALUES, min_size=1, max_size=6), max_size=6)


@pytest.fixture(params=[True, False], ids=["rows", "batches"])
def plain(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def exact(values: list[dict[str, Value]]) -> list[dict[str, tuple[type, str]]]:
    """Values with their types, in which 1 is not 1.0 and -0.0 not 0.0."""
    return [{name: (type(v), repr(v)) for name, v in each.items()} for each in values]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_to_the_digit_and_type(stored: Stored, value: Value) -> None:
    stored.put(level=value)

    stored.store.flush()

    assert exact(stored.values()) == exact([{"level": value}])


@settings(max_examples=60, deadline=None)  # each example syncs a file
@given(readings=READINGS)
@pytest.mark.parametrize(("device", "plain"), [("host", True), ("press", True), ("press", False)])
def test_any_readings_come_back(
    device: str, readings: list[dict[str, Value]], *, plain: bool
) -> None:
    with TemporaryDirectory() as folder:
        stored = Stored(Path(folder) / "telemetry.db", FakeClock(), plain=plain)
        for number, values in enumerate(readings):
            stored.clock.advance(5.0)
            stored.put_values(device, values)
            if number % 3 == 2:
                stored.restart(in_order=True)
        stored.put_values(device, {"end": 0})

        stored.store.close()

        assert exact(stored.values(device)) == exact([*readings, {"end": 0}])


@ROWS
def test_names_with_odd_characters_are_stored_and_each_is_a_column_of_the_view(
    stored: Stored,
) -> None:
    values: dict[str, Value] = {name: number for number, name in enumerate(NAMES)}
    stored.put_values("press", values)

    stored.store.flush()

    assert stored.values() == [values]
    ((_, _, *columns),) = stored.sql("SELECT * FROM press")
    assert columns == list(values.values())


def test_a_metric_that_is_absent_stays_apart_from_one_that_is_none(stored: Stored) -> None:
    stored.put(a=1, b=None, c=3)
    stored.put(a=1, c=None)
    stored.put(c=3, b=2)

    stored.store.flush()

    assert stored.values() == [{"a": 1, "b": None, "c": 3}, {"a": 1, "c": None}, {"b": 2, "c": 3}]


@ROWS
def test_a_metric_that_comes_later_is_a_new_column_and_old_rows_stay_as_they_were(
    stored: Stored,
) -> None:
    stored.put(a=1)
    stored.store.flush()
    stored.put(b=2, a=3)
    stored.store.flush()

    rows = stored.sql("SELECT a, b FROM press")

    assert rows == [(1, None), (3, 2)]
    assert stored.values() == [{"a": 1}, {"a": 3, "b": 2}]


@ROWS
def test_1749_metrics_are_stored_and_shown(stored: Stored) -> None:
    values: dict[str, Value] = {f"calculations.ID_WEB_{number}": number for number in range(1749)}
    stored.put_values("press", values)

    stored.store.flush()

    assert stored.values() == [values]
    assert stored.sql('SELECT "calculations.ID_WEB_1748" FROM press') == [(1748,)]


@ROWS
def test_a_view_has_as_many_columns_as_sqlite_takes_and_the_rows_have_all(stored: Stored) -> None:
    values: dict[str, Value] = {f"m{number}": number for number in range(2500)}
    stored.put_values("press", values)

    stored.store.flush()

    assert stored.values() == [values]
    ((*columns,),) = stored.sql("SELECT * FROM press")
    assert columns[2:] == list(range(1988))


def test_units_and_helps_are_those_that_the_driver_said_last(stored: Stored) -> None:
    stored.store.describe("press", [Metric("level", "mm")])
    stored.put(level=1)
    stored.store.flush()

    stored.store.describe("press", [Metric("level", "cm", MetricType.INT, "how \udcff full")])
    stored.put(level=1)
    stored.store.flush()

    with Reader(stored.path) as reader:
        (device,) = reader.devices()
    assert device.metrics == (Metric("level", "cm", MetricType.INT, "how ? full"),)


@ROWS
def test_a_device_whose_name_changes_its_case_stays_one_device(stored: Stored) -> None:
    stored.put(level=1)
    stored.restart(in_order=True)
    stored.store.add_device("PRESS", "s7", 1.0, plain=True)
    stored.put("PRESS", level=2)

    stored.store.flush()

    assert stored.values("press") == stored.values("Press") == [{"level": 1}, {"level": 2}]
    assert stored.sql("SELECT level FROM press") == [(1,), (2,)]
    assert stored.sql("SELECT name FROM device") == [("PRESS",)]


@ROWS
def test_a_device_that_becomes_a_host_leaves_its_rows_under_a_longer_name(stored: Stored) -> None:
    stored.put(level=1, mode=2)
    stored.restart(in_order=True)
    stored.store.add_device("press", "host", 5.0)
    stored.put(core0_usage=3.5, level=4)

    stored.store.flush()

    assert stored.values("press") == [{"core0_usage": 3.5, "level": 4}]
    assert stored.values("press_s7") == [{"level": 1, "mode": 2}]
    assert stored.sql("SELECT level FROM press_s7") == [(1,)]


def test_a_name_that_sqlite_does_not_take_is_refused_before_it_waits(stored: Stored) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        stored.put_values("press", {"\ud83d": 1})

    stored.put(level=1)
    assert stored.store.flush()
    assert stored.values() == [{"level": 1}]
