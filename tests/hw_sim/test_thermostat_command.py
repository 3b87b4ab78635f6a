"""``python -m hw_sim thermostat`` as people run it."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from hw_sim.cli import main
from hw_sim.thermostat import FAULTS
from tests.devices.thermostat_script import V4
from tests.hw_sim.raw_thermostat import RawClient

TIMEOUT_S = 10.0  # all of it takes 0.3 s


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The simulator in a process of its own, and the free port that it took."""
    command = [sys.executable, "-m", "hw_sim", "thermostat", "--port", "0", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            found = re.search(r"ready on 127\.0\.0\.1:(\d+) \(generation (.+?)\)", ready)
            assert found, ready
            yield process, int(found[1])
        finally:
            process.kill()


def test_it_answers_prints_writes_and_stops_cleanly() -> None:
    with running("--frozen") as (process, port), RawClient(port) as client:
        answers = [client.ask("s-h"), client.ask("pid 0 target 18")]
        assert process.stdout is not None
        printed = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=TIMEOUT_S)

    assert answers == [V4.decode(), "{}"]
    assert printed == "write: 'pid 0 target 18'\n"
    assert rest == "stopped after 2 requests, 1 of them to write\n"
    assert process.returncode == 0


def test_generation_fan_sensors_and_fault_are_options() -> None:
    options = ("--generation", "b", "--no-fan", "--sensors", "0", "--fault", "two-lines")
    with running(*options) as (_, port), RawClient(port) as client:
        report = client.ask("report")
        extra = client.line()
        output = client.ask("output")
        client.line()
        fan = client.ask("fan")

    assert report.count('"temperature":null') == 2
    assert extra == b"{}\n"
    assert '"polarity":"normal"' in output
    assert fan == "null"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--generation", "c"], "'c' is not one of"),
        (["--sensors", "3"], "3 is not in the range"),
        (["--fault", "slient"], "did you mean 'silent'?"),
    ],
)
def test_a_wrong_option_is_an_error_that_helps(options: list[str], text: str) -> None:
    result = CliRunner().invoke(main, ["thermostat", "--port", "0", *options])

    assert result.exit_code == 2
    assert text in result.output


def test_faults_and_examples_are_listed() -> None:
    listed = CliRunner().invoke(main, ["thermostat", "--faults"])
    helped = CliRunner().invoke(main, ["thermostat", "--help"])

    assert [line.split()[0] for line in listed.output.splitlines()] == list(FAULTS)
    assert "python -m hw_sim thermostat --generation b" in helped.output
    assert "2323" in helped.output
