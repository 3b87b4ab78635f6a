"""Gaps in ``agent status``: they end where the agent was last heard of, and none grows without."""

import json
import sqlite3
from zoneinfo import ZoneInfo

import pytest

from agent.clock import SystemClock
from agent.model import Reason, Sample
from agent.reports.rollup import iso
from agent.store import Store
from tests.console.commands import Machine
from tests.console.test_status import line_of, say
from tests.fakes import FakeClock

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def began_ms() -> int:
    """An hour ago, to the second."""
    return SystemClock().now_ms() // 1000 * 1000 - HOUR_MS


def outages(machine: Machine, start_ms: int, count: int = 1) -> None:
    """A run that begins with a sample, has gaps of a minute each, and stops in the last one."""
    clock = FakeClock(start_ms)
    store = Store(machine.folder / "data" / "telemetry.db", clock)
    store.add_device("press", "s7", 1.0)
    store.append(Sample("press", clock.stamp(), {"level": 1}))
    for _ in range(count):
        clock.advance(60)
        store.open_gap("press", clock.now_ms(), Reason.TIMEOUT, "no answer")
    clock.advance(60)
    assert store.flush()
    store.close()


def gaps_as_json(machine: Machine) -> list[dict[str, object]]:
    gaps: list[dict[str, object]] = json.loads(machine.run("status", "--json").stdout)["gaps"]
    return gaps


def test_a_gap_ends_where_the_agent_stopped(machine: Machine) -> None:
    start_ms = began_ms()
    outages(machine, start_ms)

    result = machine.run("status")

    gap = iso(start_ms + MINUTE_MS, BERLIN)[:19]
    line = f"press   {gap}  1 min, until the agent stopped  timeout  no answer"
    assert line in result.stdout.splitlines()
    assert "gaps of the last 24 hours: 1" in result.stdout.splitlines()


def test_gaps_are_json_too(machine: Machine) -> None:
    start_ms = began_ms()
    outages(machine, start_ms)

    assert gaps_as_json(machine) == [
        {
            "device": "press",
            "start": iso(start_ms + MINUTE_MS, BERLIN),
            "end": iso(start_ms + 2 * MINUTE_MS, BERLIN),
            "reason": "timeout",
            "detail": "no answer",
        }
    ]


def test_after_a_crash_a_gap_ends_with_the_newest_sample(machine: Machine) -> None:
    start_ms = began_ms()
    outages(machine, start_ms)
    crash(machine)

    (gap,) = gaps_as_json(machine)

    assert gap["end"] == gap["start"]  # the sample is older still


def test_a_gap_that_ended_long_ago_is_not_shown(machine: Machine) -> None:
    outages(machine, began_ms() - 48 * HOUR_MS)

    facts = json.loads(machine.run("status", "--json").stdout)

    assert facts["gaps"] == []
    assert [device["gaps_24h"] for device in facts["devices"]] == [0, 0]


def test_a_gap_lasts_while_the_agent_runs(machine: Machine) -> None:
    outages(machine, began_ms())
    say(machine)

    text, (gap,) = machine.run("status").stdout, gaps_as_json(machine)

    assert " 59 min" in text
    assert ", lasting" in text
    assert gap["end"] is None


@pytest.mark.parametrize(("count", "shown"), [(10, "10"), (17, "10 of 17 shown")])
def test_it_is_said_how_many_gaps_are_shown(machine: Machine, count: int, shown: str) -> None:
    outages(machine, began_ms(), count)

    lines = machine.run("status").stdout.splitlines()

    at = lines.index(f"gaps of the last 24 hours: {shown}")
    assert len(lines[at + 2 :]) == 10
    assert len(gaps_as_json(machine)) == count


def test_gaps_are_no_cause_to_hide_devices(machine: Machine) -> None:
    outages(machine, began_ms())

    result = machine.run("status")

    assert line_of(result.stdout, "press").split()[:4] == ["press", "s7", "not", "configured"]


def crash(machine: Machine) -> None:
    """Let the store look as it does when nobody ended the run."""
    connection = sqlite3.connect(machine.folder / "data" / "telemetry.db")
    with connection:
        connection.execute("UPDATE run SET end_ms = NULL")
    connection.close()
