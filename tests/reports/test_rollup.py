"""One report: what is in it, that it is whole, and that it is the same each time."""

import csv
import hashlib
import io
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Metric, Reason, Value
from agent.reports.periods import Period
from agent.reports.rollup import iso, write
from agent.store import Reader
from agent.store.table import cell
from tests.fakes import NOON_MS
from tests.reports.kept import BERLIN, Kept, manifest, table
from tests.store.laid import At, Laid, damage

HOUR = Period(NOON_MS, NOON_MS + 3_600_000, "hour")


@contextmanager
def full_disk(size_bytes: int) -> Iterator[None]:
    """No file may grow beyond a size: what a full disk looks like to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_report_has_a_header_and_a_row_for_each_sample(kept: Kept) -> None:
    kept.put(level=1.5, running=True, mode="auto", broken=None)
    kept.clock.advance(1.25)
    kept.put(level=2, running=False, mode="off", broken=1e-7)
    kept.store.flush()
    path = kept.folder / "hour.csv"

    made = kept.write(path, HOUR)

    assert path.read_bytes() == (
        b"time,level,running,mode,broken\r\n"
        b"2026-11-20T13:00:00.000+01:00,1.5,1,auto,\r\n"
        b"2026-11-20T13:00:01.250+01:00,2,0,off,1e-07\r\n"
    )
    assert (made.rows, made.gaps, made.size_bytes) == (2, 0, path.stat().st_size)


def test_units_stand_in_the_header_when_they_are_asked_for(kept: Kept) -> None:
    kept.store.describe("press", [Metric("level", "mm"), Metric("a,b", '"')])
    kept.put_values("press", {"level": 1, "a,b": 2, "none": 3})
    kept.store.flush()

    kept.write(kept.folder / "with.csv", HOUR, units=True)
    kept.write(kept.folder / "without.csv", HOUR)

    assert table(kept.folder / "with.csv")[0] == ["time", "level [mm]", 'a,b ["]', "none"]
    assert table(kept.folder / "without.csv")[0] == ["time", "level", "a,b", "none"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=200)
@given(text=TEXTS)
def test_any_text_is_one_cell(text: str) -> None:
    (row,) = csv.reader(io.StringIO(f"a,{cell(text)},b\r\n", newline=""))

    assert row == ["a", text, "b"]


def test_metrics_that_come_and_go_within_the_period_are_columns_of_one_table(kept: Kept) -> None:
    readings: list[dict[str, Value]] = [{"a": 1, "b": 2}, {"a": 3}, {"c": 4, "a": 5}, {"b": None}]
    for values in readings:
        kept.put_values("press", values)
        kept.clock.advance(1)
    kept.store.flush()

    kept.write(kept.folder / "hour.csv", HOUR)

    assert [row[1:] for row in table(kept.folder / "hour.csv")] == [
        ["a", "b", "c"],
        ["1", "2", ""],
        ["3", "", ""],
        ["5", "", "4"],
        ["", "", ""],
    ]


def test_metrics_of_other_times_are_no_columns(kept: Kept) -> None:
    kept.clock.set_wall(NOON_MS - 1)
    kept.put(old=1)
    kept.clock.set_wall(NOON_MS)
    kept.put(now=2)
    kept.clock.set_wall(HOUR.end_ms)
    kept.put(new=3)
    kept.store.flush()

    kept.write(kept.folder / "hour.csv", HOUR)

    assert [row[1:] for row in table(kept.folder / "hour.csv")] == [["now"], ["2"]]


def test_cores_and_processes_of_a_host_are_columns(kept: Kept) -> None:
    values: dict[str, Value] = {
        "cpu_total": 12.5, "core0_usage": 1.5, "core1_usage": 2.5,
        "process1_pid": 7, "process1_name": 'a "b", c', "process1_cpu": 120.0,
    }  # fmt: skip
    kept.put_values("host", values)
    kept.put_values("host", {"cpu_total": 1.0, "core1_usage": 3.0})
    kept.store.flush()

    kept.write(kept.folder / "hour.csv", HOUR, "host")

    header, first, second = table(kept.folder / "hour.csv")
    assert header[1:] == list(values)
    assert first[1:] == ["12.5", "1.5", "2.5", "7", 'a "b", c', "120.0"]
    assert second[1:] == ["1.0", "", "3.0", "", "", ""]


def test_a_period_without_samples_is_a_header(kept: Kept) -> None:
    kept.put(level=1.5, name="x")
    kept.store.flush()

    made = kept.write(kept.folder / "x.csv", Period(0, 1000, "x"))

    assert (made.path.read_bytes(), made.rows) == (b"time,level,name\r\n", 0)


def test_the_manifest_says_what_is_in_the_file(kept: Kept) -> None:
    kept.put()
    kept.store.open_gap("press", NOON_MS - 5000, Reason.TIMEOUT, "no answer")
    kept.store.close_gap("press", NOON_MS + 1000)
    kept.store.open_gap("press", HOUR.end_ms - 1000, Reason.REFUSED)
    kept.store.flush()
    path = kept.folder / "hour.csv"

    kept.write(path, HOUR)

    facts = manifest(path)
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts["file"], facts["device"]) == ("hour.csv", "press")
    assert (facts["rows"], facts["size_bytes"]) == (1, path.stat().st_size)
    assert (facts["start"], facts["end"]) == (
        "2026-11-20T13:00:00.000+01:00",
        "2026-11-20T14:00:00.000+01:00",
    )
    assert [(gap["start"], gap["end"], gap["reason"]) for gap in facts["gaps"]] == [
        ("2026-11-20T13:00:00.000+01:00", "2026-11-20T13:00:01.000+01:00", "timeout"),
        ("2026-11-20T13:59:59.000+01:00", "2026-11-20T14:00:00.000+01:00", "refused"),
    ]


def test_a_report_is_the_same_to_the_byte_when_it_is_made_again(kept: Kept) -> None:
    kept.put(level=0.1, text="ä,b")
    kept.store.open_gap("press", NOON_MS + 5000, Reason.TIMEOUT, "no answer")
    kept.store.flush()
    first = kept.write(kept.folder / "a" / "hour.csv", HOUR)
    kept.clock.set_wall(HOUR.end_ms + 5000)
    kept.put(level=2, other=3)
    kept.restart(in_order=True)
    kept.store.flush()

    second = kept.write(kept.folder / "b" / "hour.csv", HOUR)

    for name in ("hour.csv", "hour.manifest.json"):
        files = [made.path.with_name(name).read_bytes() for made in (first, second)]
        assert files[0] == files[1]


def test_the_manifest_says_what_is_damaged(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level"])
    for start_ms in (NOON_MS - 1000, NOON_MS + 1000, HOUR.end_ms - 1000):
        stamps = range(start_ms, start_ms + 3000, 1000)
        laid.block([At(ts_ms * 1000, ts_ms, (0,), [1.5]) for ts_ms in stamps])
    laid.close()
    damage(laid.path, "block", 1)
    damage(laid.path, "block", 3)

    with Reader(laid.path) as reader:
        made = write(reader, "press", HOUR, tmp_path / "hour.csv", BERLIN)

    assert made.rows == 3
    assert manifest(made.path)["damaged"] == [
        {
            "start": "2026-11-20T13:00:00.000+01:00",
            "end": "2026-11-20T13:00:01.000+01:00",
            "samples": 3,
        },
        {
            "start": "2026-11-20T13:59:59.000+01:00",
            "end": "2026-11-20T13:59:59.999+01:00",
            "samples": 3,
        },
    ]


def test_a_full_disk_leaves_the_old_report_and_nothing_else(kept: Kept) -> None:
    path = kept.folder / "reports" / "hour.csv"
    kept.put(text="x")
    kept.store.flush()
    kept.write(path, HOUR)
    before = path.read_bytes(), manifest(path)
    for _ in range(3000):
        kept.put(text="x" * 1000)
    kept.store.flush()

    with full_disk(1_000_000), pytest.raises(OSError, match=r"large|space"):
        kept.write(path, HOUR)

    assert (path.read_bytes(), manifest(path)) == before
    assert kept.files() == ["hour.csv", "hour.manifest.json"]


def test_memory_stays_flat_however_long_a_report_is(kept: Kept) -> None:
    """Takes two seconds: 50,000 rows are written, stored and reported under tracemalloc."""
    for number in range(50_000):
        kept.clock.advance(0.05)
        kept.put(number=number, a=1.5, b=2.5, mode="auto")
    kept.store.flush()
    tracemalloc.start()
    try:
        made = kept.write(kept.folder / "hour.csv", HOUR)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert made.rows == 50_000
    assert made.size_bytes > peak
    assert peak < 2_000_000


def test_progress_tells_the_rows_so_far(kept: Kept) -> None:
    for _ in range(2000):
        kept.put(text="x" * 500)
    kept.store.flush()
    told: list[int] = []

    kept.write(kept.folder / "hour.csv", HOUR, progress=told.append)

    assert told == sorted(told)
    assert (told[0], told[-1], len(told)) == (0, 2000, 6)


@given(ts_ms=st.integers(0, 4 * 10**12))
def test_a_time_in_a_report_is_exact_to_the_millisecond(ts_ms: int) -> None:
    moment = datetime.fromisoformat(iso(ts_ms, BERLIN))

    assert round(moment.timestamp() * 1000) == ts_ms


def test_a_report_may_be_read_by_others_as_the_umask_says(kept: Kept) -> None:
    kept.put()
    kept.store.flush()
    plain = kept.folder / "plain"
    plain.touch()

    made = kept.write(kept.folder / "hour.csv", HOUR)

    assert made.path.stat().st_mode == Path(plain).stat().st_mode


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", "2026-10-25T02:58:59.999+02:00"),  # the hour that is there twice
        ("Australia/Lord_Howe", "2026-10-04T01:58:59.001+10:30"),  # half an hour goes
        ("Africa/Monrovia", "1972-01-06T23:58:00.500-00:44:30"),  # half a minute off until then
    ],
)
def test_each_row_has_the_local_time_of_its_sample(kept: Kept, zone: str, start: str) -> None:
    first_ms = round(datetime.fromisoformat(start).timestamp() * 1000)
    stamps = [first_ms + step for step in (0, 1, 999, 59_000, 60_000, 61_001, 3_600_000)]
    for ts_ms in stamps:
        kept.clock.set_wall(ts_ms)
        kept.put(level=1)
    kept.store.flush()
    period = Period(first_ms, first_ms + 7_200_000, "two hours")

    with Reader(kept.path) as reader:
        write(reader, "press", period, kept.folder / "times.csv", ZoneInfo(zone))

    rows = (kept.folder / "times.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == [
        iso(ts_ms, ZoneInfo(zone)) for ts_ms in stamps
    ]
