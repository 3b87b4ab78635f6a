"""The agent as a service of a machine: installed from the one file, and asked how it is."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.agent_process import wait_for
from tests.systemd.machine import Machine
from tests.systemd.programs import one_file

PROGRAM = "/root/agent"  # the one file, as somebody has copied it there
CONTROL = "/run/simulators.sock"
SIMULATED = "/run/simulated"  # in memory: what they write there is not the agent's
STORE = "/var/lib/agent/telemetry.db"
INSTALL_S = 240.0  # the new version may take a minute, and so may the former one
USUAL = '[agent]\ndata_dir = "/var/lib/agent"\n\n[store]\nflush_interval_s = {flush_s}\n'


class Service:
    """The agent on a machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def copy(self, program: Path | None = None, to: str = PROGRAM) -> None:
        """Bring a program onto the machine."""
        self.machine.copy_in(program or one_file(), to)
        self.machine.run("chmod", "755", to)

    def install(
        self, *options: str, program: str = PROGRAM, sudo_user: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """``agent install-service``, by root or with sudo."""
        words = (program, "install-service", *options)
        env = {"SUDO_USER": sudo_user} if sudo_user else {}
        return self.machine.run(*words, env=env, check=check, timeout_s=INSTALL_S)

    def install_with(self, devices: Sequence[str], flush_s: float = 2.0) -> None:
        """Have it run with these devices."""
        self.copy()
        self.machine.write("/root/mine.toml", "\n".join([USUAL.format(flush_s=flush_s), *devices]))
        self.install("--config", "/root/mine.toml")

    @property
    def pid(self) -> int:
        """Its process inside; 0 while there is none."""
        return int(self.machine.show("agent", "MainPID"))

    @property
    def restarts(self) -> int:
        """How often systemd has started it again."""
        return int(self.machine.show("agent", "NRestarts"))

    @property
    def is_active(self) -> bool:
        """Whether it has started and runs."""
        return self.machine.show("agent", "ActiveState") == "active"

    def outside_pid(self) -> int:
        """Its process as this machine counts."""
        wanted = str(self.pid)
        for path in Path("/proc").glob("[0-9]*/status"):
            try:
                text = path.read_text()
            except OSError:
                continue
            numbers = text.partition("\nNSpid:")[2].partition("\n")[0].split()
            if len(numbers) > 1 and numbers[-1] == wanted and self._is_inside(path.parent):
                return int(path.parent.name)
        raise LookupError(f"process {wanted} is not there")

    def _is_inside(self, process: Path) -> bool:
        ours = Path(f"/proc/{self.machine.leader}/ns/pid").readlink()
        return (process / "ns" / "pid").readlink() == ours

    def state(self) -> dict[str, Any]:
        """What ``agent status --json`` says."""
        found: dict[str, Any] = json.loads(self.machine.run("agent", "status", "--json").stdout)
        return found

    def devices(self) -> dict[str, dict[str, Any]]:
        """The devices of ``state()`` by name."""
        return {device["name"]: device for device in self.state()["devices"]}

    def wait_until_active(self, timeout_s: float = 60.0) -> None:
        """Until it has started."""
        wait_for(lambda: self.is_active, timeout_s, "the service to run")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What lies in the store, as ``sqlite3`` reads it."""
        out = self.machine.run("sqlite3", "-json", "-readonly", STORE, sql).stdout
        return json.loads(out) if out.strip() else []

    def query(self, sql: str) -> list[dict[str, Any]]:
        """What ``agent query`` answers."""
        found: list[dict[str, Any]] = json.loads(
            self.machine.run("agent", "query", "--json", sql).stdout
        )
        return found

    def samples(self, device: str) -> list[list[Any]]:
        """The values of a plain device that are stored, in order."""
        sql = f"SELECT v FROM row r JOIN device d ON d.id = r.device WHERE d.name = '{device}'"
        return [json.loads(row["v"]) for row in self.rows(f"{sql} ORDER BY r.id")]

    def numbers(self) -> list[int]:
        """What is stored of the device that counts."""
        return [int(values[0]) for values in self.samples("counting")]

    def log(self, *options: str) -> list[dict[str, Any]]:
        """Its own entries of the journal."""
        return self.machine.journal("--unit=agent", "_SYSTEMD_UNIT=agent.service", *options)

    def messages(self, *options: str) -> str:
        """The texts of these entries."""
        return "\n".join(str(entry["MESSAGE"]) for entry in self.log(*options))


@contextmanager
def simulators(machine: Machine) -> Iterator[str]:
    """One device of each kind, from the one file; the configuration that reads them."""
    target = f"{SIMULATED}.toml"
    machine.start(
        "simulators", PROGRAM, "simulate", "all", "--output", target,
        "--dir", SIMULATED, "--control", CONTROL,
    )  # fmt: skip
    text = wait_for(lambda: _read(machine, target), what="simulators")
    # Real serial ports belong to this group, by the rules of udev.
    machine.run("sh", "-c", "chgrp dialout /dev/pts/[0-9]* && chmod 660 /dev/pts/[0-9]*")
    try:
        yield text
    finally:
        machine.run("systemctl", "stop", "simulators", check=False)


def _read(machine: Machine, path: str) -> str:
    return machine.run("cat", path, check=False).stdout


def fault(machine: Machine, device: str, name: str) -> None:
    """Have a simulated device misbehave; ``none`` ends it."""
    machine.run(PROGRAM, "simulate", "fault", "--control", CONTROL, device, name)
