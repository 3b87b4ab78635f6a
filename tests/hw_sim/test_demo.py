"""The demo as ``make run`` starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from agent.store import Reader

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 30
FOREVER_MS = 2**50


def start_demo(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hw_sim", "demo", "--data", "data", *words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rows_of(data: Path, device: str) -> int:
    with Reader(data / "telemetry.db") as reader:
        return len(list(reader.raw_rows(device, 0, FOREVER_MS)))


def test_the_demo_stores_both_devices_and_ends_by_itself(tmp_path: Path) -> None:
    with start_demo(tmp_path, "--duration", "3") as demo:
        said, log = demo.communicate(timeout=LIMIT_S)

    assert demo.returncode == 0, log
    assert "now try:" in said
    assert rows_of(tmp_path / "data", "plc") >= 2
    assert rows_of(tmp_path / "data", "host") >= 1


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
    assert "report --daily --config data/agent.toml" in said
    assert not (tmp_path / "data" / "telemetry.db-wal").exists()


def test_a_second_demo_takes_another_port_and_other_data(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    demos = [start_demo(folder, "--duration", "3") for folder in folders]
    for demo in demos:
        demo.communicate(timeout=LIMIT_S)

    assert [demo.returncode for demo in demos] == [0, 0]
    assert all(rows_of(folder / "data", "plc") >= 2 for folder in folders)
