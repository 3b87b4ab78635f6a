"""``agent import``: what it says before, while and after, and when it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.importing.alone import stop_command
from agent.state import DataLock, StateFile
from tests.importing.loggers import START_S, bench_csv, bench_rows, pi_database, plc_csv, plc_rows
from tests.importing.station import BENCH, HOST, PRESS, Station
from tests.importing.test_loggers import START_MS, seconds

ROOT = Path(__file__).parent.parent.parent


def test_it_says_what_a_file_is_and_what_became_of_it(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 5000, 5))

    result = station.run(path)

    assert result.exit_code == 0
    span = "from 2024-06-10 08:13:20 to 2024-06-10 09:36:35"
    assert result.stdout.splitlines() == [
        f"telemetry.db: Raspberry Pi logger, 1,000 samples of host (new, of kind host) {span}",
        "telemetry.db: 1,000 read, 1,000 stored, 0 known before, 0 in conflict, 0 bad; " + span,
    ]


def test_a_dry_run_writes_nothing(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S])

    result = station.run("--dry-run", path)

    assert result.exit_code == 0
    assert "1 sample of host" in result.stdout
    assert not (station.folder / "data").exists()


def test_files_of_one_name_are_told_apart_by_their_folders(station: Station) -> None:
    paths = [station.folder / folder / "telemetry.db" for folder in ("one", "two")]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        pi_database(path, [START_S + number])

    lines = station.run(*paths).stdout.splitlines()

    for path in paths:
        assert len([line for line in lines if line.startswith(f"{path}: ")]) == 2


def test_as_json_it_says_all_of_it_at_once(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S, START_S + 5])

    dry = json.loads(station.run("--dry-run", "--json", path).stdout)
    done = json.loads(station.run("--json", path).stdout)

    known = {
        "file": str(path), "logger": "Raspberry Pi logger", "device": "host", "kind": "host",
        "samples": 2, "first_ms": START_S * 1000, "last_ms": START_S * 1000 + 5000, "notes": [],
        "error": None,
    }  # fmt: skip
    assert dry == {"files": [known], "dry_run": True}
    counted = {
        "read": 2, "stored": 2, "known": 0, "bad": 0, "in_conflict": 0, "doubtful": 0,
        "bad_rows": [], "in_conflict_rows": [], "doubtful_rows": [],
    }  # fmt: skip
    assert done == {"files": [known | counted], "interrupted": False}


def test_several_files_are_added_up(tmp_path: Path) -> None:
    station = Station(tmp_path, PRESS)
    files = [
        station.file(f"{n}.csv", plc_csv(seconds(5, start_ms=START_MS + 3000 * n), plc_rows(5, n)))
        for n in range(2)
    ]

    result = station.run(*files)

    last = result.stdout.splitlines()[-1]
    assert last == "together: 10 read, 8 stored, 0 known before, 2 in conflict, 0 bad"


def test_while_an_agent_runs_it_says_how_to_stop_it(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S])
    lock = DataLock(station.folder / "data")
    lock.hold()

    refused = station.run(path)
    allowed = station.run("--dry-run", path)

    lock.release()
    assert (refused.exit_code, allowed.exit_code) == (1, 0)
    assert "stop it with: " in refused.stderr
    assert "1 sample of" not in refused.stdout


def test_an_agent_that_was_started_by_hand_is_stopped_by_its_number(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    environ = {"RUNTIME_DIRECTORY": os.environ.get("RUNTIME_DIRECTORY", str(tmp_path))}
    state = StateFile(folder, environ)
    state.write({"pid": os.getpid()})

    command = stop_command(folder)

    state.remove()
    assert command in (f"kill {os.getpid()}", "sudo systemctl stop agent")


def test_it_holds_the_data_folder_while_it_writes(tmp_path: Path) -> None:
    station = Station(tmp_path, HOST)
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S])
    station.counts(path)

    lock = DataLock(station.folder / "data")
    lock.hold()  # it let go at its end
    lock.release()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--kind", "toaster"], "--kind: found 'toaster', this version has the kinds host, s7"),
        (["--device", "1st"], "--device: found '1st', allowed: a letter, then letters"),
        (["--device", "block"], "--device: found 'block', allowed: another, this is a name inside"),
        (["--device", "bench"], "the file is of kind host, bench is of kind benchlab"),
        (["--kind", "benchlab"], "it is of kind host, leave --kind benchlab out"),
    ],
)
def test_a_device_that_can_not_be_is_refused(
    tmp_path: Path, options: list[str], error: str
) -> None:
    station = Station(tmp_path, HOST, BENCH)
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S])

    result = station.run(path, *options)

    assert result.exit_code in (1, 2)
    assert error in result.output
    assert not station.store_path.exists()


def test_several_devices_of_a_kind_have_to_be_told_apart(tmp_path: Path) -> None:
    station = Station(
        tmp_path,
        '[[device]]\nname = "left"\nkind = "benchlab"\nuid = "2C003D001457435735363620"\n',
        '[[device]]\nname = "right"\nkind = "benchlab"\nuid = "2C003D001457435735363621"\n',
    )
    path = station.file("run.csv", bench_csv([START_MS], bench_rows(1)))

    refused = station.run(path)
    result = station.run(path, "--device", "RIGHT")

    assert "several devices of kind benchlab, name one: --device left|right" in refused.output
    assert result.exit_code == 0
    assert len(station.samples("right")) == 1


def test_a_device_that_the_store_knows_is_found_without_a_configuration_of_it(
    tmp_path: Path,
) -> None:
    station = Station(tmp_path)
    station.poll("heizung", "benchlab", (START_MS - 5000, {"SYS_Power": 1.0}))

    (facts,) = station.facts(station.file("run.csv", bench_csv([START_MS], bench_rows(1))))

    assert (facts["device"], len(station.samples("heizung"))) == ("heizung", 2)


def test_a_log_of_a_plc_goes_into_the_device_that_reads_the_same_now(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.poll("press", "modbus", (START_MS - 5000, {"counter": 1}))
    path = station.file("log.csv", plc_csv(seconds(3), plc_rows(3)))

    (facts,) = station.facts(path, "--device", "press")

    assert (facts["kind"], len(station.samples("press"))) == ("modbus", 4)


@pytest.mark.parametrize("name", ["block", "../x", "a b", 7])
def test_a_name_that_a_file_says_is_not_trusted(tmp_path: Path, name: object) -> None:
    station = Station(tmp_path, BENCH)
    text = "time,SYS_Power\r\n2024-06-10T08:13:20.000+02:00,1.5\r\n"
    path = station.file("2024-06-10_daily.csv", text)
    station.file("2024-06-10_daily.manifest.json", json.dumps({"device": name}))

    (facts,) = station.facts(path)

    assert facts["device"] == "bench"


def test_old_samples_come_with_a_warning_of_what_becomes_of_them(station: Station) -> None:
    station.configure(HOST, store="")
    text = (station.folder / "agent.toml").read_text().replace("retention_days = 0", "")
    (station.folder / "agent.toml").write_text(text)
    path = station.folder / "telemetry.db"
    pi_database(path, [1_000_000_000])

    result = station.run("--dry-run", path)

    assert "what is older than 365 days the agent deletes again a week after" in result.stdout


def test_how_many_are_too_old_is_said_at_the_end_and_in_json_too(station: Station) -> None:
    text = (station.folder / "agent.toml").read_text().replace("retention_days = 0", "")
    (station.folder / "agent.toml").write_text(text)
    path = station.folder / "telemetry.db"
    pi_database(path, [1_000_000_000, 1_000_000_005])

    (facts,) = station.facts(path)

    assert any("2 of them are older than 365 days" in note for note in facts["notes"])
    assert "set retention_days in [store] to 0" in station.run(path).stdout


def test_an_import_leaves_no_run_and_no_gap_of_the_agent(station: Station) -> None:
    from agent.store import Reader

    path = station.folder / "telemetry.db"
    pi_database(path, [START_S, START_S + 3600])

    station.counts(path)

    with Reader(station.store_path) as reader:
        assert reader.runs() == []
    assert station.gaps("host") == []


def test_ctrl_c_leaves_what_is_in_and_says_so(tmp_path: Path) -> None:
    station = Station(tmp_path, PRESS)
    path = station.file("log.csv", plc_csv(seconds(3000), plc_rows(3000)))
    script = (
        "import os, signal, sys\n"
        "import agent.importing\n"
        "from agent.cli import main\n"
        "from agent.store.history import History\n"
        "write = History.write\n"
        "def interrupted(self, samples):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return write(self, samples)\n"
        "History.write = interrupted\n"
        "agent.importing.SAMPLES = 1000  # so that there are three writes\n"
        "main(['import', *sys.argv[1:]])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(path), "--config", str(tmp_path / "agent.toml")],
        env={"PYTHONPATH": str(ROOT), "RUNTIME_DIRECTORY": str(tmp_path / "run")},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 130
    assert "1,000 read, 1,000 stored" in done.stdout
    assert "interrupted: what is stored stays, the same command again goes on" in done.stdout
    assert len(station.samples("press")) == 1000


def test_a_disk_that_can_not_be_written_is_exit_code_4(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S])
    (station.folder / "data").mkdir()
    (station.folder / "data" / "telemetry.db").write_bytes(b"no store at all" * 1000)

    result = station.run(path)

    assert result.exit_code == 4
    assert "file is not a database" in result.stderr
