"""The database of the Raspberry Pi logger becomes the history of the host."""

import sqlite3
from pathlib import Path

from agent.model import Metric, MetricType, Value
from tests.importing.loggers import START_S, pi_database, pi_rows
from tests.importing.station import HOST, Station, typed

MAIN = "SELECT * FROM system_sample ORDER BY ts"
COLUMNS = (
    "voltage", "current", "power", "battery_pct", "cpu_total", "cpu_freq", "load1", "load5",
    "load15",
)  # fmt: skip


def wanted(path: Path, slots: int) -> list[tuple[int, dict[str, Value]]]:
    """The file as our driver would have read the machine."""
    found: dict[int, dict[str, Value]] = {}
    for ts, *values in pi_rows(path, MAIN):
        assert isinstance(ts, int)
        row = dict(zip(COLUMNS, values, strict=True))
        charge = row["battery_pct"]
        row["battery_pct"] = int(charge) if isinstance(charge, float) else charge
        found[ts] = row
    for ts, core, usage in pi_rows(path, "SELECT ts, core, usage FROM cpu_core"):
        assert isinstance(ts, int)
        found[ts][f"core{core}_usage"] = usage
    sql = (
        "SELECT ts, row_number() OVER (PARTITION BY ts ORDER BY cpu DESC, pid), pid, name, cpu, "
        "mem FROM process_sample"
    )
    for moment in found.values():
        for slot in range(1, slots + 1):
            moment |= {f"process{slot}_{name}": None for name in ("pid", "name", "cpu", "mem")}
    for ts, rank, *process in pi_rows(path, sql):
        assert isinstance(ts, int)
        names = [f"process{rank}_{name}" for name in ("pid", "name", "cpu", "mem")]
        found[ts] |= dict(zip(names, process, strict=True))
    return [(ts * 1000, values) for ts, values in sorted(found.items())]


def test_each_second_is_what_our_driver_would_have_read(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 500, 5))

    counts = station.counts(path)

    assert counts == (100, 0, 0, 0)
    assert typed(station.samples("host")) == typed(wanted(path, slots=3))


def test_the_same_file_again_adds_nothing(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 500, 5))
    station.counts(path)
    before = typed(station.samples("host"))

    counts = station.counts(path)

    assert counts == (0, 100, 0, 0)
    assert typed(station.samples("host")) == before


def test_a_file_that_went_on_adds_what_is_new(station: Station) -> None:
    first, second = station.folder / "a.db", station.folder / "b.db"
    pi_database(first, range(START_S, START_S + 500, 5))
    pi_database(second, range(START_S + 250, START_S + 1000, 5))
    station.counts(first)

    counts = station.counts(second)

    assert counts == (100, 50, 0, 0)
    assert [ts_ms // 1000 for ts_ms, _ in station.samples("host")] == [
        *range(START_S, START_S + 1000, 5)
    ]


def test_its_name_says_nothing(station: Station) -> None:
    path = station.folder / "log.csv"
    pi_database(path, range(START_S, START_S + 50, 5))

    (facts,) = station.facts("--dry-run", path)

    assert (facts["logger"], facts["kind"], facts["samples"]) == ("Raspberry Pi logger", "host", 10)


def test_metrics_have_the_units_and_types_of_our_driver(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 50, 5))
    station.counts(path)

    found = station.metrics("host")

    assert found["voltage"] == Metric("voltage", "V", help="Battery voltage")
    assert (found["core1_usage"].unit, found["process3_pid"].type) == ("%", MetricType.INT)


def test_a_logger_that_still_runs_is_read_and_left_as_it_is(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 50, 5))
    running = sqlite3.connect(path)
    running.execute("INSERT INTO system_sample VALUES(?,1,1,1,1,1,1,1,1,1)", (START_S + 50,))
    running.commit()
    files = {each.name for each in station.folder.iterdir()}

    counts = station.counts(path)

    running.close()
    assert counts == (11, 0, 0, 0)
    assert {each.name for each in station.folder.iterdir()} - files <= {"data", "run"}


def test_a_file_is_left_without_anything_beside_it(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 50, 5))
    before = path.read_bytes()

    station.counts(path)

    assert path.read_bytes() == before
    assert [*station.folder.glob("telemetry.db-*")] == []


def test_cores_and_processes_without_their_second_are_kept(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 20, 5))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM system_sample WHERE ts = ?", (START_S + 10,))
    connection.commit()
    connection.close()

    (facts,) = station.facts(path)

    assert facts["stored"] == 4
    assert facts["notes"] == [
        "some cores and processes are of moments that system_sample does not have"
    ]
    assert station.samples("host")[2][1]["core0_usage"] is not None


def test_values_that_are_none_and_wrong_times_are_bad_rows(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, [5, *range(START_S, START_S + 20, 5), 4_000_000_000])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE system_sample SET load1 = 'busy' WHERE ts = ?", (START_S + 5,))
    connection.commit()
    connection.close()

    (facts,) = station.facts(path)

    assert (facts["stored"], facts["bad"]) == (3, 3)
    assert [row["line"] for row in facts["bad_rows"]] == [5, START_S + 5, 4_000_000_000]
    assert facts["bad_rows"][1]["text"] == "load1: wanted a number, got 'busy'"


def test_numbers_that_are_none_cost_their_moment_alone(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 15, 5))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE cpu_core SET core = 'x' WHERE ts = ? AND core = 0", (START_S,))
    connection.execute(
        "UPDATE process_sample SET pid = 'y' WHERE ts = ? AND pid = 900", (START_S + 5,)
    )
    connection.commit()
    connection.close()

    (facts,) = station.facts(path)

    assert (facts["stored"], facts["bad"]) == (1, 2)
    assert [row["text"] for row in facts["bad_rows"]] == [
        "wanted the number of a core, got 'x'",
        facts["bad_rows"][1]["text"],
    ]
    assert "_pid: wanted a number, got 'y'" in facts["bad_rows"][1]["text"]


def test_cores_of_which_all_moments_are_lost_are_kept(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 500, 5), processes=0)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM system_sample WHERE ts > ?", (START_S,))
    connection.commit()
    connection.close()

    assert station.counts(path) == (100, 0, 0, 0)


def test_a_damaged_file_gives_what_can_be_read_and_says_so(station: Station) -> None:
    path = station.folder / "telemetry.db"
    pi_database(path, range(START_S, START_S + 100_000, 5), processes=1)
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        stream.write(b"\xff" * 65536)

    result = station.run(path)

    assert result.exit_code == 1
    assert "malformed" in result.output


def test_more_processes_than_a_host_may_record_are_cut(tmp_path: Path) -> None:
    station = Station(tmp_path, HOST)
    path = station.folder / "telemetry.db"
    pi_database(path, [START_S + 1], processes=150)

    station.counts(path)

    assert "process100_pid" in station.metrics("host")
    assert "process101_pid" not in station.metrics("host")


def test_a_store_of_ours_is_no_file_of_another_logger(station: Station) -> None:
    station.poll("host", "host", (START_S * 1000, {"load1": 1.0}))

    result = station.run(station.store_path)

    assert result.exit_code == 1
    assert "it is a store of this agent" in result.output
