"""The configuration of a service: the one that is there, the user's, or a first one."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from agent.config import Config, from_tables
from agent.config.devices import Kinds
from agent.config.source import read_table
from agent.errors import ConfigError
from agent.service.own import data_files
from agent.service.paths import Places, checked_data_folder

HEADER = re.compile(r"^[ \t]*\[[ \t]*agent[ \t]*\][ \t]*(?:#.*)?\r?$", re.MULTILINE)
ANY_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)
TEXT = r"""(?:"[^"\n]*"|'[^'\n]*')"""
REST = r"(?P<space>[ \t]*)(?P<comment>#.*)?$"
DATA_DIR = re.compile(rf"^(?P<start>[ \t]*data_dir[ \t]*=[ \t]*){TEXT}{REST}", re.MULTILINE)
NO_DATA_DIR = re.compile(
    rf"^[ \t]*#[ \t]?(?P<start>data_dir[ \t]*=[ \t]*){TEXT}{REST}", re.MULTILINE
)
VARIABLE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$")


@attrs.frozen
class Secret:
    """A file that the user's configuration refers to by a relative path."""

    source: Path
    target: Path


@attrs.frozen
class Configured:
    """A configuration as the service will load it."""

    config: Config
    text: str | None  # to be written; None: the file that is there is kept
    secrets: tuple[Secret, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def data_dir(self) -> Path:
        """The folder of the store, without ``..``."""
        return _plain(self.config.data_dir)

    def folders(self, places: Places) -> list[Path]:
        """Where the service writes but for the usual data folder: none lies inside another."""
        return outermost([self.data_dir, *_parents(self.config)], places.data_dir)

    def own_folders(self, places: Places) -> list[Path]:
        """Those that belong to the service alone; what was there above them stays its owner's."""
        new = [
            path
            for path in _parents(self.config)
            if not path.exists() and not self.data_dir.is_relative_to(path)
        ]
        return outermost([self.data_dir, *report_folders(self.config), *new], places.data_dir)

    def own_files(self) -> list[Path]:
        """What an agent may have written there before: to be given to the service."""
        files = data_files(self.data_dir) if self.data_dir.is_dir() else []
        return [*files, *report_folders(self.config)]


def report_folders(config: Config) -> list[Path]:
    """The folders of the reports of each device; those above them only in the data folder.

    A folder that is the data folder, or has it inside, is none of them.
    """
    data_dir = _plain(config.data_dir)
    found = {
        _plain(Path(pattern.replace("{device}", device.name)))
        for pattern in _patterns(config)
        for device in config.devices
    }
    found |= {path for path in _parents(config) if path.is_relative_to(data_dir)}
    return sorted(path for path in found if not data_dir.is_relative_to(path))


def _patterns(config: Config) -> list[str]:
    base = str(config.data_dir / config.reports.dir)
    patterns = ("{dir}/{device}", config.reports.daily_dir, config.reports.weekly_dir)
    return [str(config.data_dir / pattern.replace("{dir}", base)) for pattern in patterns]


def _parents(config: Config) -> list[Path]:
    """The folders that have all reports inside, as far as they are the same for every device."""
    return [
        _plain(Path(pattern.partition("{device}")[0].rpartition("/")[0] or "/"))
        if "{device}" in pattern
        else _plain(Path(pattern))
        for pattern in _patterns(config)
    ]


def outermost(folders: Sequence[Path], *others: Path) -> list[Path]:
    """Those folders that lie in none of the rest, and in none of the others."""
    found: list[Path] = []
    for folder in sorted(set(folders)):
        if not any(folder.is_relative_to(each) for each in (*others, *found)):
            found.append(folder)
    return found


def configured(
    places: Places, file: Path | None, kinds: Kinds, first_text: Callable[[], str]
) -> Configured:
    """The configuration for a service, checked as every start of it will check it.

    Raises:
        ConfigError: With every fault of it.
    """
    environ = service_environ(places)
    if places.config.exists():
        found = _existing(places, file, kinds, environ)
    elif file is not None:
        found = _of_user(places, file, kinds, environ)
    else:
        text = with_data_dir(first_text(), str(places.data_dir), str(places.config))
        config = from_tables(
            tomllib.loads(text), str(places.config), places.config.parent, kinds, {}
        )
        found = Configured(config, text)
    for folder in found.folders(places):
        checked_data_folder(folder, found.config.source, places)
    return found


def _existing(
    places: Places, file: Path | None, kinds: Kinds, environ: Mapping[str, str]
) -> Configured:
    table = read_table(places.config)
    _check_home(table, places, str(places.config))
    config = from_tables(table, str(places.config), places.config.parent, kinds, environ)
    notes = []
    if file is not None and os.path.realpath(file) != os.path.realpath(places.config):
        notes.append(
            f"{file} was not used: there is {places.config} already, and it is kept; "
            f"change that one and restart the service"
        )
    if config.data_dir.is_relative_to(places.config.parent) and not places.is_user:
        usual = f'data_dir = "{places.data_dir}"'
        notes.append(f"the data are kept in {config.data_dir}; the usual place would be {usual}")
    return Configured(config, None, notes=tuple(notes))


def _of_user(places: Places, file: Path, kinds: Kinds, environ: Mapping[str, str]) -> Configured:
    table = read_table(file)
    _check_home(table, places, str(file))
    folder = Path(os.path.realpath(file)).parent
    before = from_tables(table, str(file), folder, kinds, environ)
    text = file.read_text("utf-8-sig")
    notes = []
    named = table.get("agent", {}).get("data_dir", "data")
    if isinstance(named, str) and not Path(named).is_absolute():
        text = with_data_dir(text, str(places.data_dir), str(file))
        notes.append(f"data_dir {named!r} became {str(places.data_dir)!r}")
        if before.store_path.exists():
            notes.append(
                f"the samples so far stay in {before.store_path}; to go on with them, stop the "
                f"service, copy that file to {places.data_dir}, and install once more"
            )
    secrets = tuple(_secrets(table, folder, places.config.parent))
    config = from_tables(tomllib.loads(text), str(file), folder, kinds, environ)
    return Configured(config, text, secrets, tuple(notes))


def _check_home(table: Mapping[str, Any], places: Places, source: str) -> None:
    """``~`` would be root's home here, and the service has none."""
    for section in ("agent", "reports"):
        options = table.get(section, {})
        for key, value in options.items() if isinstance(options, dict) else ():
            if isinstance(value, str) and value.startswith("~") and not places.is_user:
                raise ConfigError(
                    f"{source}: [{section}]: {key}: found {value!r}, but the service's user has "
                    "no home: write the whole path"
                )


def _secrets(value: Any, folder: Path, target: Path) -> Iterator[Secret]:
    """The files named by ``{ file = "name" }`` that a copy of the configuration would miss."""
    if isinstance(value, list):
        for each in value:
            yield from _secrets(each, folder, target)
    elif isinstance(value, dict) and [*value] == ["file"] and isinstance(value["file"], str):
        name = Path(value["file"])
        if not name.is_absolute() and not value["file"].startswith("~"):
            if ".." in name.parts:
                raise ConfigError(
                    f"file {value['file']!r} cannot be copied to {target}: write its whole path, "
                    "or put it beside the configuration"
                )
            yield Secret(folder / name, target / name)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _secrets(each, folder, target)


def service_environ(places: Places) -> Mapping[str, str]:
    """The variables that the service will have: those of ``agent.env``, and none of a shell."""
    try:
        text = places.environment.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    found = (VARIABLE.match(line) for line in text.splitlines())
    return {match[1]: match[2].strip().strip("\"'") for match in found if match}


def with_data_dir(text: str, folder: str, source: str) -> str:
    """A configuration with another data folder, and all else as it was, comments too.

    Raises:
        ConfigError: It is written in an unusual way.
    """
    wanted = tomllib.loads(text)
    wanted.setdefault("agent", {})["data_dir"] = folder
    changed = _replaced(text, json.dumps(folder, ensure_ascii=False))
    try:
        is_right = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise ConfigError(f"{source}: write data_dir = {json.dumps(folder)} into [agent] first")
    return changed


def _replaced(text: str, value: str) -> str:
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    header = HEADER.search(text)
    if header is None:
        return f"[agent]{end_of_line}data_dir = {value}{end_of_line * 2}{text}"
    following = ANY_HEADER.search(text, header.end())
    end = following.start() if following else len(text)
    section = text[header.end() : end]

    def line(found: re.Match[str]) -> str:
        """The comment stays in its column, as far as the value leaves room."""
        new = f"{found['start']}{value}"
        comment = found["comment"]
        column = len(found[0]) - len(comment or "") - 2
        return f"{new.ljust(column)}  {comment}" if comment else new

    for pattern in (DATA_DIR, NO_DATA_DIR):
        changed, count = pattern.subn(line, section, count=1)
        if count:
            return text[: header.end()] + changed + text[end:]
    inserted = f"{end_of_line}data_dir = {value}"
    at = header.end() - (1 if text[: header.end()].endswith("\r") else 0)
    return text[:at] + inserted + text[at:]


def _plain(path: Path) -> Path:
    """A path without ``..``, whether it is there or not."""
    return Path(os.path.normpath(path))
