"""What the jobs of a search write down, from any thread."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from agent.devices.contract import Found
from agent.discovery.wish import Finding
from agent.errors import DeviceError

log = logging.getLogger(__name__)

T = TypeVar("T")


@attrs.frozen
class Answer(Generic[T]):
    """What a probe found, if anything, or why it could not find out."""

    found: T | None
    fault: str = ""


@attrs.define
class Notes:
    """Findings and warnings, in the order in which they came."""

    findings: list[Finding] = attrs.Factory(list)
    warnings: list[str] = attrs.Factory(list)

    def add(self, kind: str, way: str, found: Found) -> None:
        """One device."""
        self.findings.append(Finding(kind, way, found))

    def warn(self, text: str) -> None:
        """Something that a user should know, unless it is empty; once is enough."""
        if text and text not in self.warnings:
            self.warnings.append(text)


def answer_of(kind: str, where: str, probe: Callable[[], T | None]) -> Answer[T]:
    """What a probe says; nothing that happens in it ends the search."""
    try:
        return Answer(probe())
    except DeviceError as exc:
        return Answer(None, str(exc))
    except Exception as exc:
        log.debug("looking for %s at %s failed", kind, where, exc_info=True)
        return Answer(None, f"looking for {kind} at {where}: failed inside the agent: {exc!r}")
