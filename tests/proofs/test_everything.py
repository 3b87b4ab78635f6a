"""One device of every kind at once, as users run them: all are stored, and each comes back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.config import load
from agent.devices import KINDS
from agent.store import Reader
from hw_sim.control import ask
from hw_sim.registry import SIMULATED
from tests.agent_process import AgentProcess, wait_for
from tests.matrix.choice import TELLING

ROOT = Path(__file__).parent.parent.parent
FOREVER_MS = 2**50
ILL_S = 20.0  # an interval of ten seconds and a time-out
BACK_S = 60.0  # a back-off of ten seconds or more where a device must be left alone
NAMES = {SIMULATED[kind].load().name or kind: kind for kind in SIMULATED}


@contextmanager
def everything(folder: Path) -> Iterator[tuple[Path, Path]]:
    """All simulators in a process of their own; their configuration and their control socket."""
    config, control = folder / "all.toml", folder / "faults.sock"
    command = [sys.executable, "-m", "hw_sim", "all"]
    with subprocess.Popen(
        [*command, "--output", str(config), "--control", str(control)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(lambda: config.exists() or process.poll() is not None)
            yield config, control
        finally:
            process.terminate()
    assert process.returncode == 0


def agent_of(config: Path) -> AgentProcess:
    return AgentProcess(config, data_dir=config.parent / "sim-data")


def ill(agent: AgentProcess) -> dict[str, Any]:
    """The devices that are not well, as ``agent status`` has them."""
    devices = agent.status_json()["devices"]
    return {each["name"]: each["error"] for each in devices if not each.get("is_well")}


def telling_fault(control: Path, name: str) -> str:
    """A fault of a device after which nothing of it can be read."""
    known = [line.split()[0] for line in ask(control, f"faults {name}").split(" | ")]
    return next(fault for fault in (*TELLING, "no-proc") if fault in known and fault != "garbage")


def test_every_kind_is_read_and_shown_with_its_units(tmp_path: Path) -> None:
    with everything(tmp_path) as (file, _):
        config = load(file, KINDS, {})
        # Not while an agent runs: a serial port, and some controllers, serve one at a time.
        agent = [sys.executable, "-m", "agent", "read"]
        results = {
            device.name: subprocess.run(
                [*agent, device.name, "--config", str(file)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            for device in config.devices
        }
        units = {
            device.name: {
                metric.unit
                for metric in KINDS[device.kind]().driver(device.options, 1.0).metrics
                if metric.unit
            }
            for device in config.devices
        }

    assert list(results) == list(NAMES)
    assert [(each.returncode, each.stderr) for each in results.values()] == [(0, "")] * len(NAMES)
    missing = {
        name: absent
        for name, result in results.items()
        if (absent := {unit for unit in units[name] if f" {unit}" not in result.stdout})
    }
    assert missing == {}
    assert [name for name in NAMES if not units[name]] == []


def test_every_kind_is_stored_and_all_are_well(tmp_path: Path) -> None:
    with everything(tmp_path) as (config, _), agent_of(config) as agent:
        wait_for(lambda: agent.status_json()["running"])
        wait_for(lambda: not ill(agent), what="all devices well")
        status = agent.status_json()
        code, _ = agent.stop()

    with Reader(agent.data_dir / "telemetry.db") as reader:
        stored = {
            device.name: (device.kind, list(reader.samples(device.name, 0, FOREVER_MS)))
            for device in reader.devices()
        }
        gaps = reader.gaps_since(0)
    assert code == 0
    assert {name: kind for name, (kind, _) in stored.items()} == NAMES
    assert all(samples for _, samples in stored.values())
    assert [
        name for name, (_, samples) in stored.items() if not has_values(samples[0].values)
    ] == []
    assert gaps == []
    assert [(each["error"], each["warnings"]) for each in status["devices"]] == (
        [(None, [])] * len(NAMES)
    )
    assert agent.lines("ERROR") + agent.lines("WARNING") == []


def has_values(values: Any) -> bool:
    return any(value is not None for value in values.values())


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "names",
    [
        pytest.param([name for name in NAMES if name != "host"][:1], id="one"),
        pytest.param(list(NAMES), id="each", marks=pytest.mark.slow),
    ],
)
def test_a_plug_that_is_pulled_makes_one_device_ill_until_it_is_back(
    names: list[str], tmp_path: Path
) -> None:
    seen = {}
    with everything(tmp_path) as (config, control), agent_of(config) as agent:
        wait_for(lambda: agent.status_json()["running"])
        wait_for(lambda: not ill(agent), what="all devices well")
        for name in names:
            ask(control, f"fault {name} {telling_fault(control, name)}")
            seen[name] = wait_for(lambda: ill(agent), ILL_S, f"{name} ill")
            ask(control, f"fault {name} none")
            wait_for(lambda: not ill(agent), BACK_S, f"{name} back")
        code, _ = agent.stop()

    with Reader(agent.data_dir / "telemetry.db") as reader:
        gaps = reader.gaps_since(0)
    assert code == 0
    assert {name: list(found) for name, found in seen.items()} == {name: [name] for name in names}
    assert all(error for found in seen.values() for error in found.values())
    assert {gap.device for gap in gaps} == set(names)
    assert [gap for gap in gaps if gap.end_ms is None] == []
    assert len(agent.lines("well again")) == len(names)
