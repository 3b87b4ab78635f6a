"""What ``version`` prints."""

import json
import os
import sys
from _sqlite3 import sqlite_version  # the store around it would take as long as all the rest
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent import __version__
from agent.service.build import this_build

PACKAGES = (
    "apscheduler",
    "apsw",
    "attrs",
    "cattrs",
    "click",
    "luxtronik",
    "pymodbus",
    "pyserial",
    "typing-extensions",
    "tzdata",
    "tzlocal",
)
"""What the agent needs from elsewhere; the one file has the metadata of these inside."""
METADATA = (".dist-info", ".egg-info")


def version_report(*, as_json: bool) -> str:
    """Versions of the agent and of what it is made of."""
    return json.dumps(facts(), indent=1) if as_json else "\n".join(_lines())


def facts() -> dict[str, Any]:
    """The same for programs: also what the store's files are like."""
    from agent.store.schema import VERSION

    system = _system()
    return {
        "agent": __version__,
        "build": this_build(),
        **system,
        "libraries": libraries(sys.path),
        "schema": VERSION,
    }


def libraries(path: Iterable[str]) -> Mapping[str, str | None]:
    """The version of each of ``PACKAGES``, ``None`` for what is not in the folders of ``path``.

    Taken from the names of folders: ``importlib.metadata`` takes longer than all the rest.
    """
    found: dict[str, str] = {}
    for name, version in _installed(path):
        found.setdefault(name, version)
    return {package: found.get(_plain(package)) for package in PACKAGES}


def _lines() -> Iterator[str]:
    yield f"agent {__version__}"
    build = this_build()
    rows = {"build": build[:8]} if build else {}
    rows |= _system()
    rows |= {name: found or "missing" for name, found in libraries(sys.path).items()}
    width = max(map(len, rows))
    yield from (f"  {name:{width}} {text}" for name, text in rows.items())


def _system() -> dict[str, str]:
    of = os.uname()
    libc = (os.confstr("CS_GNU_LIBC_VERSION") or "").replace(" ", "")
    return {
        "python": sys.version.split()[0],
        "sqlite": sqlite_version,
        "machine": of.machine,
        "system": f"{of.sysname}-{of.release}-{of.machine}" + (f"-with-{libc}" if libc else ""),
    }


def _installed(path: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Plain names and versions of what is installed, the first found first."""
    for folder in path:
        try:
            entries = [each.name for each in Path(folder or ".").iterdir()]
        except OSError:  # an archive, or nothing
            continue
        for entry in entries:
            if entry.endswith(METADATA):
                name, _, version = entry.rpartition(".")[0].partition("-")
                yield _plain(name), version.partition("-py3")[0]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
