"""What a newcomer does with nothing but the one file: simulators, the agent, and reports."""

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import Reader
from hw_sim.registry import SIMULATED
from tests.agent_process import wait_for
from tests.frozen.program import Frozen, Started
from tests.frozen.station import TEMPERATURE, TlsStation

TABLE = "\n[[device]]\n"
FOREVER_MS = 2**50
KINDS = [
    *(
        pytest.param([kind, "--port", "0"], id=kind)
        for kind in ("s7", "thermostat", "luxtronik", "modbus", "json")
    ),
    pytest.param(["host"], id="host"),
    pytest.param(["benchlab"], id="benchlab"),
    pytest.param(["modbus", "--link", "meter"], id="modbus on a line"),
    pytest.param(["json", "--mode", "serial", "--path", "station"], id="json on a line"),
    pytest.param(["json", "--mode", "lines", "--port", "0"], id="json by itself"),
]


def table_of(agent: Frozen, simulator: Started) -> str:
    """What a simulator says is for agent.toml, once it is there."""
    wait_for(lambda: TABLE in simulator.log or not simulator.is_running, agent.patience_s)
    return simulator.log[simulator.log.index(TABLE) :]


@pytest.mark.parametrize("words", KINDS)
def test_each_kind_is_simulated_and_read(words: Sequence[str], agent: Frozen) -> None:
    with agent.started("simulate", *words, log="simulator.log") as simulator:
        (agent.folder / "agent.toml").write_text(table_of(agent, simulator))
        name = json.loads(agent.run("check", "--json").stdout)["config"]["devices"][0]["name"]
        shown = agent.run("read", name)
        facts = json.loads(agent.run("read", name, "--json").stdout)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert facts["kind"] == words[0]
    assert [each for each in facts["values"] if each["value"] is not None] != []


@contextmanager
def simulated(agent: Frozen) -> Iterator[tuple[Path, Started]]:
    """All kinds at once, and the configuration that reads them."""
    file = agent.folder / "simulated.toml"
    words = ["simulate", "all", "--config", file.name, "--control", "faults.sock"]
    with agent.started(*words, log="simulators.log") as simulators:
        wait_for(lambda: file.exists() or not simulators.is_running, agent.patience_s)
        yield file, simulators


def stored_in(folder: Path) -> dict[str, int]:
    """How many samples of each device."""
    try:
        with Reader(folder / "telemetry.db") as reader:
            names = [device.name for device in reader.devices()]
            return {name: len(list(reader.samples(name, 0, FOREVER_MS))) for name in names}
    except StoreError:  # there is none yet
        return {}


def test_all_kinds_are_polled_shown_and_reported(agent: Frozen) -> None:
    config = ("--config", "simulated.toml")
    data = agent.folder / "sim-data"
    names = {SIMULATED[kind].load().name or kind for kind in SIMULATED}

    with simulated(agent) as (_, simulators), agent.started("run", *config) as running:
        wait_for(
            lambda: all(stored_in(data).get(name) for name in names) or not running.is_running,
            agent.patience_s,
        )
        during = agent.run("status", *config, "--json")
        switched = agent.run("simulate", "fault", "--control", "faults.sock", "plc", "silent")
        running.process.terminate()
        ended = running.process.wait(agent.patience_s)
        simulators.process.terminate()
        simulated_ended = simulators.process.wait(agent.patience_s)
    status = agent.run("status", *config)
    report = agent.run("report", "--daily", *config)
    as_json = json.loads(agent.run("report", "--daily", "--json", *config).stdout)

    assert [switched.stdout, ended, simulated_ended] == ["plc: fault silent\n", 0, 0]
    assert "WARNING" not in running.log.partition("stopping")[0].replace("plc", "")
    assert json.loads(during.stdout)["running"]
    assert {each["name"] for each in json.loads(during.stdout)["devices"]} == names
    assert [status.returncode, report.returncode] == [0, 0], report.stderr
    assert [name for name in names if name not in status.stdout] == []
    files = sorted((data / "reports").rglob("*.csv"))
    assert len(files) >= len(names)
    assert as_json
    for file in files:
        header, *rows = csv.reader(file.read_text("utf-8").splitlines())
        assert rows
        assert {len(row) for row in rows} == {len(header)}


def test_a_run_ends_by_itself_with_all_stored(agent: Frozen) -> None:
    with simulated(agent):
        result = agent.run("run", "--config", "simulated.toml", "--duration", "6")

    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert len(stored_in(agent.folder / "sim-data")) == len(SIMULATED)


def test_the_whole_tour_runs_from_the_one_file(agent: Frozen) -> None:
    result = agent.run("simulate", "demo", "--duration", "6")

    typed = [line for line in result.stdout.splitlines() if line.startswith("  ")]
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    assert "python" not in result.stdout
    assert len(stored_in(agent.folder / "demo-data")) == len(SIMULATED)
    assert [line for line in typed if str(agent.path) in line] != []
    reported = agent.run("report", "--daily", "--config", "demo-data/agent.toml")
    assert reported.returncode == 0, reported.stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_device_is_read_over_tls(agent: Frozen, tmp_path: Path) -> None:
    with TlsStation(tmp_path) as station:
        station.listen()
        (agent.folder / "agent.toml").write_text(station.table)
        trusting = agent.with_env(SSL_CERT_FILE=str(station.certificate))
        read = trusting.run("read", "station", "--json")
        refused = agent.run("read", "station")

    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout)["values"][0]["value"] == TEMPERATURE
    assert refused.returncode == 3
    assert "certificate" in refused.stderr
