"""The cache and the roll-ups of the heat pump logger become the history of our device."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from agent.model import MetricType
from tests.importing.loggers import local
from tests.importing.pumps import as_driver, as_logger, cache, comparable, polls, roll_up
from tests.importing.station import PUMP, Station, typed

START_S = 1_718_000_000.25


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path, PUMP)


def times(count: int) -> list[float]:
    return [START_S + 30 * number for number in range(count)]


@pytest.mark.parametrize("profile", ["old", "bench", "new", "v1.80"])
def test_a_poll_is_what_our_driver_would_have_read(station: Station, profile: str) -> None:
    raw = polls(3, profile)
    logged = [as_logger(each) for each in raw]
    path = cache(station.folder / "cache.db", times(3), logged)

    counts = station.counts(path)

    assert counts == (3, 0, 0, 0)
    for (ts_ms, values), one, each, ts in zip(
        station.samples("pump"), raw, logged, times(3), strict=True
    ):
        assert ts_ms == round(ts * 1000)
        wanted = as_driver(one)
        assert values.keys() == wanted.keys()
        assert typed([(0, comparable(values, each))]) == typed([(0, comparable(wanted, each))])


def test_the_same_cache_again_adds_nothing(station: Station) -> None:
    path = cache(station.folder / "cache.db", times(40), [as_logger(each) for each in polls(40)])
    station.counts(path)

    counts = station.counts(path)

    assert counts == (0, 40, 0, 0)
    assert len(station.samples("pump")) == 40


@pytest.mark.parametrize(
    ("table", "columns"),
    [("cache", ("ts", "payload")), ("readings", ("created_at", "values_json"))],
)
def test_tables_and_columns_may_have_other_names(
    station: Station, table: str, columns: tuple[str, str]
) -> None:
    logged = [as_logger(each) for each in polls(2)]
    path = cache(station.folder / "x", times(2), logged, table, columns)

    assert station.counts(path) == (2, 0, 0, 0)


def test_readable_names_are_those_of_our_driver(station: Station) -> None:
    path = cache(
        station.folder / "cache.db",
        times(1),
        [{"Flow Temperature": 34.2, "Return Temperature": 32, "Compressor 1 Starts": 9869}],
    )

    station.counts(path)

    assert typed(station.samples("pump")) == typed(
        [
            (
                round(START_S * 1000),
                {
                    "calculations.ID_WEB_Temperatur_TVL": 34.2,
                    "calculations.ID_WEB_Temperatur_TRL": 32.0,
                    "calculations.ID_WEB_Zaehler_BetrZeitImpVD1": 9869,
                },
            )
        ]
    )


def test_a_device_with_readable_headers_gets_them(station: Station) -> None:
    station.configure(PUMP + "readable_headers = true\n")
    logged = [as_logger(each) for each in polls(1)]
    path = cache(station.folder / "cache.db", times(1), logged)

    station.counts(path)

    ((_, values),) = station.samples("pump")
    assert values.keys() == as_driver(polls(1)[0], readable=True).keys()
    assert station.metrics("pump")["Flow Temperature"].unit == "°C"


def test_names_of_newer_packages_are_known(station: Station) -> None:
    letters = {f"calculations.ID_WEB_SoftStand_{at}": c for at, c in enumerate("V3.90.1")}
    path = cache(
        station.folder / "cache.db",
        times(1),
        [
            {
                "calculations.Vapourisation_Temperature": 1.5,
                "calculations.Unknown_Calculation_233": 415,
                "calculations.235": 7,
                "calculations.ID_WEB_AktuelleTimeStamp": "2024-06-10 08:13:20",
                **letters,
            }
        ],
    )

    station.counts(path)

    ((_, values),) = station.samples("pump")
    assert values == {
        "calculations.232": 1.5,
        "calculations.233": 41.5,
        "calculations.235": 7,
        "calculations.ID_WEB_AktuelleTimeStamp": 1_718_000_000,
        "calculations.ID_WEB_SoftStand": "V3.90.1",
    }


def test_polls_that_are_no_objects_are_bad_rows(station: Station) -> None:
    path = cache(station.folder / "cache.db", times(3), [as_logger(each) for each in polls(3)])
    spoil(path, "UPDATE sensor_data SET data_json = '{\"a\": ' WHERE rowid = 2")

    (facts,) = station.facts(path)

    assert (facts["stored"], facts["bad"]) == (2, 1)
    assert facts["bad_rows"] == [{"line": 2, "text": "wanted a JSON object, got '{\"a\": '"}]


def test_lists_and_objects_inside_are_left_out_and_said(station: Station) -> None:
    logged = {"calculations.ID_WEB_Temperatur_TVL": 30.5, "parameters.queue": {}, "x": [1]}
    path = cache(station.folder / "cache.db", times(1), [logged])

    (facts,) = station.facts(path)

    assert station.samples("pump")[0][1] == {"calculations.ID_WEB_Temperatur_TVL": 30.5}
    assert facts["notes"] == [
        "column 'parameters.queue' is left out: it has lists or objects",
        "column 'x' is left out: it has lists or objects",
    ]


def test_numbers_that_are_not_finite_are_nothing(station: Station) -> None:
    logged: list[dict[str, Any]] = [
        {"calculations.ID_WEB_Temperatur_TVL": float(text), "calculations.ID_WEB_Freq_VD": 1}
        for text in ("nan", "inf", "-inf")
    ]
    path = cache(station.folder / "cache.db", times(3), logged)

    station.counts(path)

    assert {row["calculations.ID_WEB_Temperatur_TVL"] for _, row in station.samples("pump")} == {
        None
    }


def test_a_roll_up_without_times_takes_the_heat_pumps_own_clock(station: Station) -> None:
    raw = polls(3)
    logged = [as_logger(each) for each in raw]
    clock = "calculations.ID_WEB_AktuelleTimeStamp"

    (facts,) = station.facts(station.file("2024-06-10_daily.csv", roll_up(logged)))

    assert (facts["logger"], facts["stored"]) == ("heat pump logger", 3)
    assert "the heat pump's own clock" in facts["notes"][0]
    for (ts_ms, values), one, each in zip(station.samples("pump"), raw, logged, strict=True):
        wanted = as_driver(one)
        assert ts_ms == 1000 * int(str(wanted[clock]))
        assert typed([(0, comparable(values, each))]) == typed([(0, comparable(wanted, each))])


def test_a_roll_up_with_times_uses_them(station: Station) -> None:
    logged = [as_logger(each) for each in polls(2)]
    stamped = [
        {"timestamp": local(round(ts * 1000)).isoformat(), **each}
        for ts, each in zip(times(2), logged, strict=True)
    ]

    (facts,) = station.facts(station.file("weekly.csv", roll_up(stamped)))

    assert facts["notes"] == []
    assert [ts_ms for ts_ms, _ in station.samples("pump")] == [round(ts * 1000) for ts in times(2)]


def test_a_roll_up_with_neither_is_refused_with_the_way_out(station: Station) -> None:
    path = station.file("daily.csv", "calculations.ID_WEB_Temperatur_TVL\n34.2\n")

    result = station.run(path)

    assert result.exit_code == 1
    assert "import that logger's cache.db" in result.output


def test_a_readable_roll_up_says_that_it_may_be_wrong(station: Station) -> None:
    header = "timestamp,Flow Temperature,Return Temperature,Hot Water Temperature,Own\n"
    path = station.file("daily.csv", header + "2024-06-10 08:00:00,34.2,32.6,50.1,7\n")

    (facts,) = station.facts(path)

    assert "readable headers of that logger" in facts["notes"][0]
    ((_, values),) = station.samples("pump")
    assert values["calculations.ID_WEB_Temperatur_TVL"] == 34.2
    assert values["Own"] == 7


def test_a_device_that_keeps_raw_numbers_takes_no_scaled_ones(station: Station) -> None:
    station.configure(PUMP + 'values = "raw"\n')
    path = cache(station.folder / "cache.db", times(1), [as_logger(each) for each in polls(1)])

    result = station.run(path)

    assert result.exit_code == 1
    assert 'pump keeps raw numbers (values = "raw")' in result.output


def test_a_device_that_is_not_configured_is_made(tmp_path: Path) -> None:
    station = Station(tmp_path)
    path = cache(station.folder / "cache.db", times(1), [as_logger(each) for each in polls(1)])

    result = station.run(path)

    assert result.exit_code == 0
    assert "1 sample of luxtronik (new, of kind luxtronik)" in result.output
    assert station.metrics("luxtronik")["calculations.ID_WEB_VD1out"].type is MetricType.BOOL


def test_excel_may_have_had_a_roll_up(station: Station) -> None:
    logged = as_logger(polls(1)[0])
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["timestamp", *logged])
    words = {True: "WAHR", False: "FALSCH"}
    cells = [
        words[each] if isinstance(each, bool) else str(each).replace(".", ",")
        if isinstance(each, float) else each
        for each in logged.values()
    ]  # fmt: skip
    writer.writerow(["10.06.2024 08:13:20", *cells])

    counts = station.counts(station.file("daily.csv", b"\xef\xbb\xbf" + out.getvalue().encode()))

    assert counts == (1, 0, 0, 0)
    ((ts_ms, values),) = station.samples("pump")
    wanted = as_driver(polls(1)[0])
    assert ts_ms == 1_718_000_000_000
    assert typed([(0, comparable(values, logged))]) == typed([(0, comparable(wanted, logged))])


def spoil(path: Path, sql: str) -> None:
    """What another program does to a file."""
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


def test_a_json_database_of_something_else_needs_a_device(station: Station) -> None:
    path = cache(station.folder / "x.db", times(1), [{"level": 1, "name": "a"}])

    refused = station.run(path)
    result = station.run(path, "--device", "tank", "--kind", "json", "--json")

    assert refused.exit_code == 1
    assert "name a device, --device NAME" in refused.output
    assert json.loads(result.stdout)["files"][0]["stored"] == 1
    assert station.samples("tank")[0][1] == {"level": 1, "name": "a"}
