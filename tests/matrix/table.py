"""The rows of the matrix as text for a terminal and as a page of the documentation."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence

from agent.console.table import table
from tests.matrix.trial import GRACE_S, Row

TEXT_LIMIT = 150  # characters
HEADER = ["fault", "what the agent does", "reason", "what it says", "back after", "bound", "ok"]
INTRODUCTION = (
    "`{command}` gave every fault of every kind of device a simulated device of its own, had real "
    "agents poll them every {interval:g} s with a time-out of {timeout:g} s, or as often as the "
    "kind allows, and switched each fault on for {fault:g} s or two polls. *Back after* is the "
    "time from the end of the fault to the next good sample: at most one interval, the longest "
    "wait between tries that was in force, and one time-out (*bound*; {grace:g} s more are "
    "forgiven a busy machine). The devices stand still, so that a value is wrong if it is another "
    "than before, but for the faults that change values on purpose."
)


def as_text(rows: Sequence[Row]) -> str:
    """A table for each kind, and what is wrong."""
    parts = []
    for case, group in itertools.groupby(rows, lambda row: row.case):
        cells = [[cell.replace("\n", " ") for cell in _cells(row)] for row in group]
        parts.append(f"{case}\n{table(HEADER, cells, right=[4, 5])}")
    return "\n\n".join([*parts, verdict(rows)])


def as_markdown(
    rows: Sequence[Row], summaries: Mapping[str, str], words: Mapping[str, object]
) -> str:
    """The page: how it was made, and a table for each kind."""
    introduction = textwrap.fill(INTRODUCTION.format(grace=GRACE_S, **words), 100)
    parts = ["# What each fault does\n", f"{introduction}\n", f"{verdict(rows, '- ')}\n"]
    for (case, kind), group in itertools.groupby(rows, lambda row: (row.case, row.kind)):
        lines = [_line(["fault", *HEADER[1:]]), _line(["---"] * 4 + ["--:"] * 2 + ["---"])]
        for row in group:
            first, *others = map(_escaped, _cells(row))
            lines.append(_line([f"`{first}` {_escaped(row.help)}", *others]))
        parts.append(f"## {case}\n\n{summaries[kind]}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def verdict(rows: Sequence[Row], mark: str = "") -> str:
    """How many came back, and what is wrong."""
    wrong = [row for row in rows if not row.is_ok]
    lines = [f"{len(rows) - len(wrong)} of {len(rows)} are as they must be: back in time, no "
             "sample with a metric missing, none made up, no value wrong."]  # fmt: skip
    if wrong:
        lines.append("")
    lines += [f"{mark}{row.case} {row.fault}: {'; '.join(row.problems)}" for row in wrong]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    back = "never" if row.back_after_s is None else f"{row.back_after_s:.1f} s"
    return [
        row.fault,
        row.does,
        row.reasons or "–",
        _short(row.text) or "–",
        back,
        f"{row.bound_s:.1f} s",
        "; ".join(row.problems) or "ok",
    ]


def _short(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"


def _escaped(text: str) -> str:
    for sign in "\\|*_<>[]`":
        text = text.replace(sign, f"\\{sign}")
    return text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
