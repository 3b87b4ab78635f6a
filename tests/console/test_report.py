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
        (
            "--from 0001-01-01 --to 2026-11-20 --timezone Asia/Tokyo",
            "--from '0001-01-01' or --to '2026-11-20' is too far away",
        ),
        ("--from 0001-01-01 --timezone Asia/Tokyo", "--from '0001-01-01' is too far away"),
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


def test_an_unknown_device_is_exit_code_2(machine: Machine) -> None:
    machine.store({"level": 1})

    result = machine.run("report", "--daily", "nope")

    assert result.exit_code == 2
    assert "no device 'nope', there is: host, press" in result.stderr


def test_all_reports_that_can_be_made_are_when_one_can_not(machine: Machine) -> None:
    for device in ("apress", "press", "zpress"):
        machine.store({"level": 1}, device=device)
    folder = machine.folder / "data" / "reports"
    folder.mkdir()
    for device in ("apress", "zpress"):
        (folder / device).write_text("in the way")

    result = machine.run("report", "--daily")

    assert result.exit_code == 1
    assert result.stdout.startswith(f"{folder / 'press' / 'daily'}")
    lines = result.stderr.splitlines()
    assert [line.split("/reports/")[1].split("/")[0] for line in lines] == ["apress", "zpress"]
    assert all(line.startswith("error: cannot write ") for line in lines)


def test_a_daily_report_is_a_file_in_its_folder(machine: Machine) -> None:
    machine.store({"level": 1.5})

    result = machine.run("report", "--daily")

    (path,) = (machine.folder / "data" / "reports" / "press" / "daily").glob("*_daily.csv")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{path}  1 row, ")
    assert path.read_text().splitlines()[0] == "time,level"


def test_that_nothing_is_stored_of_a_time_is_said(machine: Machine) -> None:
    machine.store({"level": 1.5})

    result = machine.run("report", "--from", "2020-01-01", "--to", "2020-01-02")

    assert result.exit_code == 0
    assert ".csv  nothing is stored of that time, " in result.stdout


def test_a_report_goes_where_it_is_wanted_with_units(machine: Machine) -> None:
    machine.store({"level": 1.5}, Metric("level", "%"))
    path = machine.folder / "press.csv"

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


def test_a_report_replaces_neither_the_store_nor_the_configuration(machine: Machine) -> None:
    machine.store({"level": 1.5})
    data = machine.folder / "data"
    paths = [machine.config, *(data / f"telemetry.db{end}" for end in ("", "-wal", "-shm"))]
    paths.append(data / "agent.lock")
    before = [path.read_bytes() if path.exists() else None for path in paths]

    results = [machine.run("report", "press", "--daily", "-o", str(path)) for path in paths]

    assert [(result.exit_code, result.stdout) for result in results] == [(2, "")] * 5
    assert [path.read_bytes() if path.exists() else None for path in paths] == before
    assert results[0].stderr == (
        f"error: --output: found '{machine.config}', which is the configuration, "
        "allowed: another file\n"
    )


@pytest.mark.parametrize("is_symbolic", [True, False])
def test_a_link_to_the_store_is_the_store(machine: Machine, is_symbolic: bool) -> None:
    machine.store({"level": 1.5})
    store, link = machine.folder / "data" / "telemetry.db", machine.folder / "link.csv"
    (link.symlink_to if is_symbolic else link.hardlink_to)(store)

    result = machine.run("report", "press", "--daily", "-o", str(link))

    assert result.exit_code == 2
    assert f"--output: found '{link}', which is the store, allowed: another" in result.stderr


@pytest.mark.parametrize(
    ("name", "exit_code"), [("a.csv", 0), ("a.CSV", 0), ("a.txt", 0), ("a.md", 2), ("a", 2)]
)
def test_only_tables_and_texts_are_replaced(machine: Machine, name: str, exit_code: int) -> None:
    machine.store({"level": 1.5})
    path = machine.folder / name
    path.write_text("mine")

    result = machine.run("report", "press", "--weekly", "--output", str(path))

    assert result.exit_code == exit_code
    assert (path.read_text() == "mine") == bool(exit_code)
    assert not exit_code or result.stderr == (
        f"error: --output: found '{path}', which is there already, allowed: a new file, or one "
        "to replace that ends in .csv or .txt\n"
    )


def test_a_folder_that_is_not_there_is_named_and_not_made(machine: Machine) -> None:
    machine.store({"level": 1.5})
    path = machine.folder / "none" / "out.csv"

    result = machine.run("report", "press", "--daily", "-o", str(path))

    assert result.exit_code == 2
    assert f"but there is no folder '{path.parent}', make it first" in result.stderr
    assert not path.parent.exists()


def test_standard_output_takes_no_report(machine: Machine) -> None:
    machine.store({"level": 1.5})

    result = machine.run("report", "press", "--daily", "-o", "-")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "found '-', allowed: a file, standard output takes no report" in result.stderr
    assert not Path("-").exists()
