"""Samples that got their true time after they had been stored, as ``status`` tells of them."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from agent.reports.rollup import moved_facts
from agent.store.moved import Moved


def moved_lines(stored: Mapping[str, Mapping[str, Any]], zone: tzinfo) -> list[str]:
    """A line for each device and each time at which its clock was set."""
    return [
        f"clock    {moved.text(known['name'], zone)}"
        for known in stored.values()
        for moved in known["moved"]
    ]


def moved_of(moved: Sequence[Moved], zone: tzinfo) -> dict[str, Any]:
    """The same of a device for programs; nothing where there is nothing to tell."""
    return {"moved": [moved_facts(each, zone) for each in moved]} if moved else {}
