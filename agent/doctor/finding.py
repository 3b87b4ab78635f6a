"""What a check found: how bad it is, what and where, and what to do next."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import attrs

LISTED: Final = 6  # names in one line


class Level(StrEnum):
    """How bad a finding is; only a problem makes the command fail."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@attrs.frozen
class Finding:
    """One line: ``fix`` is what to do next, ``details`` are for the report and programs."""

    level: Level
    text: str
    fix: str = ""
    details: tuple[str, ...] = ()
    area: str = ""  # set by who runs the check


def listed(names: Sequence[str], limit: int = LISTED) -> str:
    """Names in a line; of many only the first.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{', '.join(names[:limit])}{more}"


def ok(text: str, *details: str) -> Finding:
    """All is well with something."""
    return Finding(Level.OK, text, details=details)


def note(text: str, fix: str = "") -> Finding:
    """Worth knowing; nothing is wrong."""
    return Finding(Level.NOTE, text, fix)


def warning(text: str, fix: str) -> Finding:
    """It works, and may not go on to."""
    return Finding(Level.WARNING, text, fix)


def problem(text: str, fix: str) -> Finding:
    """Something does not work."""
    return Finding(Level.PROBLEM, text, fix)
