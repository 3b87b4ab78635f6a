"""What ``version`` prints."""

import json
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Any

from agent import __version__
from agent.store import sqlite_version

PACKAGES = ("apscheduler", "attrs", "cattrs", "click", "tzdata", "tzlocal")


def version_report(*, as_json: bool) -> str:
    """Versions of the agent and of what it is made of."""
    facts: dict[str, Any] = {
        "agent": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite_version(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "libraries": {},
    }
    for package in PACKAGES:
        try:
            facts["libraries"][package] = package_version(package)
        except PackageNotFoundError:
            facts["libraries"][package] = None
    if as_json:
        return json.dumps(facts, indent=1)
    lines = [f"agent {__version__}"]
    lines += [f"  {key:10} {facts[key]}" for key in ("python", "sqlite", "machine", "system")]
    lines += [f"  {name:10} {number or 'missing'}" for name, number in facts["libraries"].items()]
    return "\n".join(lines)
