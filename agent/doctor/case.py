"""What is examined: a machine, the configuration that was found, and the agent that runs on it."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from agent import state
from agent.config import Config, DeviceConfig, load
from agent.config.source import SIZE_LIMIT, find
from agent.discovery.search import Kinds
from agent.doctor.machine import Machine
from agent.doctor.systemd import Unit, shown_unit, variables_in
from agent.errors import ConfigError
from agent.service.own import STORE

SERVICE_DATA = Path("/var/lib/agent")
STALE_MS = 30_000  # the state is written every 2 s; one this old is of an agent that hangs


@attrs.frozen
class Case:
    """All that the checks share, gathered once.

    Args:
        file: The configuration that the commands take; ``None`` where there is none.
        raw: Its tables as they stand there, as far as it is TOML.
        error: What is wrong with it; then there is no ``config``.
        running: What the agent that runs on its data says of itself.
        is_locked: Whether an agent runs, be it without a word.
        unit: The service, as systemd shows it.
    """

    machine: Machine
    kinds: Kinds
    file: Path | None
    raw: Mapping[str, Any]
    config: Config | None
    error: ConfigError | None
    running: Mapping[str, Any] | None
    is_locked: bool
    unit: Unit

    @property
    def data_dir(self) -> Path | None:
        """Where the data is or will be, as far as that can be told."""
        return self.config.data_dir if self.config is not None else _raw_data_dir(self)

    @property
    def store(self) -> Path | None:
        """The file of the samples, there or not."""
        return self.data_dir / STORE if self.data_dir is not None else None

    @property
    def devices(self) -> tuple[DeviceConfig, ...]:
        """Those that are polled."""
        return tuple(d for d in self.config.devices if d.enabled) if self.config else ()

    @property
    def is_running(self) -> bool:
        """Whether an agent polls now."""
        return self.running is not None or self.is_locked

    @property
    def option(self) -> str:
        """What to add to commands, so that they take the same configuration."""
        is_usual = self.file is None or self.file == find()
        return "" if is_usual else f" --config {self.file}"

    @property
    def restart(self) -> str:
        """How the agent that runs is started anew."""
        if self.unit.is_active:
            return f"{self.unit.sudo}systemctl{self.unit.option} restart agent"
        return f"stop the agent and start it again: agent run{self.option}"


def gather(machine: Machine, file: Path | None, kinds: Kinds) -> Case:
    """Everything that is known before the checks begin; never raises for what is wrong."""
    environ = machine.environ
    named = file or (Path(environ["AGENT_CONFIG"]) if environ.get("AGENT_CONFIG") else find())
    unit = shown_unit(machine)
    if unit.runs_with(named):
        # What only the service has; without it, references to it would be faults.
        machine = attrs.evolve(machine, environ={**_of_service(unit), **environ})
    config, error = None, None
    try:
        config = load(file, kinds, machine.environ)
    except ConfigError as exc:
        error = exc
    case = Case(machine, kinds, named, _raw(named), config, error, None, False, unit)
    if case.data_dir is None:
        return case
    running = state.read(case.data_dir, environ)
    is_locked = state.is_locked(case.data_dir)
    if is_locked is None:  # it is of the service's user, who keeps it to his group
        is_locked = unit.is_active
    return attrs.evolve(case, running=running, is_locked=is_locked)


def _of_service(unit: Unit) -> dict[str, str]:
    """The variables of the service's own file, where this user may read it."""
    try:
        text = unit.environment_file.read_text("utf-8") if unit.environment_file else ""
    except (OSError, ValueError):
        return {}
    return variables_in(text)


def _raw(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        with file.open("rb") as stream:
            return tomllib.loads(stream.read(SIZE_LIMIT).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}


def _raw_data_dir(case: Case) -> Path | None:
    """That of a configuration with faults; else the folder of the service, if there is one."""
    section = case.raw.get("agent")
    named = section.get("data_dir", "data") if isinstance(section, dict) else None
    if isinstance(named, str) and case.file is not None:
        try:
            return Path(os.path.realpath(case.file)).parent / Path(named).expanduser()
        except (ValueError, RuntimeError):
            return None
    return SERVICE_DATA if case.machine.at(str(SERVICE_DATA)).is_dir() else None
