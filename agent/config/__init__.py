"""``agent.toml`` and the environment become one checked ``Config``, or all that is wrong."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from agent.config import environment
from agent.config.devices import DeviceLoader, Kinds, Place
from agent.config.faults import Fault, FaultyConfigError, did_you_mean, shown
from agent.config.schema import SECTIONS, Config, DeviceConfig, ReportsSection
from agent.config.source import find, read_table, resolve
from agent.config.structure import partial, structure
from agent.errors import ConfigError

__all__ = ["Config", "DeviceConfig", "FaultyConfigError", "from_tables", "load"]

NO_FILE = (
    "no configuration: there is no agent.toml in this folder and no /etc/agent/agent.toml, "
    "name a file with --config FILE, or write one with: agent init"
)


def load(file: Path | None, kinds: Kinds, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of ``file``, or of the first default file, or of the environment.

    Raises:
        FaultyConfigError: With every fault of it.
        ConfigError: There is no configuration.
    """
    environ = os.environ if environ is None else environ
    file = file or (Path(environ["AGENT_CONFIG"]) if environ.get("AGENT_CONFIG") else find())
    if file is not None:
        raw = read_table(file)
        # Not Path.resolve(), which raises where links lead in a circle.
        folder = Path(os.path.realpath(file)).parent
        return from_tables(raw, str(file), folder, kinds, environ)
    found = environment.from_heat_pump_logger(environ)
    if found is None:
        raise ConfigError(NO_FILE)
    if environment.HEAT_PUMP_KIND not in kinds:
        raise ConfigError(
            f"{NO_FILE}; HOST is set, as for the heat pump logger, but this version has no kind "
            f"{environment.HEAT_PUMP_KIND!r}"
        )
    return from_tables(found, environment.WHERE, Path.cwd(), kinds, environ)


def from_tables(
    raw: dict[str, Any], source: str, folder: Path, kinds: Kinds, environ: Mapping[str, str]
) -> Config:
    """The configuration of tables; ``folder`` is where their relative paths begin.

    Raises:
        FaultyConfigError: With every fault of them.
    """
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
        raw = resolve(raw, self._folder, self._environ)
        self._faults += environment.misspelt_sections(self._environ)
        known = [*SECTIONS, "device"]
        for extra in sorted(set(raw) - set(known)):
            text = f"unknown section {shown(extra)}{did_you_mean(extra, known)}"
            self._faults.append(Fault(self._source, text))
        sections = {name: self._section(raw, name) for name in SECTIONS}
        loader = DeviceLoader(self._source, self._kinds, self._environ)
        tables = raw.get("device", [])
        devices = tuple(loader.devices(tables))
        self._faults += loader.faults
        self._check_folders(raw, len(tables) if isinstance(tables, list) else 1)
        if self._faults:
            raise FaultyConfigError(self._faults)
        reports = sections["reports"]
        sections["reports"] = attrs.evolve(
            reports,
            dir=_expanded(reports.dir),
            daily_dir=_expanded(reports.daily_dir),
            weekly_dir=_expanded(reports.weekly_dir),
        )
        data_dir = self._folder / _expanded(sections["agent"].data_dir)
        return Config(self._source, **sections, devices=devices, data_dir=data_dir)

    def _section(self, raw: dict[str, Any], name: str) -> Any:
        variables = environment.section_variables(name, self._environ)
        table = raw.setdefault(name, {})
        if not isinstance(table, dict):
            text = f"{name}: found {shown(table)}, allowed: a section [{name}]"
            self._faults.append(Fault(self._source, text))
            return None
        section = SECTIONS[name]
        self._faults += environment.apply(table, [section], variables, self._environ)
        place = Place(f"{self._source}: [{name}]", variables, self._faults)
        made, faults = structure(table, section)
        for key, text in faults:
            place.fault(text, key)
        return made

    def _check_folders(self, raw: Mapping[str, Any], devices: int) -> None:
        if not isinstance(raw["reports"], dict) or devices < 2:
            return
        variables = environment.section_variables("reports", self._environ)
        place = Place(f"{self._source}: [reports]", variables, self._faults)
        reports = partial(raw["reports"], ReportsSection)
        for key in ("daily_dir", "weekly_dir"):
            folder = getattr(reports, key)
            if "{device}" not in folder:
                allowed = "a folder with {device} in it"
                text = f"found {shown(folder)}, allowed: {allowed}"
                place.fault(f"{text}, since there are {devices} devices", key)


def _expanded(folder: str) -> str:
    """A folder with the user's own in place of ``~``."""
    return str(Path(folder).expanduser())
