"""Findings as lines for people, and as JSON for programs."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from agent.console.table import printable, width
from agent.doctor.finding import Finding, Level

SIGNS: Final = {
    Level.OK: "ok",
    Level.NOTE: "note",
    Level.WARNING: "!",
    Level.PROBLEM: "!!",
}
BAD: Final = (Level.PROBLEM, Level.WARNING)


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing is a problem."""
    return not any(each.level is Level.PROBLEM for each in findings)


def as_text(findings: Sequence[Finding]) -> str:
    """A line for each finding, then what to do about those that are not well."""
    area_width = max((width(each.area) for each in findings), default=0)
    lines, area = [], None
    for each in findings:
        name = each.area if each.area != area else ""
        area = each.area
        # What is bad has its fix below, where all of it stands together.
        fix = f" -> {one_line(each.fix)}" if each.fix and each.level is Level.NOTE else ""
        lines.append(f"{name:{area_width}}  {SIGNS[each.level]:4}  {one_line(each.text)}{fix}")
    return "\n".join([*lines, "", *_what_to_do(findings)])


def _what_to_do(findings: Sequence[Finding]) -> Iterator[str]:
    bad = [each for level in BAD for each in findings if each.level is level]
    problems = sum(each.level is Level.PROBLEM for each in bad)
    if not bad:
        yield "Nothing is wrong."
        return
    counts = [_count(problems, "problem")] if problems else ["No problem"]
    if len(bad) > problems:
        counts.append(_count(len(bad) - problems, "warning"))
    yield f"{', '.join(counts)}:"
    for each in bad:
        yield f"{SIGNS[each.level]:2}  {each.area}: {one_line(each.text)}"
        yield f"    -> {one_line(each.fix)}"


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


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
