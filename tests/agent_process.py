"""A real ``agent run`` in a process of its own, with a configuration in a folder of the test."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent import state
from hw_sim.s7 import S7Simulator

AGENT = (sys.executable, "-c", "from agent.cli import main; main()")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 30.0  # nothing here takes so long; a machine with other work to do may be slow
LOOK_EVERY_S = 0.01


def wait_for(condition: Callable[[], Any], timeout_s: float = PATIENCE_S, what: str = "") -> Any:
    """The first true answer of ``condition``.

    Raises:
        TimeoutError: It did not come in time.
    """
    end = time.monotonic() + timeout_s
    while not (answer := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {timeout_s:g} s: {what or condition}")
        time.sleep(LOOK_EVERY_S)
    return answer


@contextmanager
def plcs(count: int) -> Iterator[list[S7Simulator]]:
    """Simulated PLCs on free ports."""
    with ExitStack() as stack:
        yield [stack.enter_context(S7Simulator(seed=seed + 1)) for seed in range(count)]


def s7_device(
    name: str,
    port: int,
    *,
    interval_s: float = 0.1,
    timeout_s: float = 1.0,
    tags: Mapping[str, str] | None = None,
) -> str:
    """A ``[[device]]`` table of a simulated PLC; ``tags`` are names and addresses with type."""
    lines = [
        f'[[device]]\nname = "{name}"\nkind = "s7"\nhost = "127.0.0.1"\nport = {port}',
        f"interval_s = {interval_s}\ntimeout_s = {timeout_s}",
    ]
    for tag, address in (tags or {"counter": "DB1.DBD0 DINT", "level": "DB1.DBD6 REAL"}).items():
        where, _, kind = address.partition(" ")
        lines.append(
            f'[[device.tag]]\nname = "{tag}"\naddress = "{where}"\ntype = "{kind}"\noverlap = true'
        )
    return "\n".join(lines)


def host_device(interval_s: float = 1.0, timeout_s: float = 3.0) -> str:
    """A ``[[device]]`` table of this machine."""
    return (
        '[[device]]\nname = "host"\nkind = "host"\n'
        f"interval_s = {interval_s}\ntimeout_s = {timeout_s}"
    )


def write_config(
    folder: Path,
    devices: Sequence[str],
    *,
    store: str = "flush_interval_s = 0.2",
    reports: str = "",
    data_dir: Path | None = None,
) -> Path:
    """``agent.toml`` in ``folder``, with its data beside it unless told otherwise."""
    path = folder / "agent.toml"
    sections = [
        f'[agent]\ndata_dir = "{data_dir or folder / "data"}"\ntimezone = "Europe/Berlin"',
        f"[store]\n{store}",
        f"[reports]\n{reports}",
        *devices,
    ]
    path.write_text("\n\n".join(sections) + "\n", "utf-8")
    return path


class AgentProcess:
    """Starts at once; killed at the end of the ``with`` if it still runs then.

    Args:
        prefix: The command that runs the agent's own, such as one that enters a namespace.
        env: Added to the environment.
    """

    def __init__(
        self,
        config: Path,
        *,
        data_dir: Path | None = None,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.data_dir = data_dir or config.parent / "data"
        self._prefix = tuple(prefix)
        # In memory, as on any Linux: what a killed agent had waiting is found there again.
        memory = os.environ.get("RUNTIME_DIRECTORY", str(config.parent / "run"))
        self.run_dir = Path(memory, hashlib.sha256(bytes(config.parent)).hexdigest()[:12])
        self._env = {**os.environ, "RUNTIME_DIRECTORY": str(self.run_dir), **(env or {})}
        self._env.pop("JOURNAL_STREAM", None)
        self._log = config.parent / "agent.log"
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        self.started_s = time.monotonic()
        with self._log.open("ab") as stream:
            self.process = subprocess.Popen(
                [*prefix, *AGENT, "run", "--config", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=self._env,
                cwd=config.parent,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process; ``prefix`` must replace itself by the agent."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def log(self) -> str:
        """What this agent has written to its log."""
        with self._log.open("rb") as stream:
            stream.seek(self._log_start)
            return stream.read().decode("utf-8", "replace")

    def lines(self, part: str) -> list[str]:
        """The lines of the log with ``part`` in them."""
        return [line for line in self.log.splitlines() if part in line]

    def state(self) -> dict[str, Any]:
        """What ``agent status`` knows of it; empty when it says nothing."""
        return state.read(self.data_dir, {"RUNTIME_DIRECTORY": str(self.run_dir)}) or {}

    def fresh_state(self) -> dict[str, Any]:
        """A state that was written after this call."""
        before = self.state().get("now_ms")

        def newer() -> dict[str, Any] | None:
            found = self.state()
            return found if found.get("now_ms", before) != before else None

        found: dict[str, Any] = wait_for(newer, what="a new state file")
        return found

    def device(self, name: str) -> dict[str, Any]:
        """A device's part of a fresh state."""
        devices = {device["name"]: device for device in self.fresh_state()["devices"]}
        found: dict[str, Any] = devices[name]
        return found

    def status(self, *options: str) -> str:
        """What ``agent status`` prints."""
        return self.command("status", *options).stdout

    def status_json(self) -> dict[str, Any]:
        """What ``agent status --json`` prints."""
        found: dict[str, Any] = json.loads(self.status("--json"))
        return found

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the agent with the same configuration."""
        return subprocess.run(
            [*self._prefix, *AGENT, *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            env=self._env,
            cwd=self.config.parent,
            timeout=PATIENCE_S,
            check=False,
        )

    def cpu_s(self) -> float:
        """CPU seconds that it has used, all threads together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_mb(self) -> float:
        """MiB of memory that it holds now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ValueError("no VmRSS")

    def stop(
        self, number: int = signal.SIGTERM, timeout_s: float = PATIENCE_S
    ) -> tuple[int, float]:
        """Send a signal and wait; exit code, and the seconds that it took."""
        began_s = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout_s), time.monotonic() - began_s

    def kill(self) -> None:
        """``kill -9`` and wait; twice is fine."""
        if self.is_running:
            self.process.kill()
        self.process.wait(PATIENCE_S)
