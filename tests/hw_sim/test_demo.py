"""The demo as ``make run`` starts it."""

import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from agent.state import DataLock
from agent.store import Reader
from hw_sim.registry import SIMULATED

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 30
FOREVER_MS = 2**50


def start_demo(folder: Path, *words: str, data: str = "data") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hw_sim", "demo", "--data", data, *words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rows_of(data: Path, device: str) -> int:
    with Reader(data / "telemetry.db") as reader:
        return len(list(reader.samples(device, 0, FOREVER_MS)))


def commands_in(said: str) -> list[str]:
    """What it says to type."""
    return re.findall(r"^  (\S.*)$", said, re.MULTILINE)


def test_the_demo_stores_every_device_and_ends_by_itself(tmp_path: Path) -> None:
    names = [SIMULATED[kind].load().name or kind for kind in SIMULATED]

    with start_demo(tmp_path, "--duration", "6") as demo:
        said, log = demo.communicate(timeout=LIMIT_S)

    assert demo.returncode == 0, log
    assert "now try:" in said
    assert [name for name in names if not rows_of(tmp_path / "data", name)] == []
    assert "WARNING" not in log
    assert rows_of(tmp_path / "data", "plc") >= 3
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "agent.lock",
        "agent.toml",
        "telemetry.db",
        "telemetry.db-shm",
        "telemetry.db-wal",
    ]


def test_a_plug_is_pulled_and_put_back_as_the_demo_says(tmp_path: Path) -> None:
    with start_demo(tmp_path) as demo:
        assert demo.stdout is not None
        said = ""
        while "plc none" not in said:
            line = demo.stdout.readline()
            assert line, said
            said += line
        pulls = [shlex.split(line) for line in commands_in(said) if "hw_sim" in line]
        pulled, back = [
            subprocess.run(
                [sys.executable, *words[1:]],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            for words in pulls
        ]
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=LIMIT_S)

    assert (pulled.stdout, back.stdout) == ("plc: fault silent\n", "plc: fault none\n")
    assert demo.returncode == 0


def test_what_the_demo_says_to_type_works_where_the_folder_has_a_space(tmp_path: Path) -> None:
    with start_demo(tmp_path, "--duration", "1", data="my 'own' data") as demo:
        said, log = demo.communicate(timeout=LIMIT_S)

    lines = commands_in(said)
    results = [
        subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, capture_output=True, text=True)
        for line in lines
        if shlex.split(line)[1] not in ("read", "-m")  # the simulators have ended
    ]
    assert demo.returncode == 0, log
    assert len(lines) >= 4
    assert [(each.returncode, each.stderr) for each in results] == [(0, "")] * len(results)


def test_the_demo_ends_in_order_when_it_is_interrupted(tmp_path: Path) -> None:
    with start_demo(tmp_path) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if "polling" in line:
                break
        demo.send_signal(signal.SIGINT)
        said, log = demo.communicate(timeout=LIMIT_S)

    assert demo.returncode == 0, log
    assert "stopped" in log
    with closing(sqlite3.connect(tmp_path / "data" / "telemetry.db")) as store:
        assert store.execute("SELECT end_ms IS NOT NULL FROM run").fetchall() == [(1,)]
    assert "report --daily --config data/agent.toml" in said


def test_a_second_demo_takes_another_port_and_other_data(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    demos = [start_demo(folder, "--duration", "3") for folder in folders]
    for demo in demos:
        demo.communicate(timeout=LIMIT_S)

    assert [demo.returncode for demo in demos] == [0, 0]
    assert all(rows_of(folder / "data", "plc") >= 2 for folder in folders)


def test_a_configuration_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "agent.toml"
    file.parent.mkdir()
    file.write_text("# mine\n")

    with start_demo(tmp_path, "--duration", "1") as demo:
        _, log = demo.communicate(timeout=LIMIT_S)

    assert demo.returncode == 1
    assert "data/agent.toml is not the demo's and would be overwritten" in log
    assert file.read_text() == "# mine\n"


def test_a_demo_that_runs_is_left_alone_by_another_on_its_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    lock = DataLock(data)
    lock.hold()

    with start_demo(tmp_path, "--duration", "1") as demo:
        _, log = demo.communicate(timeout=LIMIT_S)

    lock.release()
    assert demo.returncode == 1
    assert "another agent is running on data" in log
    assert not (data / "agent.toml").exists()


def test_a_folder_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with start_demo(tmp_path, "--duration", "1", data="file/data") as demo:
        _, log = demo.communicate(timeout=LIMIT_S)

    assert demo.returncode == 1
    assert log == "Error: cannot use file/data: Not a directory\n"
