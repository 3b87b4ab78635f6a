"""Commands of the agent, in this process or in one of their own, with a configuration."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from agent.cli import main
from agent.clock import SystemClock
from agent.model import Metric, Sample, Value
from agent.store import Store
from hw_sim.host import HostTree

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 30


class Machine:
    """A folder with an ``agent.toml``, a simulated host, and what was stored of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "agent.toml"
        self.state_dir = folder / "run"
        self.tree = HostTree(folder / "machine")
        self.configure(self.host_table())

    def host_table(self) -> str:
        """A ``[[device]]`` of the simulated host."""
        proc, sys_ = self.tree.proc, self.tree.sys
        return f'[[device]]\nname = "host"\nkind = "host"\nproc = "{proc}"\nsys = "{sys_}"\n'

    def configure(self, *tables: str) -> None:
        """Write ``agent.toml``; times are those of Berlin."""
        text = '[agent]\ntimezone = "Europe/Berlin"\n' + "\n".join(tables)
        self.config.write_text(text, "utf-8")

    def run(self, *words: str) -> Result:
        """A command with this configuration, in this process."""
        command = [*words, "--config", str(self.config)]
        environ = {"RUNTIME_DIRECTORY": str(self.state_dir), "COLUMNS": "100"}
        return CliRunner().invoke(main, command, env=environ, prog_name="agent")

    def store(self, values: Mapping[str, Value], *metrics: Metric, device: str = "press") -> None:
        """Store one sample of a device, of now."""
        clock = SystemClock()
        store = Store(self.folder / "data" / "telemetry.db", clock)
        store.add_device(device, "s7", 1.0)
        store.describe(device, metrics)
        store.append(Sample(device, clock.stamp(), values))
        assert store.flush()
        store.close()


def in_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A script of the shell in which ``agent`` is the command, from source."""
    function = f'agent() {{ "{sys.executable}" -m agent "$@"; }}\n'
    return subprocess.run(
        ["/bin/bash", "-c", function + script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
