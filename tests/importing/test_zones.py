"""Local times become UTC: with summer time, an hour that comes twice, and one that is left out."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.importing.times import Times
from tests.importing.loggers import BERLIN, local, plc_csv, plc_rows, timed
from tests.importing.station import PRESS, Station, typed
from tests.importing.test_loggers import seconds

AUTUMN_MS = round(datetime(2024, 10, 26, 22, tzinfo=UTC).timestamp() * 1000)  # midnight in Berlin
SPRING_MS = round(datetime(2024, 3, 30, 23, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path, PRESS)


@pytest.mark.parametrize("start_ms", [AUTUMN_MS, SPRING_MS])
def test_a_night_that_changes_the_clock_comes_out_right(station: Station, start_ms: int) -> None:
    times, rows = seconds(360, 60_000, start_ms), plc_rows(360)
    path = station.file("log.csv", plc_csv(times, rows))

    (facts,) = station.facts(path)

    assert (facts["stored"], facts["doubtful"]) == (360, 0)
    assert typed(station.samples("press")) == typed(timed(times, rows))


def test_a_night_that_changes_the_clock_is_known_again(station: Station) -> None:
    path = station.file("log.csv", plc_csv(seconds(360, 60_000, AUTUMN_MS), plc_rows(360)))
    station.counts(path)

    assert station.counts(path) == (0, 360, 0, 0)


@pytest.mark.parametrize(
    ("texts", "hours", "doubts"),
    [
        # from the first of the two hours into the second
        (["01:59:59", "02:00:00", "02:07:00", "02:00:00", "03:00:00"], [0, 0, 0, 1, 1], [0] * 5),
        (["01:00:00", "01:30:00", "02:00:00", "02:30:00", "02:00:00"], [0, 0, 0, 0, 1], [0] * 5),
        # a gap: which of the two hours it is nobody can tell
        (["01:00:00", "02:30:00", "02:30:30", "03:00:00"], [0, 0, 0, 1], [0, 1, 1, 0]),
        # a file that begins within
        (["02:30:00", "02:00:00", "03:00:00"], [0, 1, 1], [1, 0, 0]),
        # the clock is put right by a second in the first of them
        (["02:10:01", "02:10:00", "02:10:02"], [0, 0, 0], [1, 1, 1]),
    ],
)
def test_an_hour_that_comes_twice_is_told_by_the_order(
    texts: list[str], hours: list[int], doubts: list[int]
) -> None:
    times = Times(BERLIN)
    found = [(times.of(f"2024-10-27T{text}"), bool(times.doubt)) for text in texts]

    summer = [datetime.fromisoformat(f"2024-10-27T{text}+02:00") for text in texts]
    wanted = [round(each.timestamp()) * 1000 for each in summer]
    assert [
        (ms - first) // 3_600_000 for (ms, _), first in zip(found, wanted, strict=True)
    ] == hours
    assert [is_doubtful for _, is_doubtful in found] == [bool(doubt) for doubt in doubts]


def test_doubtful_rows_are_counted_and_named(station: Station) -> None:
    head = "ts,counter,temperature,pressure,alarm,mode_ro\n"
    rows = "2024-10-27T02:30:00,1,2,3,0,4\n2024-03-31T02:30:00,1,2,3,0,4\n"

    (facts,) = station.facts(station.file("log.csv", head + rows))

    assert (facts["stored"], facts["doubtful"]) == (2, 2)
    assert facts["doubtful_rows"] == [
        {
            "line": 2,
            "text": "2024-10-27 02:30:00 comes twice in Europe/Berlin, taken for the first of the "
            "two",
        },
        {
            "line": 3,
            "text": "2024-03-31 02:30:00 does not exist in Europe/Berlin, the clock is set forward "
            "then",
        },
    ]


def test_the_zone_is_that_of_the_configuration(station: Station) -> None:
    station.configure(PRESS, zone="America/New_York")
    head = "ts,counter,temperature,pressure,alarm,mode_ro\n"

    station.counts(station.file("log.csv", head + "2024-06-10T08:00:00,1,2,3,0,4\n"))

    ((ts_ms, _),) = station.samples("press")
    assert datetime.fromtimestamp(ts_ms / 1000, ZoneInfo("America/New_York")).hour == 8


@pytest.mark.parametrize(
    "text",
    ["2024-06-10T08:13:20+02:00", "2024-06-10 06:13:20Z", "2024-06-10T08:13:20", "1718000000",
     "1718000000.0", "1718000000000", "1718000000000000", "10.06.2024 08:13:20", " 1718000000 "],
)  # fmt: skip
def test_any_usual_time_is_read(text: str) -> None:
    assert Times(BERLIN).of(text) == 1_718_000_000_000
    assert local(1_718_000_000_000).hour == 8


@pytest.mark.parametrize("raw", ["", "x", "08:00", "2024-13-01", True, None, [], 1e300, "9" * 20])
def test_what_is_no_time_is_said(raw: object) -> None:
    with pytest.raises(ValueError, match="wanted a time, got"):
        Times(BERLIN).of(raw)
