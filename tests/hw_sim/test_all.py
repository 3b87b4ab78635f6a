"""All simulators at once, as ``python -m hw_sim all`` runs them."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.config import load
from agent.devices import KINDS
from hw_sim.cli import main
from hw_sim.control import ask
from hw_sim.everything import Everything, device
from hw_sim.registry import SIMULATED

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 20.0  # all of it takes a second
NAMES = {kind: SIMULATED[kind].load().name or kind for kind in SIMULATED}


@contextmanager
def running(
    folder: Path, *options: str, stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """All simulators in a process of their own."""
    command = [sys.executable, "-m", "hw_sim", "all", *options]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(read: Callable[[], str], part: str) -> str:
    """Lines up to one that has ``part`` in it."""
    lines: list[str] = []
    while not lines or part not in lines[-1]:
        lines.append(read())
        assert lines[-1], lines
    return "".join(lines)


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[str, str]:
    process.send_signal(number)
    return process.communicate(timeout=LIMIT_S)


def switch(path: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["fault", "--control", str(path), *words])


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[Everything]:
    with Everything(device(kind, tmp_path) for kind in SIMULATED) as everything:
        yield everything


def test_the_configuration_on_standard_output_is_whole_while_it_runs(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert process.stdout is not None
        written = process.stdout.read()  # its end comes though the program runs on
        config_file = tmp_path / "all.toml"
        config_file.write_text(written)
        config = load(config_file, KINDS, {})
        is_running = process.poll() is None
        _, said = stop(process)

    assert is_running
    assert process.returncode == 0
    assert [(each.kind, each.name) for each in config.devices] == list(NAMES.items())
    assert said.endswith("stopped\n")
    assert "agent run --config FILE" in said


def test_the_configuration_goes_into_a_file_and_text_to_standard_output(tmp_path: Path) -> None:
    with running(tmp_path, "--output", "all.toml", "--seed", "7") as process:
        assert process.stdout is not None
        said = until(process.stdout.readline, "fault ")
        tables = tomllib.loads((tmp_path / "all.toml").read_text())["device"]
        rest, log = stop(process, signal.SIGINT)

    assert process.returncode == 0
    assert [table["kind"] for table in tables] == list(SIMULATED)
    assert f"{len(SIMULATED)} simulated devices run, as all.toml says" in said
    assert log == ""
    assert rest.endswith("stopped\n")


def test_files_and_ports_are_made_in_the_folder_and_gone_at_the_end(tmp_path: Path) -> None:
    with running(tmp_path, "--dir", "made", "--output", "all.toml") as process:
        assert process.stdout is not None
        until(process.stdout.readline, "Ctrl+C")
        during = list((tmp_path / "made").iterdir())
        stop(process)

    assert str(tmp_path / "made" / "host" / "proc") in (tmp_path / "all.toml").read_text()
    assert during
    assert list((tmp_path / "made").iterdir()) == []


def test_only_the_kinds_that_are_asked_for_run(tmp_path: Path) -> None:
    kinds = [kind for kind in SIMULATED if kind != "host"][:2]
    options = [word for kind in kinds for word in ("--only", kind)]

    with running(tmp_path, *options) as process:
        assert process.stdout is not None
        tables = tomllib.loads(process.stdout.read())["device"]
        stop(process)

    assert [table["kind"] for table in tables] == kinds


def test_faults_are_switched_by_typing(tmp_path: Path) -> None:
    with running(tmp_path, "--output", "all.toml", "--only", "s7") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        until(process.stdout.readline, "  fault plc silent")
        answers = []
        for line in ("fault plc refuse", "fault s7 none", "fault plc nonsense", "hm"):
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            answers.append(process.stdout.readline())
        stop(process)

    assert answers[:2] == ["plc: fault refuse\n", "plc: fault none\n"]
    assert answers[2].startswith("error: no fault 'nonsense'")
    assert answers[3] == "error: no such line: 'hm'\n"


def test_faults_are_switched_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "faults.sock"
    with running(tmp_path, "--only", "s7", "--control", str(path)) as process:
        assert process.stdout is not None
        process.stdout.read()  # the socket is there before the configuration
        switched = switch(path, "plc", "silent")
        listed = switch(path)
        known = switch(path, "plc")
        wrong = switch(path, "plk", "silent")
        raw = ask(path, "help")
        stop(process)

    assert (switched.exit_code, switched.output) == (0, "plc: fault silent\n")
    assert listed.output.startswith("plc (s7), now silent: refuse, ")
    assert known.output.splitlines()[0].startswith("refuse  ")
    assert (wrong.exit_code, wrong.output) == (1, "Error: no device 'plk': did you mean 'plc'?\n")
    assert raw.startswith("fault DEVICE NAME ")
    assert not path.exists()


def test_what_it_says_to_type_is_right(tmp_path: Path) -> None:
    options = ("--control", "my 'own' sock", "--output", "the file.toml")
    with running(tmp_path, *options) as process:
        assert process.stdout is not None
        said = until(process.stdout.readline, "-m hw_sim fault")
        read, _, typed, switched = [
            shlex.split(line) for line in said.splitlines() if line.startswith("  ")
        ]
        results = [
            subprocess.run(
                [sys.executable, *words],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            for words in (["-m", "agent", *read[1:]], switched[1:])
        ]
        stop(process)

    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 2
    assert results[1].stdout == f"{typed[1]}: fault {typed[2]}\n"


def test_a_file_that_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("# mine\n")

    result = CliRunner().invoke(main, ["all", "--only", "s7", "--output", str(file)])

    assert result.exit_code == 1
    assert "was not written by this command and would be overwritten" in result.output
    assert file.read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--output", "no/such/all.toml"], "cannot run: No such file or directory: no/such"),
        (["--dir", 'a"b'], "name a folder without quotation marks and backslashes"),
        (["--dir", "file/x"], "cannot use file/x: Not a directory"),
        (["--control", "file"], "cannot run: Address already in use"),
        (["--control", "x" * 200], "longer than 107 bytes, name a shorter path"),
    ],
    ids=["output", "quotes", "not-a-folder", "taken", "too-long"],
)
def test_what_can_not_be_made_is_one_line(
    options: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    threads = threading.enumerate()

    result = CliRunner().invoke(main, ["all", "--only", "s7", *options])

    assert result.exit_code == 1
    assert text in result.output
    assert result.output.count("\n") == 1
    assert threading.enumerate() == threads


def test_every_device_takes_every_fault_of_its_kind(everything: Everything) -> None:
    answers = [
        (fault, everything.obey(f"fault {each.name} {fault}"), f"{each.name}: fault {fault}")
        for each in everything.devices
        for fault in (*each.simulator.FAULTS, "none")
    ]

    refused = [(fault, said) for fault, said, wanted in answers if said != wanted]
    assert [said for fault, said in refused if f"{fault!r} is for --mode" not in said] == []


def test_faults_are_listed_with_what_is_in_force(everything: Everything) -> None:
    everything.obey("fault plc refuse")

    lines = everything.obey("faults").splitlines()

    assert len(lines) == len(SIMULATED)
    assert [line for line in lines if ", now " in line] == [
        line for line in lines if line.startswith("plc (s7), now refuse: ")
    ]
    assert everything.obey("faults plc") == everything.obey("fault s7")


def test_names_are_all_different() -> None:
    assert len({name.lower() for name in NAMES.values()} | set(NAMES)) == len(
        set(NAMES.values()) | set(NAMES)
    )
    assert len(set(NAMES.values())) == len(NAMES)


def test_where_one_can_not_start_none_runs(tmp_path: Path) -> None:
    (tmp_path / "host" / "proc").mkdir(parents=True)
    everything = Everything(device(kind, tmp_path) for kind in reversed(list(SIMULATED)))
    threads = threading.enumerate()

    with pytest.raises(FileExistsError):
        everything.start()

    assert threading.enumerate() == threads


def test_without_simulators_the_switch_says_what_is_missing(tmp_path: Path) -> None:
    result = switch(tmp_path / "none.sock", "plc", "silent")

    assert result.exit_code == 1
    assert "No such file or directory; is python -m hw_sim all running" in result.output
