"""``agent store info``: how large the store is and will be, the agent running or not."""

import json
import re
from typing import Any

from agent.clock import SystemClock
from tests.console.commands import Machine
from tests.console.test_status import line_of, say
from tests.fakes import FakeClock
from tests.store.filled import DAY_MS, Filled

DAYS = 30


def fill(machine: Machine, days: int = DAYS) -> None:
    """A block a day of each device, the last of today by the machine's own clock."""
    now_ms = SystemClock().now_ms()
    path = machine.folder / "data" / "telemetry.db"
    path.parent.mkdir()
    filled = Filled(path, FakeClock(now_ms))
    filled.put_blocks(
        (device, now_ms - day * DAY_MS, 100, 1000)
        for day in range(days, 0, -1)
        for device in ("press", "oven")
    )
    filled.close()


def facts(machine: Machine) -> Any:
    return json.loads(machine.run("store", "info", "--json").stdout)


def test_what_each_device_takes_up_is_a_table(machine: Machine) -> None:
    fill(machine)

    result = machine.run("store", "info")

    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(
        r"oven +blocks +3,001 +3,001 +20\d\d-\d\d-\d\d +20\S+ +\d+ kB +\d+\.\d+ B +\d+\.\d kB",
        line_of(result.stdout, "oven"),
    )
    assert re.match(
        r"\d+ d", line_of(result.stdout, "a day is").removeprefix("a day is measured over ")
    )
    assert max(len(line) for line in result.stdout.splitlines()[1:]) <= 100
    assert "not running: bytes written and the loss bound are shown" in result.stdout
    assert line_of(result.stdout, "store").endswith("format 2, pages of 1,024 bytes")


def test_what_is_to_come_is_told(machine: Machine) -> None:
    fill(machine)
    machine.configure("[store]\nretention_days = 100\nmax_size_mb = 5000\n", machine.host_table())

    text = machine.run("store", "info").stdout

    assert re.match(r"kept +100 days, then the store has about \d", line_of(text, "kept"))
    assert "max_size_mb is 5,000" in text
    assert line_of(text, "growth").endswith(" a day: there is room for all that is to be kept")
    assert "max_disk_percent is 90" in line_of(text, "disk")


def test_the_limit_that_is_met_first_is_named(machine: Machine) -> None:
    fill(machine)
    machine.configure("[store]\nmax_size_mb = 50\nretention_days = 0\n", machine.host_table())

    text = machine.run("store", "info").stdout

    assert re.search(
        r": max_size_mb is reached in .*, then the oldest samples are deleted",
        line_of(text, "growth"),
    )
    assert facts(machine)["limit_met_first"] == "max_size_mb"


def test_as_json_it_has_all_of_it(machine: Machine) -> None:
    fill(machine)

    found = facts(machine)

    assert found["running"] is False
    assert found["written"] is None
    assert (found["format"], found["page_bytes"], found["is_exact"]) == (2, 1024, True)
    assert found["samples"] == sum(device["samples"] for device in found["devices"])
    assert [device["device"] for device in found["devices"]] == ["host", "oven", "press", "pump"]
    oven = found["devices"][1]
    assert oven["bytes"] == sum(
        oven[f"bytes_in_{form}"] for form in ("rows", "batches", "blocks", "sums")
    )
    assert oven["growth_measured_in"] == "blocks"
    assert found["bytes_at_retention"] > found["growth_bytes_a_day"] * 300


def test_a_running_agent_tells_what_it_wrote_and_what_a_power_cut_costs(
    machine: Machine,
) -> None:
    fill(machine, 1)
    now_ms = SystemClock().now_ms()
    written = {"today_bytes": 5_000_000, "today_since_ms": now_ms, "since_start_bytes": 70_000_000}
    note = "the disk is 93.0 % full, max_disk_percent is 90: the oldest samples are deleted"
    store = {"power_cut_s": 10.0, "killed_s": 0.0, "journal": "/run/agent"}
    started = {"started_ms": now_ms - 2 * DAY_MS}
    say(machine, written=written, space=[note], store=store, **started)

    text = machine.run("store", "info").stdout
    found = facts(machine)

    assert re.match(
        r"written +about 5.0 MB to the disk today since \d\d:\d\d, "
        r"70.0 MB since the agent started 2 d ago",
        line_of(text, "written"),
    )
    assert line_of(text, "loss").endswith(
        "a power cut costs at most the last 10 s, a killed process nothing"
    )
    assert note in text
    assert (found["running"], found["notes"], found["written"]) == (True, [note], written)
    assert (found["power_cut_s"], found["killed_s"]) == (10.0, 0.0)


def test_status_tells_what_there_is_to_say_of_room(machine: Machine) -> None:
    fill(machine, 1)
    note = "the disk is 93.0 % full, max_disk_percent is 90: the oldest samples are deleted"
    say(machine, space=[note])

    assert f"         {note}" in machine.run("status").stdout.splitlines()


def test_an_agent_of_another_version_may_say_less(machine: Machine) -> None:
    fill(machine, 1)
    say(machine)

    assert machine.run("store", "info").exit_code == 0
    assert facts(machine)["written"] is None


def test_without_a_store_that_is_said(machine: Machine) -> None:
    result = machine.run("store", "info")

    assert result.exit_code == 4
    assert "there is no store yet, start the agent with: agent run" in result.stderr
