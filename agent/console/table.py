"""Tables for a terminal: columns as wide as they need, numbers to the right."""

import math
import shutil
import sys
import unicodedata
from collections.abc import Sequence

CELL_LIMIT = 30  # columns that any cell may have, or half of the terminal if that is more
NARROWEST = 8  # columns that the last cell has at least, be the terminal as narrow as it will


def width(text: str) -> int:
    """How many columns a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def terminal_columns() -> int | None:
    """How wide the terminal is that standard output goes to; ``None`` for a pipe or a file."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int] = (),
    columns: int | None = None,
) -> str:
    """Rows under a header; the columns in ``right`` end at the same place.

    Args:
        columns: How wide a line may be; the last cell, if it is a text, is cut to it. ``None``
            cuts nothing.

    >>> print(table(["name", "n"], [["a", "10"], ["bc", "9"]], right=[1]))
    name   n
    a     10
    bc     9
    """
    cut = [[printable(cell) for cell in row] for row in (header, *rows)]
    last = len(header) - 1
    if columns is not None:
        limit = max(CELL_LIMIT, columns // 2)
        cut = [[*(_cut(cell, limit) for cell in row[:-1]), row[-1]] for row in cut]
    widths = [max(width(row[column]) for row in cut) for column in range(len(header))]
    if columns is not None and last not in right:
        room = max(NARROWEST, columns - sum(widths[:-1]) - 2 * last)
        cut = [[*row[:-1], _cut(row[-1], room)] for row in cut]
        widths[-1] = min(widths[-1], room)
    lines = []
    for row in cut:
        cells = []
        for column, cell in enumerate(row):
            space = " " * (widths[column] - width(cell))
            cells.append(space + cell if column in right else cell + space)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def printable(text: str) -> str:
    """A text without the characters that steer a terminal: what devices say is not trusted.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    while text and width(text) >= room:
        text = text[: min(len(text) - 1, room)]
    return text + "…"


def value_text(value: object) -> str:
    """A value as a person reads it: nothing is a dash, true and false are words.

    >>> [value_text(v) for v in (None, True, 1.5, "on")]
    ['–', 'true', '1.5', 'on']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def duration_text(seconds: float) -> str:
    """A length of time in its two largest units.

    >>> duration_text(7322), duration_text(0.25)
    ('2 h 2 min', '0.2 s')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    total = round(seconds)
    for (unit, size), (below, smaller) in (
        (("d", 86400), ("h", 3600)),
        (("h", 3600), ("min", 60)),
        (("min", 60), ("s", 1)),
    ):
        if total >= size:
            rest = total % size // smaller
            return f"{total // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{total} s"


def size_text(size_bytes: float) -> str:
    """A size as a person reads it.

    >>> size_text(1536000)
    '1.5 MB'
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= size:
            return f"{size_bytes / size:.{0 if size_bytes >= 100 * size else 1}f} {unit}"
    return f"{math.ceil(size_bytes)} B"
