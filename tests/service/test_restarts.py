"""Which hung device is worth a restart, and when; over restarts of the process."""

import json
from pathlib import Path

import pytest

from agent.service.restarts import FILE_NAME, Restarts, folder_of
from tests.fakes import FakeClock

HOUR_S = 3600.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def again(folder: Path, clock: FakeClock) -> Restarts:
    """As the next process has it."""
    return Restarts(folder, clock)


def test_a_device_that_never_caused_a_restart_may(tmp_path: Path, clock: FakeClock) -> None:
    assert again(tmp_path, clock).wait_s("plc") == 0


def test_each_restart_in_vain_doubles_the_wait_up_to_a_day(
    tmp_path: Path, clock: FakeClock
) -> None:
    waits_h = []

    for _ in range(8):
        assert again(tmp_path, clock).note(["plc"])
        wait_s = again(tmp_path, clock).wait_s("plc")
        assert wait_s is not None
        waits_h.append(wait_s / HOUR_S)
        clock.advance(wait_s)
        assert again(tmp_path, clock).wait_s("plc") == 0

    assert waits_h == [1, 2, 4, 8, 16, 24, 24, 24]


def test_a_device_that_was_well_for_long_begins_anew(tmp_path: Path, clock: FakeClock) -> None:
    restarts = again(tmp_path, clock)
    restarts.note(["plc"])
    clock.advance(HOUR_S)
    restarts.note(["plc"])

    clock.advance(4 * HOUR_S + 1)
    restarts.note(["plc"])

    assert restarts.wait_s("plc") == HOUR_S


def test_a_restart_that_did_not_come_is_taken_back(tmp_path: Path, clock: FakeClock) -> None:
    again(tmp_path, clock).note(["plc"])
    clock.advance(HOUR_S)
    restarts = again(tmp_path, clock)
    restarts.note(["plc", "meter"])

    restarts.take_back()
    restarts.take_back()

    for each in (restarts, again(tmp_path, clock)):
        assert (each.wait_s("plc"), each.wait_s("meter")) == (0, 0)
    restarts.note(["plc"])
    assert restarts.wait_s("plc") == 2 * HOUR_S


def test_a_restart_that_came_stays_noted_in_the_next_process(
    tmp_path: Path, clock: FakeClock
) -> None:
    again(tmp_path, clock).note(["plc"])

    again(tmp_path, clock).take_back()

    assert again(tmp_path, clock).wait_s("plc") == HOUR_S


def test_restarts_for_different_devices_lie_apart(tmp_path: Path, clock: FakeClock) -> None:
    again(tmp_path, clock).note(["plc"])

    wait_s = again(tmp_path, clock).wait_s("meter")

    assert wait_s == 900


def test_a_step_of_the_wall_clock_changes_no_wait(tmp_path: Path, clock: FakeClock) -> None:
    again(tmp_path, clock).note(["plc"])

    clock.set_wall(clock.now_ms() + 10**12)

    assert again(tmp_path, clock).wait_s("plc") == HOUR_S


def test_another_boot_of_the_machine_begins_anew(tmp_path: Path, clock: FakeClock) -> None:
    again(tmp_path, clock).note(["plc"])

    clock.reboot("boot 2")

    assert again(tmp_path, clock).wait_s("plc") == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "[" * 100_000,
        "null",
        '{"boot_id": "boot 1"}',
        '{"boot_id": "boot 1", "devices": [1]}',
        '{"boot_id": "boot 1", "devices": {"plc": 1}}',
        '{"boot_id": "boot 1", "devices": {"plc": {"at_s": NaN, "count": 1}}}',
        '{"boot_id": "boot 1", "devices": {"plc": {"at_s": 1e999, "count": 1}}}',
        '{"boot_id": "boot 1", "devices": {"plc": {"at_s": 5000, "count": 1}}}',
        '{"boot_id": "boot 1", "devices": {"plc": {"at_s": 1' + "0" * 400 + ', "count": 1}}}',
        '{"boot_id": "boot 1", "devices": {"plc": {"at_s": true, "count": 1}}}',
        '{"boot_id": "boot 1", "devices": {"plc": {"at_s": 999, "count": 0}}}',
        '{"boot_id": "boot 1", "devices": {"plc": {"at_s": 999, "count": "1"}}}',
    ],
)
def test_a_file_of_no_sense_counts_as_none(text: str, tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / FILE_NAME).write_text(text)

    assert again(tmp_path, clock).wait_s("plc") == 0


def test_a_count_beyond_all_bounds_waits_a_day(tmp_path: Path, clock: FakeClock) -> None:
    entry = {"at_s": clock.monotonic(), "count": 10**300}
    text = json.dumps({"boot_id": clock.boot_id, "devices": {"plc": entry}})
    (tmp_path / FILE_NAME).write_text(text)

    assert again(tmp_path, clock).wait_s("plc") == 24 * HOUR_S


def test_without_a_folder_that_is_kept_no_device_is_worth_a_restart(clock: FakeClock) -> None:
    assert Restarts(None, clock).wait_s("plc") is None


def test_a_folder_that_cannot_be_written_is_said_once_and_no_device_is_worth_a_restart(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    restarts = again(tmp_path / "nothing here", clock)

    assert not restarts.note(["plc"])

    assert restarts.wait_s("plc") is None
    (record,) = caplog.records
    assert "nothing here" in record.getMessage()


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, None),
        ({"RUNTIME_DIRECTORY": ""}, None),
        ({"RUNTIME_DIRECTORY": "/run/agent"}, Path("/run/agent")),
        ({"RUNTIME_DIRECTORY": "/run/agent:/run/more"}, Path("/run/agent")),
    ],
)
def test_the_folder_is_the_first_that_systemd_names(
    environ: dict[str, str], folder: Path | None
) -> None:
    assert folder_of(environ) == folder
