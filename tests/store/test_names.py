"""Names of devices and metrics that are taken, come back, or never end: no sample is lost."""

import pytest

from agent.store import Reader
from agent.store.book import METRICS_LIMIT
from tests.store.stored import Stored
from tests.store.test_failures import messages


def views(stored: Stored) -> dict[str, int]:
    """The views that there are, and when each was made: SQLite puts new ones at the end."""
    found = stored.sql("SELECT name, rowid FROM sqlite_master WHERE type = 'view'")
    return {str(name): int(str(rowid)) for name, rowid in found}


@pytest.mark.parametrize("name", ["json_each", "JSON_tree", "pragma_table_info"])
def test_a_device_with_the_name_of_a_table_of_sqlite_itself_is_stored_without_a_view(
    stored: Stored, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    stored.store.add_device(name, "s7", 1.0, plain=True)
    for number in range(3):
        stored.put_values(name, {f"metric{number}": number})
        stored.put("host", core0_usage=1.0)
        assert stored.store.flush()

    assert len(stored.values(name)) == 3
    assert stored.sql("SELECT DISTINCT core FROM cpu_core") == [(0,)]
    assert messages(caplog) == [
        f"no view {name!r}: SQLite has a table of that name, rename the device"
    ]


@pytest.mark.parametrize("taken", ["TABLE Press(a)", "INDEX press ON gap(id)", "TABLE CPU_core(a)"])
def test_a_name_that_somebody_else_took_costs_the_view_only_and_is_said_once(
    stored: Stored, taken: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert stored.store.flush()
    stored.execute(f"CREATE {taken}")
    for number in range(3):
        stored.put_values("press", {f"metric{number}": number})
        stored.put_values("host", {f"metric{number}": number})
        assert stored.store.flush()

    (message,) = messages(caplog)
    assert len(stored.values()) == 3
    assert message.startswith("no view ")


def test_a_view_that_cannot_be_made_is_said_once_though_the_commit_fails_each_time(
    stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    stored.store.add_device("json_each", "s7", 1.0, plain=True)
    stored.put("json_each")
    stored.put("nobody")

    for _ in range(3):
        with pytest.raises(KeyError):
            stored.store.flush()
    stored.store.add_device("nobody", "s7", 1.0)
    stored.store.flush()

    assert len(messages(caplog)) == 1


def test_a_new_metric_makes_the_view_of_its_device_only_anew(stored: Stored) -> None:
    stored.store.add_device("pump", "s7", 1.0, plain=True)
    stored.put("host", load1=1.0)
    stored.put("press", level=1)
    stored.put("pump", level=1)
    stored.store.flush()
    before = views(stored)

    stored.put("press", level=1, speed=2)
    stored.store.flush()

    after = views(stored)
    assert {name for name in after if after[name] != before[name]} == {"press"}
    assert stored.sql("SELECT level, speed FROM press ORDER BY ts_ms") == [(1, None), (1, 2)]


def test_a_new_metric_of_a_host_makes_the_views_over_hosts_anew(stored: Stored) -> None:
    stored.put("host", load1=1.0)
    stored.store.flush()

    stored.put("host", load1=1.0, cpu_total=5.0)
    stored.store.flush()

    found = stored.sql("SELECT cpu_total FROM system_sample ORDER BY ts")
    assert found == [(None,), (5.0,)]


def test_metrics_without_end_are_left_out_from_a_limit_on_and_all_else_is_stored(
    stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    stored.put_values("press", {f"metric{n}": n for n in range(METRICS_LIMIT - 1)})
    stored.store.flush()

    for number in range(3):
        stored.put_values("press", {f"new{number}": number, "metric7": number})
        stored.put("host", load1=number)
        stored.store.flush()

    with Reader(stored.path) as reader:
        (press,) = [device for device in reader.devices() if device.name == "press"]
    assert stored.values()[1:] == [{"new0": 0, "metric7": 0}, {"metric7": 1}, {"metric7": 2}]
    assert len(press.metrics) == METRICS_LIMIT
    assert len(stored.values("host")) == 3
    assert messages(caplog) == [
        "press: has had more than 1988 metrics, its view shows so many of them, those of now "
        "first; reports have all",
        "press: has had 20000 metrics, more are left out of what is stored",
    ]


def test_a_view_that_can_not_show_all_shows_what_is_offered_now(stored: Stored) -> None:
    technical = {f"calculations.{n}": n for n in range(1500)}
    readable = {f"Reading {n}": n for n in range(1500)}
    shown = []

    for values in (technical, readable, technical):
        stored.put_values("press", values)
        stored.store.flush()
        shown.append({name for _, name, *_ in stored.sql("PRAGMA table_info(press)")})

    assert shown[0] == {"time", "ts_ms", *technical}
    assert shown[1] > {"time", "ts_ms", *readable}
    assert shown[2] > {"time", "ts_ms", *technical}
    assert len(shown[1]) == len(shown[2]) == 1990


def test_a_kind_that_changes_and_comes_back_goes_on_with_its_old_data(stored: Stored) -> None:
    kinds = ["s7", "host", "s7", "host", "s7"]
    for number, kind in enumerate(kinds):
        stored.restart(in_order=True)
        stored.store.add_device("press", kind, 1.0, plain=True)
        stored.clock.advance(60)
        stored.put(number=number)
        stored.store.flush()

    with Reader(stored.path) as reader:
        names = [(device.name, device.kind) for device in reader.devices()]
    assert names == [("press", "s7"), ("press_host", "host")]
    assert stored.values("press") == [{"number": 0}, {"number": 2}, {"number": 4}]
    assert stored.values("press_host") == [{"number": 1}, {"number": 3}]
    assert stored.sql("SELECT number FROM press ORDER BY ts_ms") == [(0,), (2,), (4,)]


def test_a_device_that_only_has_the_name_of_old_data_keeps_its_own(stored: Stored) -> None:
    stored.store.add_device("press_s7", "s7", 1.0)
    stored.put("press_s7", number=1)
    stored.store.add_device("press", "host", 1.0)
    stored.put("press", number=2)
    stored.store.flush()

    stored.restart(in_order=True)
    stored.store.add_device("press_s7", "s7", 1.0)
    stored.put("press", number=3)
    stored.put("press_s7", number=4)
    stored.store.flush()

    assert stored.values("press_s7") == [{"number": 1}, {"number": 4}]
    assert stored.values("press") == [{"number": 3}]
