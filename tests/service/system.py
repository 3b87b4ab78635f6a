"""A machine in a folder: systemd, users and programs as an installation sees them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.config import load
from agent.devices import KINDS
from agent.errors import AgentError
from agent.service import unit
from agent.service.commands import Result
from agent.service.machine import Machine
from agent.state import StateFile
from tests.fakes import NOON_MS, FakeClock

OK = Result(0, "", "")


class System:
    """Answers as the programs of a Debian would; services "run" by leaving their state behind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = FakeClock()
        self.commands: list[str] = []
        self.missing: set[str] = set()
        self.failing: dict[str, str] = {}  # part of a command to what it says
        self.users: dict[str, str] = {}
        self.groups: dict[str, list[str]] = {"dialout": []}
        self.active = "inactive"
        self.sub = "dead"
        self.restarts = 0
        self.enabled = False
        self.starts = 0
        self.behaviour: dict[str, Callable[[dict[str, Any]], None]] = {}  # by version
        self._states: list[StateFile] = []
        (root / "run/systemd/system").mkdir(parents=True)
        (root / "etc/systemd/system").mkdir(parents=True)

    def machine(self, uid: int = 0, **environ: str) -> Machine:
        """What an installation is handed in."""
        home = self.root / "home"
        return Machine(
            self, self.clock, self.clock.advance, environ, uid, home, self.root, 60.0, 5.0
        )

    # The programs of the system.

    def find(self, name: str) -> str | None:
        return None if name in self.missing else f"/usr/bin/{name}"

    def run(self, *command: str, timeout_s: float = 0.0) -> Result:
        line = " ".join((Path(command[0]).name, *command[1:]))
        self.commands.append(line)
        for part, said in self.failing.items():
            if part in line:
                return Result(1, "", said)
        if Path(command[0]).is_relative_to(self.root):
            try:
                done = subprocess.run(command, capture_output=True, text=True)
            except OSError as exc:
                raise AgentError(f"cannot run {command[0]}") from exc
            return Result(done.returncode, done.stdout, done.stderr)
        answer = getattr(self, f"_{Path(command[0]).name.replace('-', '_')}")
        result: Result = answer(*command[1:])
        return result

    def _getent(self, database: str, name: str) -> Result:
        if database == "passwd" and name in self.users:
            return Result(0, self.users[name] + "\n", "")
        if database == "group" and name in self.groups:
            gid = os.getgid()
            return Result(0, f"{name}:x:{gid}:{','.join(self.groups[name])}\n", "")
        return Result(2, "", "")

    def _systemd_sysusers(self, file: str) -> Result:
        for line in Path(file).read_text().splitlines():
            kind, name, *rest = line.split()
            if kind == "u":
                self._useradd(name)
                self.groups.setdefault(name, [])
            elif kind == "m":
                self._usermod("--append", "--groups", rest[0], name)
        return OK

    def _useradd(self, *words: str) -> Result:
        name = words[-1]
        ids = f"{os.getuid()}:{os.getgid()}"
        # The number that a system's user would have does not exist here: it is the tester's own.
        about = "Edge telemetry agent:/nonexistent:/usr/sbin/nologin"
        self.users.setdefault(name, f"{name}:x:{ids}:{about}")
        return OK

    def _groupadd(self, *words: str) -> Result:
        self.groups.setdefault(words[-1], [])
        return OK

    def _usermod(self, *words: str) -> Result:
        group, name = words[-2:]
        if name not in self.groups[group]:
            self.groups[group].append(name)
        return OK

    def _gpasswd(self, _: str, user: str, group: str) -> Result:
        self.groups[group].remove(user)
        return OK

    def _userdel(self, name: str) -> Result:
        del self.users[name]
        self.groups.pop(name, None)
        for members in self.groups.values():
            if name in members:
                members.remove(name)
        return OK

    def _groupdel(self, name: str) -> Result:
        del self.groups[name]
        return OK

    def _journalctl(self, *_: str) -> Result:
        return Result(0, "it tried\nit failed\n", "")

    def _systemctl(self, *words: str) -> Result:
        words = tuple(word for word in words if word not in ("--user", "--quiet", "--no-block"))
        verb = words[0]
        if verb == "show":
            return Result(0, self._shown(), "")
        if verb == "start":
            self._start()
        elif verb == "stop":
            self._stop()
        elif verb in ("enable", "disable"):
            self.enabled = verb == "enable"
        return OK

    def _shown(self) -> str:
        pid = os.getpid() if self.active == "active" else 0
        state = "enabled" if self.enabled else "disabled"
        return (
            f"ActiveState={self.active}\nSubState={self.sub}\nResult=exit-code\nMainPID={pid}\n"
            f"NRestarts={self.restarts}\nUnitFileState={state}\n"
        )

    def _start(self) -> None:
        self.starts += 1
        self.active, self.sub, self.restarts = "active", "running", 0
        text = next(self.root.rglob("agent.service")).read_text()
        prefix = unit.prefix_of(text)
        assert prefix is not None
        program = prefix / "lib/agent/current/agent"
        facts = json.loads(subprocess.check_output([program, "version", "--json"]))
        config = Path(text.partition(" --config ")[2].split("\n")[0].strip('"'))
        state = self._state(facts["agent"], config)
        if (behave := self.behaviour.get(facts["agent"])) is not None:
            behave(state)
        if state and self.active == "active":
            runtime = self.root / "run/agent"
            file = StateFile(Path(state["data_dir"]), {"RUNTIME_DIRECTORY": str(runtime)})
            file.write(state)
            self._states.append(file)

    def _state(self, version: str, config: Path) -> dict[str, Any]:
        loaded = load(config, KINDS, {})
        devices = [
            {"name": each.name, "is_well": True, "polls": 9, "failures": 0, "error": None}
            for each in loaded.devices
        ]
        return {
            "version": version,
            "pid": os.getpid(),
            "data_dir": str(loaded.data_dir),
            "store": {"error": None, "last_commit_ms": NOON_MS, "waiting": 1},
            "devices": devices,
        }

    def _stop(self) -> None:
        self.active, self.sub = "inactive", "dead"
        while self._states:
            self._states.pop().remove()

    def crash(self, _: dict[str, Any]) -> None:
        """What a version does that ends at once."""
        self.active, self.sub, self.restarts = "activating", "auto-restart", 1
