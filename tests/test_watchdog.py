"""When systemd's watchdog is fed, and what is said when it is not; by a clock of the test."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.service.restarts import FILE_NAME
from tests.service.listener import Listener
from tests.watchdog_bench import BOUND_S, HOUR_S, WATCHDOG_S, Bench


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Listener]:
    with Listener(tmp_path / "notify") as listener:
        yield listener


@pytest.fixture
def bench(tmp_path: Path, systemd: Listener) -> Iterator[Bench]:
    with Bench(tmp_path, systemd, WATCHDOG_S) as bench:
        yield bench


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The first lines of what was logged as an error."""
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    return [record.getMessage().splitlines()[0] for record in errors]


def test_while_all_goes_on_the_watchdog_is_fed_three_times_in_its_time(bench: Bench) -> None:
    assert bench.fed_in(WATCHDOG_S) == 3


@pytest.mark.parametrize("watchdog_s", [0.3, 3.0, 60.0, 3600.0])
def test_between_two_feedings_lies_at_most_a_third_of_the_watchdogs_time(
    watchdog_s: float, tmp_path: Path, systemd: Listener
) -> None:
    with Bench(tmp_path, systemd, watchdog_s) as bench:
        assert all(bench.fed_in(watchdog_s / 3) for _ in range(20))


def test_the_watchdog_is_fed_from_when_the_agent_is_ready(bench: Bench) -> None:
    bench.watchdog.ready()

    assert bench.systemd.lines == [
        "STATUS=1 of 1 device well; 0 rows stored",
        "READY=1",
        "WATCHDOG=1",
    ]


def test_a_systemd_that_was_too_busy_to_listen_is_told_again(bench: Bench) -> None:
    for _ in range(1000):  # more than its queue takes
        bench.watchdog.stopping(1)
    bench.clock.advance(WATCHDOG_S / 3)
    bench.watchdog.look()
    before = len(bench.systemd.lines)

    bench.watchdog.look()

    assert bench.systemd.lines[before:] == ["WATCHDOG=1"]


