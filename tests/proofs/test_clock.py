"""The wall clock may jump: no poll is missed or made twice, nothing stalls, nothing is deleted."""

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import attrs
import pytest

from agent.model import Sample, Stamp
from agent.store import Store
from hw_sim.s7 import S7Simulator
from tests.agent_process import (
    AgentProcess,
    host_device,
    plcs,
    s7_device,
    wait_for,
    write_config,
)
from tests.proofs.fake_wall import ProcessWall, SettableClock, berlin_ms, libfaketime
from tests.proofs.stored import Row, missed_and_doubled, reading, rows_of

pytestmark = pytest.mark.timeout(600)  # the long forms take up to 2 minutes, others seconds

PLC_S, HOST_S = 0.2, 1.0
DEVICES = 2
SEEN = "the clock was set"
TIMEOUT_S = 0.6  # reports wait for twice as long, for polls that began before their time
DAY_MS = 86_400_000
BURST_S = 3.0  # of CPU above what polling takes: the burst of a plain scheduler took 37 s
CPU_SHARE = 0.5  # of a core; the faked clock alone costs 0.1 to 0.2
OLD_ROWS = 50
LATE_MS = 200  # the machine may be busy with the other tests
REPORT_AT = "07:00"
LIBRARY = libfaketime()
needs_libfaketime = pytest.mark.skipif(
    LIBRARY is None, reason="libfaketime is not installed (apt install libfaketime)"
)


@attrs.frozen
class Step:
    """What happens to the wall clock: it is set to a local time, or by so many ms."""

    name: str
    to: str = ""
    by_ms: int = 0
    report: str = ""  # of which day one becomes due


STEPS = (
    Step("a clock that was never set", to="1970-01-01 01:00:05"),
    Step("today, just before a report is due", to="2027-02-10 06:59:57.5", report="2027-02-10"),
    Step("three days ahead", by_ms=3 * DAY_MS),
    Step("an hour back", by_ms=-3_600_000),
    Step("a year ahead", by_ms=365 * DAY_MS),
    Step("into summer time", to="2028-03-26 01:59:58"),
    Step("the report of the day with 23 hours", to="2028-03-26 06:59:58.9", report="2028-03-26"),
    Step("out of summer time", to="2028-10-29 02:59:58"),
    Step("the report of the day with 25 hours", to="2028-10-29 06:59:58.9", report="2028-10-29"),
)
REPORTS = {"2027-02-10": 24, "2028-03-26": 23, "2028-10-29": 25}  # hours


@attrs.frozen
class Stretch:
    """What the agent did between two steps of the clock."""

    step: Step
    lasted_s: float
    cpu_s: float


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with plcs(1) as [simulator]:
        yield simulator


@needs_libfaketime
@pytest.mark.parametrize(
    "stretch_s",
    [pytest.param(0.3, id="short"), pytest.param(10.0, id="long", marks=pytest.mark.slow)],
)
def test_no_poll_is_missed_or_doubled_by_any_step_of_the_wall_clock(
    stretch_s: float, plc: S7Simulator, tmp_path: Path
) -> None:
    assert LIBRARY is not None
    wall = ProcessWall(tmp_path, LIBRARY)
    config = write_config(
        tmp_path,
        [
            s7_device("plc", plc.port, interval_s=PLC_S, timeout_s=TIMEOUT_S),
            host_device(HOST_S, TIMEOUT_S),
        ],
        store="flush_interval_s = 0.2\nretention_days = 365",
        reports=f'time = "{REPORT_AT}"\nweekly = false\nkeep_days = 30',
    )
    path = tmp_path / "data" / "telemetry.db"
    old_report = put_old_data(tmp_path, berlin_ms("2025-01-20 12:00:00"))

    wall.set(berlin_ms(STEPS[0].to))
    with AgentProcess(config, env=wall.env) as agent:
        wait_for(lambda: len(rows_of(path, "plc")) > OLD_ROWS, what="the first row")
        stretches = [stretch_after(step, agent, wall, stretch_s) for step in STEPS]
        left_out = left_out_of(agent)
        code, _ = agent.stop()

    assert code == 0
    assert_polls_on_the_grid(rows_of(path, "plc")[OLD_ROWS:], PLC_S, left_out["plc"])
    assert_polls_on_the_grid(rows_of(path, table="host_row"), HOST_S, left_out["host"])
    assert_keys_are_unique_and_rise(path)
    bursts = {s.step.name: s.cpu_s for s in stretches if s.cpu_s > s.lasted_s * CPU_SHARE + BURST_S}
    assert bursts == {}
    assert len(rows_of(path, "plc")[:OLD_ROWS]) == OLD_ROWS
    assert rows_of(path, "plc")[0].ts_ms == berlin_ms("2025-01-20 12:00:00")
    assert old_report.exists()
    assert "deleting" not in agent.log
    assert_each_report_was_made_once(agent, tmp_path)
    assert len(agent.lines(SEEN)) == len(STEPS) - 1


