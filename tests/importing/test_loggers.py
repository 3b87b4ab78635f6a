"""The CSV files of all five loggers, and our own roll-ups, become the histories of devices."""

from pathlib import Path

import pytest

from agent.model import Metric, MetricType, Value
from tests.importing.loggers import (
    START_S,
    bench_csv,
    bench_rows,
    cooler_csv,
    cooler_rows,
    local,
    pi_database,
    plc_csv,
    plc_rows,
    timed,
)
from tests.importing.station import BENCH, COOLER, PRESS, Station, typed
from tests.store.stored import needs_shell, shell

START_MS = START_S * 1000
TRAINING = "SELECT * FROM training_view ORDER BY ts"
TRAINING_COLUMNS = (
    "ts,cpu_total,cpu_freq,load1,load5,load15,voltage,current,power,battery_pct,watts,"
    "drain_mah_per_min,charge_mah_per_min"
)


def seconds(count: int, step_ms: int = 1000, start_ms: int = START_MS) -> list[int]:
    return [start_ms + step_ms * number for number in range(count)]


def training_csv(path: Path) -> str:
    """What the shell writes: 15 digits of a number."""
    return shell(path, TRAINING, "-header", "-csv")


def test_a_run_of_a_board(tmp_path: Path) -> None:
    station = Station(tmp_path, BENCH)
    times, rows = seconds(200, 250), bench_rows(200)
    path = station.file("run.csv", bench_csv(times, rows))

    (facts,) = station.facts(path)

    assert (facts["logger"], facts["device"], facts["stored"]) == ("BENCHLAB logger", "bench", 200)
    assert typed(station.samples("bench")) == typed(timed(times, rows))
    assert station.metrics("bench")["Fan1_RPM"].unit == "RPM"


def test_a_log_of_a_plc(tmp_path: Path) -> None:
    station = Station(tmp_path, PRESS)
    times, rows = seconds(300), plc_rows(300)
    path = station.file("log_20240610.csv", plc_csv(times, rows))

    (facts,) = station.facts(path)

    assert (facts["logger"], facts["device"], facts["stored"]) == ("S7 logger", "press", 300)
    assert typed(station.samples("press")) == typed(timed(times, rows))


def test_a_log_of_a_plc_that_is_not_configured_says_its_types_itself(tmp_path: Path) -> None:
    station = Station(tmp_path)
    times, rows = seconds(30), plc_rows(30)

    station.counts(station.file("log.csv", plc_csv(times, rows)))

    assert typed(station.samples("s7")) == typed(timed(times, rows))
    types = {name: metric.type for name, metric in station.metrics("s7").items()}
    assert types == {
        "counter": MetricType.INT,
        "temperature": MetricType.INT,
        "pressure": MetricType.FLOAT,
        "alarm": MetricType.BOOL,
        "mode_ro": MetricType.INT,
    }


def test_two_rows_a_second_are_both_kept_and_found_again(tmp_path: Path) -> None:
    station = Station(tmp_path, PRESS)
    rows = plc_rows(40)
    path = station.file("log.csv", plc_csv(seconds(40, 500), rows))

    first, second = station.counts(path), station.counts(path)

    assert (first, second) == ((40, 0, 0, 0), (0, 40, 0, 0))
    assert typed(station.samples("press")) == typed(timed(seconds(40, 500), rows))


@needs_shell
def test_a_training_view_is_of_the_host(station: Station) -> None:
    database = station.folder / "telemetry.db"
    pi_database(database, range(START_S, START_S + 300, 5))
    path = station.file("training.csv", training_csv(database))

    (facts,) = station.facts(path)

    assert (facts["device"], facts["stored"]) == ("host", 60)
    first = station.samples("host")[1][1]
    assert [*first] == TRAINING_COLUMNS.split(",")[1:10]
    assert station.metrics("host")["battery_pct"].type is MetricType.INT


@needs_shell
def test_a_training_view_of_a_database_that_was_imported_is_known(station: Station) -> None:
    database = station.folder / "telemetry.db"
    pi_database(database, range(START_S, START_S + 300, 5))
    station.counts(database)

    counts = station.counts(station.file("training.csv", training_csv(database)))

    assert counts == (0, 60, 0, 0)


