"""The simulators on the command line."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from hw_sim.cli import main
from hw_sim.registry import SIMULATED
from hw_sim.s7 import FAULTS
from tests.hw_sim.raw_s7 import DB1_IS, READ_DB1, RawClient, item, job, wanted

TIMEOUT_S = 10.0  # all of it takes 0.2 s


@contextmanager
def running(*options: str, stdin: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """The S7 simulator in a process of its own, on a free port."""
    command = [sys.executable, "-m", "hw_sim", "s7", "--port", "0", "--frozen", *options]
    with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def ready_port(process: subprocess.Popen[str]) -> int:
    ready = line(process)
    found = re.search(r"ready on 127\.0\.0\.1:(\d+) ", ready)
    assert found, ready
    return int(found[1])


def tell(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()
    return line(process)


def test_it_says_where_it_is_prints_writes_and_stops_cleanly() -> None:
    with running() as process, RawClient(ready_port(process)) as client:
        client.set_up().ask(job(5, [item(1, 11, 1)], "00 04 00 08 07"))
        printed = line(process)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=TIMEOUT_S)

    assert printed == "write DB1.DBB11 = 07 (mode_ro = 7)"
    assert rest == "stopped after 1 requests, 1 of them to write\n"
    assert process.returncode == 0


def test_faults_are_switched_by_typing() -> None:
    with running("--fault", "missing-db") as process, RawClient(ready_port(process)) as client:
        missing = client.set_up().items(item(1, 0, 12))
        answers = [tell(process, "fault none"), tell(process, "fault nonsense")]
        found = client.ask(READ_DB1)

    assert missing == "0a 00 00 00"
    assert answers[0] == "fault: none"
    assert answers[1].startswith("error: no fault 'nonsense'")
    assert found == wanted(DB1_IS)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_on_without_standard_input(stop: signal.Signals) -> None:
    with running(stdin=subprocess.DEVNULL) as process:
        with RawClient(ready_port(process)) as client:
            answer = client.set_up().ask(READ_DB1)
        process.send_signal(stop)
        process.communicate(timeout=TIMEOUT_S)

    assert answer == wanted(DB1_IS)
    assert process.returncode == 0


def test_a_port_in_use_is_one_line_and_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        result = CliRunner().invoke(main, ["s7", "--port", str(port)])

    assert result.exit_code == 1
    assert result.output == (
        f"Error: cannot listen on 127.0.0.1:{port}: the port is in use by another program: "
        "choose one with --port\n"
    )


def test_an_unknown_fault_is_wrong_use() -> None:
    result = CliRunner().invoke(main, ["s7", "--port", "0", "--fault", "delya"])

    assert result.exit_code == 2
    assert "did you mean 'delay'?" in result.output


def test_every_fault_is_listed() -> None:
    result = CliRunner().invoke(main, ["s7", "--faults"])

    assert [text.split()[0] for text in result.output.splitlines()] == list(FAULTS)


@pytest.mark.parametrize(
    "command", [[], ["all"], ["fault"], ["demo"], *([kind] for kind in SIMULATED)]
)
def test_help_shows_examples(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])

    assert result.exit_code == 0
    assert "python -m hw_sim" in result.output
