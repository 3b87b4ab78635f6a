"""Findings as lines for people, and as JSON for programs."""

import json
from collections.abc import Sequence
from textwrap import TextWrapper
from typing import Final

from agent.console.table import printable, width
from agent.doctor.finding import Finding, Level
from agent.words import counted

SIGNS: Final = {
    Level.OK: "ok",
    Level.NOTE: "note",
    Level.WARNING: "!",
    Level.PROBLEM: "!!",
}
BAD: Final = (Level.PROBLEM, Level.WARNING)
NARROWEST: Final = 24  # columns of text, be the terminal as narrow as it will


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing is a problem."""
    return not any(each.level is Level.PROBLEM for each in findings)


def as_text(findings: Sequence[Finding], columns: int | None = None) -> str:
    """Each finding once, with what to do below it, then how many are not well.

    Args:
        columns: How wide a line may be; ``None`` wraps nothing.
    """
    area_width = max((width(each.area) for each in findings), default=0)
    lines, area = [], None
    for each in findings:
        name = each.area if each.area != area else ""
        area = each.area
        lines += _wrapped(f"{name:{area_width}}  {SIGNS[each.level]:4}  ", each.text, columns)
        if each.fix:
            lines += _wrapped(f"{'':{area_width}}        -> ", each.fix, columns)
    return "\n".join([*lines, "", _end(findings)])


def _wrapped(start: str, text: str, columns: int | None) -> list[str]:
    """A text behind its start; what of it does not fit stands below its beginning."""
    if columns is None:
        return [f"{start}{one_line(text)}"]
    wrapper = TextWrapper(
        width=max(columns, len(start) + NARROWEST),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,  # paths and commands can be copied
        break_on_hyphens=False,
    )
    return wrapper.wrap(one_line(text))


def _end(findings: Sequence[Finding]) -> str:
    problems, warnings = (sum(each.level is level for each in findings) for level in BAD)
    if not problems and not warnings:
        return "Nothing is wrong."
    counts = [counted(problems, "problem") if problems else "No problem"]
    counts += [counted(warnings, "warning")] if warnings else []
    return f"{', '.join(counts)}."


def as_json(findings: Sequence[Finding]) -> str:
    """A list of findings; ``level`` is one of ok, note, warning, problem."""
    facts = [
        {
            "area": each.area,
            "level": str(each.level),
            "text": each.text,
            "fix": each.fix,
            "details": [detail for detail in each.details if detail],
        }
        for each in findings
    ]
    return json.dumps(facts, indent=1, ensure_ascii=False)


def one_line(text: str) -> str:
    """A text on one line that cannot steer the terminal."""
    return printable(" ".join(text.split()))