def put_old_data(folder: Path, ts_ms: int) -> Path:
    """Rows that are two years old and more at the end, and a roll-up of their day."""
    clock = SettableClock(ts_ms)
    store = Store(folder / "data" / "telemetry.db", clock)
    store.add_device("plc", "s7", PLC_S)
    for number in range(OLD_ROWS):
        stamp = Stamp(ts_ms + number, clock.stamp().monotonic_ms + number)
        store.append(Sample("plc", stamp, {"counter": number, "level": 0.5}))
    store.close()
    report = folder / "data" / "reports" / "plc" / "daily" / "2025-01-20_daily.csv"
    report.parent.mkdir(parents=True)
    report.write_text("time,counter,level\r\n")
    return report


def stretch_after(step: Step, agent: AgentProcess, wall: ProcessWall, lasts_s: float) -> Stretch:
    """Move the clock, and let the agent go on for a while after it has seen that."""
    began_s, cpu_s = time.monotonic(), agent.cpu_s()
    if step is not STEPS[0]:
        seen = len(agent.lines(SEEN))
        wall.set(berlin_ms(step.to)) if step.to else wall.step(step.by_ms)
        wait_for(lambda: len(agent.lines(SEEN)) > seen, what=step.name)
    seen_s = time.monotonic()
    wait_for(lambda: time.monotonic() >= seen_s + lasts_s)
    if step.report:
        wait_for(lambda: len(agent.lines(f"/{step.report}_daily")) == DEVICES, what=step.report)
    return Stretch(step, time.monotonic() - began_s, agent.cpu_s() - cpu_s)


def left_out_of(agent: AgentProcess) -> dict[str, int]:
    """Polls that a busy machine left out, as the agent itself counts them, by device."""
    devices = agent.fresh_state()["devices"]
    assert {device["failures"] for device in devices} == {0}
    return {device["name"]: device["late"] + device["overruns"] for device in devices}


def assert_polls_on_the_grid(rows: Sequence[Row], interval_s: float, left_out: int) -> None:
    """As many polls as the monotonic clock asks for, and none far from its neighbours."""
    missed, doubled = missed_and_doubled(rows, interval_s)
    pauses = [b.monotonic_ms - a.monotonic_ms for a, b in itertools.pairwise(rows)]

    assert doubled <= 1
    assert missed <= left_out + 1
    # A poll that is late by less than an interval is neither missed nor counted as left out.
    assert max(pauses) < interval_s * 1000 * (2 + left_out) + LATE_MS
    assert min(pauses) > 0


def assert_keys_are_unique_and_rise(path: Path) -> None:
    """In the order in which the polls were made, of all samples of a device."""
    for table in ("row", "host_row"):
        rows = rows_of(path, table=table)
        of_run = [row for row in rows if row.device == "host"] or rows[OLD_ROWS:]
        times = [row.monotonic_ms for row in of_run]
        assert times == sorted(times)
        assert len({row.key for row in rows}) == len(rows)
    with reading(path) as connection:
        seconds = [ts for (ts,) in connection.execute("SELECT ts FROM system_sample")]
    assert sorted(set(seconds)) == sorted(seconds)
    assert len(seconds) == len(rows)


def assert_each_report_was_made_once(agent: AgentProcess, folder: Path) -> None:
    """For the days whose time of the report passed, with the hours that such a day has.

    Days that the clock jumped over have one too, where a sample lies in them.
    """
    for device in ("plc", "host"):
        made = [line for line in agent.lines("report: ") if f"/{device}/" in line]
        reports = folder / "data" / "reports" / device / "daily"
        files = [path.stem for path in reports.glob("*_daily.csv") if path.stem[:4] != "2025"]
        assert sorted(line.partition("daily/")[2][:10] for line in made) == sorted(
            stem[:10] for stem in files
        )
        for day, hours in REPORTS.items():
            manifest = json.loads((reports / f"{day}_daily.manifest.json").read_text())
            start_ms, end_ms = berlin_ms(manifest["start"]), berlin_ms(manifest["end"])
            assert (end_ms - start_ms) / 3_600_000 == hours
            assert manifest["rows"] > 0
            assert date.fromisoformat(manifest["end"][:10]) == date.fromisoformat(day)
