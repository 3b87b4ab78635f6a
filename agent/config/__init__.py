"""``agent.toml`` and the environment become one checked ``Config``, or all that is wrong."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.config import environment
from agent.config.devices import DeviceLoader, Kinds
from agent.config.faults import Fault, FaultyConfigError, did_you_mean, shown
from agent.config.schema import AgentSection, Config, DeviceConfig, ReportsSection, StoreSection
from agent.config.source import References, find, read_table
from agent.config.structure import structure
from agent.errors import ConfigError

__all__ = ["Config", "DeviceConfig", "FaultyConfigError", "load"]


def load(file: Path | None, kinds: Kinds, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of ``file``, or of the first default file, or of the environment.

    Raises:
        FaultyConfigError: With every fault of it.
        ConfigError: There is no configuration.
    """
    environ = os.environ if environ is None else environ
    file = file or (Path(environ["AGENT_CONFIG"]) if environ.get("AGENT_CONFIG") else find())
    if file is not None:
        source, folder, raw = str(file), file.resolve().parent, read_table(file)
    else:
        found = environment.from_heat_pump_logger(environ)
        if found is None:
            raise ConfigError(
                "no configuration: there is no agent.toml in this folder and no "
                "/etc/agent/agent.toml, name a file with --config FILE"
            )
        source, folder, raw = "environment", Path.cwd(), found
    return _Loader(source, folder, kinds, environ).config(raw)


class _Loader:
    """Checks one configuration and collects its faults on the way."""

    def __init__(self, source: str, folder: Path, kinds: Kinds, environ: Mapping[str, str]) -> None:
        self._source = source
        self._folder = folder
        self._kinds = kinds
        self._environ = environ
        self._faults: list[Fault] = []

    def config(self, raw: dict[str, Any]) -> Config:
        references = References(self._source, self._folder, self._environ)
        raw = references.resolve(raw)
        self._faults += references.faults
        self._faults += environment.apply_sections(raw, self._environ)
        for extra in sorted(set(raw) - {"agent", "store", "reports", "device"}):
            hint = did_you_mean(extra, ["agent", "store", "reports", "device"])
            self._fault("", f"unknown section {extra!r}{hint}")
        agent = self._section(raw, "agent", AgentSection)
        store = self._section(raw, "store", StoreSection)
        reports = self._section(raw, "reports", ReportsSection)
        loader = DeviceLoader(self._source, self._kinds, self._environ)
        devices = tuple(loader.devices(raw.get("device", [])))
        self._faults += loader.faults
        if reports is not None:
            self._check_folders(reports, len(devices))
        if self._faults or agent is None or store is None or reports is None:
            raise FaultyConfigError(self._faults)
        data_dir = self._folder / Path(agent.data_dir).expanduser()
        return Config(self._source, agent, store, reports, devices, data_dir)

    def _fault(self, where: str, text: str) -> None:
        self._faults.append(Fault(f"{self._source}: {where}" if where else self._source, text))

    def _section(self, raw: Mapping[str, Any], name: str, section: type) -> Any:
        table = raw.get(name, {})
        if not isinstance(table, dict):
            self._fault("", f"{name}: found {shown(table)}, allowed: a section [{name}]")
            return None
        made, faults = structure(table, section)
        for key, text in faults:
            self._fault(f"[{name}]", f"{key}: {text}" if key else text)
        return made

    def _check_folders(self, reports: ReportsSection, devices: int) -> None:
        for key in ("daily_dir", "weekly_dir"):
            folder = getattr(reports, key)
            if devices > 1 and "{device}" not in folder:
                text = f"{key}: found {shown(folder)}, allowed: a folder with {{device}} in it"
                self._fault("[reports]", f"{text}, since there are {devices} devices")
