"""``agent report``: which options go together, and what is written."""

import json
from pathlib import Path

import pytest

from agent.model import Metric
from tests.console.commands import Machine, in_shell

WHICH = "say which report: --daily, --weekly, or --from TIME [--to TIME]"
DATE = "allowed: a date such as 2026-11-20"
MOMENT = "allowed: a date or time such as 2026-11-20 or 2026-11-20T07:00"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("", WHICH),
        ("press", WHICH),
        ("--to 2026-11-20", WHICH),
        ("--calendar", WHICH),
        ("--daily --from 2026-11-20", WHICH),
        ("--daily --weekly", "--daily or --weekly, one at a time"),
        ("--daily --to 2026-11-20", "--to goes with --from"),
        ("--from 2026-11-20 --date 2026-11-20", "--date and --calendar go with --daily or"),
        ("--from 2026-11-20 --calendar", "--date and --calendar go with --daily or --weekly"),
        ("--from 2026-11-20 --no-calendar", "--date and --calendar go with --daily or --weekly"),
        ("--from 2026-11-20 --to 2026-11-20", "--from is not before --to"),
        ("--from 2026-11-20 --to 2026-11-19", "--from is not before --to"),
        ("--from yesterday", f"--from: found 'yesterday', {MOMENT}"),
        ("--from ''", f"--from: found '', {MOMENT}"),
        ("--from 2026-11-20 --to 25:00", f"--to: found '25:00', {MOMENT}"),
        ("--from 0001-01-01 --to 2026-11-20 --timezone Asia/Tokyo", "is too far away"),
        ("--daily --date 20.11.2026", f"--date: found '20.11.2026', {DATE}"),
        ("--daily --date 2026-02-30", f"--date: found '2026-02-30', {DATE}"),
        ("--daily --date 0001-01-01", f"--date: found '0001-01-01', {DATE}"),
        ("--daily --calendar --date 9999-12-31", f"--date: found '9999-12-31', {DATE}"),
        (
            "--daily --timezone Europe/Berln",
            "--timezone: found 'Europe/Berln', allowed: \"local\" or a name such as "
            "\"Europe/Berlin\", did you mean 'Europe/Berlin'?",
        ),
        ("--daily --output x.csv", "--output takes one device"),
        ("--daily --output x.csv press host", "--output takes one device"),
        ("--daily --output /dev/null press", "--output: found '/dev/null', allowed: a file"),
        ("--daily --output . press", "File '.' is a directory"),
    ],
)
def test_wrong_options_are_exit_code_2(machine: Machine, options: str, error: str) -> None:
    words = [word.strip("'") for word in options.split()]

    result = machine.run("report", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert error in result.stderr


@pytest.mark.parametrize("options", [["--daily"], ["--weekly", "press"], ["--from", "2026-11-20"]])
def test_without_a_store_it_is_exit_code_4(machine: Machine, options: list[str]) -> None:
    result = machine.run("report", *options)

    assert result.exit_code == 4
    assert result.stderr == (
        f"error: {machine.folder}/data/telemetry.db: there is no store yet, "
        "start the agent with: agent run\n"
    )


def test_a_device_without_data_is_exit_code_4(machine: Machine) -> None:
    machine.store({"level": 1})

    result = machine.run("report", "--daily", "host")

    assert result.exit_code == 4
    assert "no device 'host' has data, there is: press" in result.stderr


def test_a_daily_report_is_a_file_in_its_folder(machine: Machine) -> None:
    machine.store({"level": 1.5})

    result = machine.run("report", "--daily")

    (path,) = (machine.folder / "data" / "reports" / "press" / "daily").glob("*_daily.csv")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{path}  1 rows, ")
    assert path.read_text().splitlines()[0] == "time,level"


def test_a_report_goes_where_it_is_wanted_with_units(machine: Machine) -> None:
    machine.store({"level": 1.5}, Metric("level", "%"))
    path = machine.folder / "out" / "press.csv"

    result = machine.run(
        "report", "PRESS", "--from", "2020-01-01", "--units", "--output", str(path)
    )

    assert result.exit_code == 0
    assert path.read_text().splitlines()[0] == "time,level [%]"


def test_a_report_replaces_what_a_link_leads_to(machine: Machine) -> None:
    machine.store({"level": 1.5})
    target, link = machine.folder / "target.csv", machine.folder / "link.csv"
    target.touch()
    link.symlink_to(target)

    machine.run("report", "press", "--weekly", "--output", str(link))

    assert link.is_symlink()
    assert target.read_text().startswith("time,level")


def test_what_was_made_is_json_too(machine: Machine) -> None:
    machine.store({"level": 1.5})
    path = machine.folder / "press.csv"

    result = machine.run("report", "press", "--weekly", "--output", str(path), "--json")

    (made,) = json.loads(result.stdout)
    assert (made["device"], made["path"], made["rows"]) == ("press", str(path), 1)
    assert made["size_bytes"] == path.stat().st_size


def test_a_store_without_devices_has_nothing_to_report(machine: Machine) -> None:
    machine.store({"level": 1}, device="press")
    machine.run("report", "--daily")

    result = machine.run("report", "--from", "2020-01-01", "--to", "2020-01-02")

    assert result.exit_code == 0


def test_the_terminal_is_never_replaced_by_a_report(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.store({"level": 1.5})

    result = in_shell("agent report press --weekly --output /dev/stdout | cat", tmp_path)

    assert "--output: found '/dev/stdout', allowed: a file, which is replaced" in result.stderr
    assert Path("/dev/stdout").is_symlink()