@pytest.mark.parametrize("header", ["ts,core,usage", "ts,pid,name,cpu,mem"])
def test_one_table_of_several_is_refused(station: Station, header: str) -> None:
    cells = ",".join("1" for _ in header.split(",")[1:])

    result = station.run(station.file("x.csv", f"{header}\n{START_S},{cells}\n"))

    assert result.exit_code == 1
    assert "import its telemetry.db" in result.output


def test_the_table_of_a_thermostat_bridge(tmp_path: Path) -> None:
    station = Station(tmp_path, COOLER)
    times, rows = seconds(120, 1003), cooler_rows(120)
    path = station.file("data.csv", cooler_csv(times, rows))

    (facts,) = station.facts(path)

    assert (facts["logger"], facts["stored"]) == ("thermostat bridge", 120)
    assert typed(station.samples("cooler")) == typed(timed(times, rows))
    assert station.metrics("cooler")["sens_ch1"].unit == "Ω"


@pytest.mark.parametrize("units", [(), ("--units",)])
def test_our_own_roll_up_comes_back(tmp_path: Path, units: tuple[str, ...]) -> None:
    source = Station(tmp_path, PRESS)
    times, rows = seconds(100, 1234), plc_rows(100)
    source.poll("press", "s7", *timed(times, rows))
    made = report(source, *units)
    folder = tmp_path / "other"
    folder.mkdir()
    target = Station(folder, PRESS)

    (facts,) = target.facts(made)

    assert (facts["logger"], facts["device"]) == ("roll-up of this agent", "press")
    assert typed(target.samples("press")) == typed(timed(times, rows))


def test_our_own_roll_up_of_what_is_there_adds_nothing(tmp_path: Path) -> None:
    station = Station(tmp_path, PRESS)
    times = seconds(50, 700)
    rows: list[dict[str, Value]] = [
        {"a": number % 2 == 0, "b": None if number % 3 else 0.1 * number, "c": 'x,"\n' * number}
        for number in range(50)
    ]
    station.poll("press", "s7", *timed(times, rows))

    counts = station.counts(report(station))

    assert counts == (0, 50, 0, 0)


def test_units_in_a_header_are_those_of_new_metrics(tmp_path: Path) -> None:
    station = Station(tmp_path)
    text = "time,level [mm],ratio\r\n2024-06-10T08:13:20.000+02:00,1.5,2\r\n"

    station.counts(station.file("x.csv", text), "--device", "tank", "--kind", "json")

    assert station.metrics("tank") == {
        "level": Metric("level", "mm"),
        "ratio": Metric("ratio", "", MetricType.INT),
    }


def test_any_table_with_times_goes_into_a_device_that_is_named(tmp_path: Path) -> None:
    station = Station(tmp_path)
    path = station.file("x.csv", "Zeitstempel;Pegel;Ort\n20.11.2024 13:00;1,5;Hof\n")

    refused = station.run(path)
    counts = station.counts(path, "--device", "tank", "--kind", "json")

    assert "name a device, --device NAME" in refused.output
    assert counts == (1, 0, 0, 0)
    assert station.samples("tank") == [(1_732_104_000_000, {"Pegel": 1.5, "Ort": "Hof"})]


def test_names_are_found_however_they_are_cased(tmp_path: Path) -> None:
    station = Station(tmp_path, BENCH)
    text = f"TIMESTAMP,sys_power,Cpu_Power\n{local(START_MS).isoformat()},1.5,2\n"

    station.counts(station.file("run.csv", text))

    assert station.samples("bench") == [(START_MS, {"SYS_Power": 1.5, "CPU_Power": 2.0})]


def report(station: Station, *options: str) -> Path:
    """Our own roll-up of all that is there."""
    from click.testing import CliRunner

    from agent.cli import main

    made = station.folder / "rollup.csv"
    words = ["report", "--from", "2024-01-01", "--to", "2025-01-01", "press", *options]
    config = ["--output", str(made), "--config", str(station.folder / "agent.toml")]
    result = CliRunner().invoke(main, [*words, *config], prog_name="agent")
    assert result.exit_code == 0, result.output
    return made


def test_a_host_that_is_not_configured_has_its_usual_name(tmp_path: Path) -> None:
    station = Station(tmp_path)
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S])

    result = station.run(path)

    assert "1 sample of host (new, of kind host)" in result.output
