"""The one file for ARM, run through qemu-user: it starts, polls, and reports."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent import __version__
from agent.store import Reader
from hw_sim.registry import SIMULATED
from tests.agent_process import wait_for
from tests.cross.machine import ROOT, command
from tests.frozen.program import Frozen
from tests.proofs.stored import is_sound

NAMES = [SIMULATED[kind].load().name or kind for kind in SIMULATED]
MACHINES = {"arm64": "aarch64", "armhf": "armv7l"}
FOREVER_MS = 2**50
slow = pytest.mark.slow


def agent_on(arch: str, folder: Path, suite: str = "bookworm") -> Frozen:
    """The one file with an environment that has only a folder for its state."""
    return Frozen(command(arch, suite), folder, {"RUNTIME_DIRECTORY": str(folder / "run")})


@contextmanager
def simulators(folder: Path) -> Iterator[Path]:
    """All kinds, from source and not emulated, and the configuration that reads them."""
    file = folder / "all.toml"
    words = [sys.executable, "-m", "hw_sim", "all", "--output", str(file)]
    with subprocess.Popen(
        words, cwd=folder, env={"PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(lambda: file.exists() or process.poll() is not None)
            yield file
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("arch", "suite", "seconds"),
    [
        pytest.param("arm64", "bookworm", 15, id="arm64 short"),
        pytest.param("arm64", "bookworm", 60, id="arm64", marks=slow),
        pytest.param("arm64", "trixie", 15, id="arm64 on trixie", marks=slow),
        pytest.param("armhf", "bookworm", 15, id="armhf", marks=slow),
        pytest.param("armhf", "trixie", 15, id="armhf on trixie", marks=slow),
    ],
)
def test_all_simulators_are_polled_and_reported(
    arch: str, suite: str, seconds: int, tmp_path: Path
) -> None:
    agent = agent_on(arch, tmp_path, suite)
    config = ("--config", "all.toml")

    facts = json.loads(agent.run("version", "--json").stdout)
    with simulators(tmp_path):
        ran = agent.run("run", *config, "--duration", str(seconds))
    status = agent.run("status", *config)
    report = agent.run("report", "--daily", *config)

    assert (facts["agent"], facts["machine"]) == (__version__, MACHINES[arch])
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
    assert (status.returncode, report.returncode) == (0, 0), status.stderr + report.stderr
    counts = stored(tmp_path / "sim-data")
    assert set(counts) == set(NAMES)
    assert all(counts.values())
    reports = (tmp_path / "sim-data" / "reports").glob("*/daily/*.csv")
    rows = {path.parent.parent.name: len(path.read_text("utf-8").splitlines()) for path in reports}
    assert set(rows) == set(NAMES)
    assert min(rows.values()) > 1  # more than the header


def stored(data: Path) -> dict[str, int]:
    """How many samples of each device have a value, read by this machine's own code."""
    assert is_sound(data / "telemetry.db")
    with Reader(data / "telemetry.db") as reader:
        return {
            device.name: sum(
                any(value is not None for value in sample.values.values())
                for sample in reader.samples(device.name, 0, FOREVER_MS)
            )
            for device in reader.devices()
        }


@pytest.mark.parametrize("arch", ["arm64", pytest.param("armhf", marks=slow)])
def test_nothing_is_left_of_a_start(arch: str, tmp_path: Path) -> None:
    agent = agent_on(arch, tmp_path)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()

    result = agent.with_env(TMPDIR=str(unpacked)).run("--version")

    assert (result.stdout, result.stderr) == (f"agent {__version__}\n", "")
    assert list(unpacked.iterdir()) == []


@slow
@pytest.mark.parametrize("arch", ["arm64", "armhf"])
def test_every_command_does_what_it_does_from_source(arch: str, tmp_path: Path) -> None:
    words = command(arch)
    tests = ["test_commands.py", "test_flow.py"]

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-m", "frozen", "--basetemp", tmp_path / "tests"),
            *(ROOT / "tests" / "frozen" / name for name in tests),
        ],
        cwd=ROOT,
        env={"AGENT_BINARY": " ".join(words), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout
