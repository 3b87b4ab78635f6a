"""Folders that the configuration names and the sandbox of the service closes."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from agent.doctor.case import Case
from agent.doctor.finding import Finding, listed, problem
from agent.doctor.systemd import INSTALL
from agent.service.configuration import report_folders

# Source: systemd.exec(5), "RuntimeDirectory=, StateDirectory=, ...": below these for the system.
OWN_FOLDERS: Final = {
    "StateDirectory": "/var/lib",
    "LogsDirectory": "/var/log",
    "RuntimeDirectory": "/run",
    "CacheDirectory": "/var/cache",
}
BOUND: Final = re.compile(r"(/[^:]*):(/[^:]*):(?:no)?rbind")


def check_sandbox(case: Case) -> Iterator[Finding]:
    """A folder that was moved after the unit had been made is read-only for the service."""
    closed = closed_folders(case)
    data = [str(folder) for folder in closed if _is_data_dir(case, folder)]
    reports = [str(folder) for folder in closed if not _is_data_dir(case, folder)]
    older = "its unit is older than"
    if data:
        text = f"the service may not write to {data[0]}: {older} this data_dir"
        yield problem(text, INSTALL)
    if reports:
        text = f"the service may not write reports to {listed(reports)}: {older} that"
        yield problem(text, INSTALL)


def closed_folders(case: Case) -> list[Path]:
    """Those for data and reports that the unit does not open, though all else is closed."""
    unit, config = case.unit, case.config
    is_its_own = (
        case.file is not None
        and unit.config is not None
        and os.path.realpath(case.file) == os.path.realpath(unit.config)
    )
    if config is None or unit.is_user or not is_its_own:
        return []
    if unit.facts.get("ProtectSystem") != "strict":
        return []
    opened = [Path(os.path.realpath(each)) for each in _opened(unit.facts)]

    def is_open(folder: Path) -> bool:
        return any(Path(os.path.realpath(folder)).is_relative_to(each) for each in opened)

    closed: list[Path] = []
    for folder in (Path(os.path.normpath(config.data_dir)), *report_folders(config)):
        is_within = any(folder.is_relative_to(each) for each in closed)
        if not is_within and not is_open(folder):
            closed.append(folder)
    return closed


def _is_data_dir(case: Case, folder: Path) -> bool:
    return case.data_dir is not None and os.path.normpath(case.data_dir) == str(folder)


def _opened(facts: Mapping[str, str]) -> Iterator[str]:
    for key, above in OWN_FOLDERS.items():
        yield from (f"{above}/{name}" for name in _words(facts.get(key, "")))
    yield from (word.lstrip("-+") for word in _words(facts.get("ReadWritePaths", "")))
    yield from (target for _, target in BOUND.findall(facts.get("BindPaths", "")))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
