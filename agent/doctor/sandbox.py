"""Folders that the configuration names and the sandbox of the service closes."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from agent.doctor.case import Case
from agent.doctor.finding import Finding, listed, problem
from agent.doctor.systemd import Unit
from agent.service.configuration import report_folders
from agent.service.unit import quoted

# Source: systemd.exec(5), "RuntimeDirectory=, StateDirectory=, ...": below these for the system.
OWN_FOLDERS: Final = {
    "StateDirectory": "/var/lib",
    "LogsDirectory": "/var/log",
    "RuntimeDirectory": "/run",
    "CacheDirectory": "/var/cache",
}
BOUND: Final = re.compile(r"(/[^:]*):(/[^:]*):(?:no)?rbind")


def check_sandbox(case: Case) -> Iterator[Finding]:
    """A folder that the configuration moved is read-only for a unit that does not know of it."""
    closed = closed_folders(case)
    data = [folder for folder in closed if _is_data_dir(case, folder)]
    reports = [folder for folder in closed if not _is_data_dir(case, folder)]
    if data:
        text = f"the service may not write to {data[0]}"
        yield problem(f"{text}: {_why(case.unit, 'this data_dir')}", _fix(case.unit, data))
    if reports:
        text = f"the service may not write reports to {listed([str(each) for each in reports])}"
        yield problem(f"{text}: {_why(case.unit, 'that')}", _fix(case.unit, reports))


def _why(unit: Unit, what: str) -> str:
    known = "the unit of the package knows /var/lib/agent only"
    return known if unit.is_packaged else f"its unit is older than {what}"


def _fix(unit: Unit, folders: Sequence[Path]) -> str:
    if not unit.is_packaged:
        return unit.renew  # which reads the configuration, and opens what that names
    owner = f"-o {unit.facts.get('User') or 'root'} -g {unit.facts.get('Group') or 'root'}"
    missing = " ".join(quote(str(each)) for each in folders if not each.is_dir())
    make = f"sudo install -d {owner} -m 2770 {missing}; " if missing else ""
    lines = " and ".join(f"ReadWritePaths={quoted(each)}" for each in folders)
    return (
        f"{make}sudo systemctl edit agent, write [Service] there and {lines} below it; "
        "then: sudo systemctl restart agent"
    )


def closed_folders(case: Case) -> list[Path]:
    """Those for data and reports that the unit does not open, though all else is closed."""
    unit, config = case.unit, case.config
    if config is None or unit.is_user or not unit.runs_with(case.file):
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
