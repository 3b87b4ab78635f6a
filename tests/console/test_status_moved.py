"""``agent status`` tells which samples were stamped before the clock was set."""

import json

from agent.clock import SystemClock
from agent.store.upkeep import Upkeep
from tests.console.commands import Machine
from tests.fakes import FakeClock
from tests.store.stored import Stored

HOUR_MS = 3_600_000


def store_wrong_times(machine: Machine, ago_ms: int) -> None:
    """Two samples of 1970 and one of a clock that is right, some time ago."""
    now_ms = SystemClock().now_ms() - ago_ms
    clock = FakeClock(20_000)
    clock.synchronised = False
    stored = Stored(machine.folder / "data" / "telemetry.db", clock, plain=False)
    for _ in range(2):
        stored.put()
        clock.advance(60)
    clock.set_wall(now_ms)
    clock.synchronised = True
    stored.put()
    stored.store.flush()
    Upkeep(stored.store, clock, 8, {}).run()
    stored.close()


def test_samples_that_got_their_true_time_are_told(machine: Machine) -> None:
    store_wrong_times(machine, HOUR_MS)

    [line] = [
        line for line in machine.run("status").stdout.splitlines() if line.startswith("clock")
    ]

    assert line.startswith("clock    2 samples of press, ")
    assert line.endswith(", were stamped before the clock was set and have their true time now")


def test_the_same_as_json_says_by_how_much_they_were_moved(machine: Machine) -> None:
    store_wrong_times(machine, HOUR_MS)

    facts = json.loads(machine.run("status", "--json").stdout)

    devices = {device["name"]: device for device in facts["devices"]}
    [moved] = devices["press"]["moved"]
    assert moved["samples"] == 2
    assert moved["moved_ms"] > 10**12
    assert "moved" not in devices["host"]


def test_after_a_day_it_is_no_news(machine: Machine) -> None:
    store_wrong_times(machine, 30 * HOUR_MS)

    assert "stamped" not in machine.run("status").stdout