@pytest.mark.parametrize("name", ["scheduler", "store"])
def test_a_hung_scheduler_or_store_is_not_fed_over_and_said_once_with_its_stack(
    name: str, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.hang(name)
    bench.pass_time(BOUND_S)
    before = len(caplog.records)

    assert bench.fed_in(10 * WATCHDOG_S) == 0

    assert before == 0
    assert messages(caplog) == [
        f"{name} hangs for 30 s; the watchdog is not fed, so that systemd restarts the agent"
    ]
    assert "tests/test_watchdog.py" in caplog.records[0].getMessage()


def test_a_part_that_goes_on_before_systemd_acts_is_forgiven(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.hang("scheduler")
    bench.pass_time(BOUND_S + 5)

    bench.since_s["scheduler"] = None

    assert bench.fed_in(WATCHDOG_S) == 3
    assert caplog.records[-1].getMessage() == "scheduler goes on again, it hung for more than 35 s"


def test_a_hung_device_is_worth_one_restart(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.hang("plc")

    bench.pass_time(BOUND_S + 1)

    assert bench.fed_in(10 * WATCHDOG_S) == 0
    assert messages(caplog) == [
        "plc hangs for 30 s; the watchdog is not fed, so that systemd restarts the agent"
    ]
    assert caplog.records[0].__dict__["device"] == "plc"


def test_a_device_that_goes_on_before_systemd_acts_is_charged_with_no_restart(
    bench: Bench,
) -> None:
    bench.hang("plc")
    bench.pass_time(BOUND_S + 5)
    bench.since_s["plc"] = None
    assert bench.fed_in(WATCHDOG_S) == 3

    bench.hang("plc")
    bench.pass_time(BOUND_S + 1)

    assert bench.fed_in(WATCHDOG_S) == 0


def test_a_device_that_goes_on_while_another_part_still_hangs_stays_charged(bench: Bench) -> None:
    bench.hang("plc")
    bench.hang("scheduler")
    bench.pass_time(BOUND_S + 5)
    bench.since_s["plc"] = None
    bench.pass_time(5)
    bench.start()

    bench.hang("plc")

    assert bench.fed_in(HOUR_S / 2) >= 85


def test_a_device_that_a_restart_did_not_cure_is_only_reported_for_an_hour(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.hang("plc")
    bench.pass_time(BOUND_S + 1)
    bench.start()
    caplog.clear()

    bench.hang("plc")

    assert bench.fed_in(HOUR_S - 2 * BOUND_S) >= 170
    assert messages(caplog) == [
        "plc hangs for 30 s; a restart did not help or would cost the other devices too much, "
        "they go on; the next may come in 59 min 29 s"
    ]
    bench.pass_time(2 * BOUND_S)
    assert bench.fed_in(WATCHDOG_S) == 0
    assert messages(caplog)[1:] == [
        "plc hangs for 3600 s; the watchdog is not fed, so that systemd restarts the agent"
    ]


def test_without_a_place_to_remember_it_a_hung_device_is_only_reported(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).mkdir()

    bench.hang("plc")
    bench.pass_time(BOUND_S)

    assert bench.fed_in(WATCHDOG_S) == 3
    assert messages(caplog) == [
        "plc hangs for 30 s; the other devices go on; restart the agent if it does not"
    ]


def test_a_hung_device_that_may_cause_no_restart_hides_no_hung_scheduler(bench: Bench) -> None:
    bench.hang("plc")
    bench.pass_time(BOUND_S + 1)
    bench.start()
    bench.hang("plc")
    bench.pass_time(BOUND_S + 1)

    bench.hang("scheduler")
    bench.pass_time(BOUND_S + 1)

    assert bench.fed_in(WATCHDOG_S) == 0


def test_without_a_watchdog_a_hang_is_said_and_costs_no_restart_later(
    tmp_path: Path, systemd: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    with Bench(tmp_path, systemd, None) as bench:
        bench.hang("plc")

        heard = bench.pass_time(BOUND_S + 5)

    assert "WATCHDOG=1" not in heard
    assert messages(caplog) == ["plc hangs for 30 s; restart the agent if it does not go on"]
    assert not (tmp_path / FILE_NAME).exists()


def test_what_hangs_is_in_the_state_and_in_the_status(bench: Bench) -> None:
    bench.hang("plc")
    heard = bench.pass_time(BOUND_S + 5)

    assert bench.watchdog.state() == [
        {
            "part": "device",
            "device": "plc",
            "for_s": 35.0,
            "text": "plc hangs for 35 s",
            "restart": True,
        }
    ]
    assert heard[-1] == "STATUS=plc HANGS; 1 of 1 device well; 0 rows stored"


def test_only_devices_are_among_the_hanging_devices(bench: Bench) -> None:
    bench.hang("scheduler")
    bench.hang("plc")

    bench.pass_time(BOUND_S + 5)

    assert bench.watchdog.hanging_devices == ["plc"]


def test_the_status_follows_a_change_soon_and_mere_numbers_seldom(bench: Bench) -> None:
    heard = []
    for _ in range(20):
        bench.rows += 1
        heard += bench.pass_time(1)
    bench.condition = "0 of 1 device well"
    changed = bench.pass_time(2.5)

    assert len([line for line in heard if line.startswith("STATUS=")]) == 2
    assert [line for line in changed if line.startswith("STATUS=")] == [
        "STATUS=0 of 1 device well; 20 rows stored"
    ]


def test_at_the_end_systemd_hears_how_long_it_may_take(bench: Bench) -> None:
    bench.watchdog.stopping(12)

    assert bench.systemd.lines[-3:] == [
        "STOPPING=1",
        "STATUS=stopping: storing what waits",
        "EXTEND_TIMEOUT_USEC=12000000",
    ]
