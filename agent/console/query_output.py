"""The forms in which the answer to a query is written, row by row as it comes."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from agent.console.table import printable, value_text, width
from agent.store.lines import cell
from agent.store.sql.names import distinct

# What SQLite gives, each as a cell of CSV.
CELLS: Mapping[type, Callable[[Any], str]] = {
    float: repr,
    int: repr,
    str: cell,
    bytes: bytes.hex,
    type(None): cell,
}
FIRST_ROWS = 100  # of a table, by which the widths of its columns are chosen

Rows = Iterable[Sequence[Any]]
Format = Callable[[Sequence[str], Rows], Iterator[str]]


def csv(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """RFC 4180 with plain line feeds; numbers to the last digit, NULL is nothing.

    >>> [*csv(["a", "b"], [(1.5, None), ("x,y", b"z")])]
    ['a,b\\n', '1.5,\\n', '"x,y",7a\\n']
    """
    for row in chain([columns], rows):
        line = ",".join([CELLS[type(value)](value) for value in row])
        # Of one column alone, readers would take nothing for no row.
        yield f"{line}\n" if line or len(columns) > 1 else '""\n'


def as_json(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """A list of objects, one on each line; JSON has no infinity, which is null here.

    >>> "".join(as_json(["a"], [(1,), ("ä",)]))
    '[\\n{"a": 1},\\n{"a": "ä"}\\n]\\n'
    """
    names = distinct(columns)
    before = "[\n"
    for row in rows:
        values = (_finite(_plain(value)) for value in row)
        yield before + json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def markdown(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    r"""A table for texts.

    >>> "".join(markdown(["a", "b"], [(1, "x|y")]))
    '| a | b |\n| ---: | --- |\n| 1 | x\\|y |\n'
    """
    waiting = iter(rows)
    first = [*islice(waiting, 1)]
    right = [*map(_is_number, first[0])] if first else [False] * len(columns)
    yield _markdown_line(columns)
    yield f"| {' | '.join('---:' if each else '---' for each in right)} |\n"
    for row in chain(first, waiting):
        yield _markdown_line([_text(value) for value in row])


def table(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """For people: as wide as the first rows need, numbers to the right.

    >>> print("".join(table(["name", "n"], [("a", 10), ("b", None)])), end="")
    name   n
    a     10
    b      –
    """
    waiting = iter(rows)
    first = [*islice(waiting, FIRST_ROWS)]
    texts = [[_shown(value) for value in row] for row in first]
    header = [printable(column) for column in columns]
    widths = [max(map(width, column)) for column in zip(header, *texts, strict=True)]
    right = [_is_numeric(column) for column in zip(*first, strict=True)] or [False] * len(header)
    for line in chain([header], texts, ([_shown(value) for value in row] for row in waiting)):
        cells = []
        for text, wide, is_right in zip(line, widths, right, strict=True):
            space = " " * (wide - width(text))
            cells.append(space + text if is_right else text + space)
        yield "  ".join(cells).rstrip() + "\n"


FORMATS: Mapping[str, Format] = {
    "table": table,
    "csv": csv,
    "json": as_json,
    "markdown": markdown,
}


def _plain(value: Any) -> Any:
    """Bytes, which only SQL can make here, as digits."""
    return value.hex() if isinstance(value, bytes) else value


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _is_numeric(column: Sequence[Any]) -> bool:
    return all(value is None or _is_number(value) for value in column)


def _text(value: Any) -> str:
    return "" if value is None else printable(str(_plain(value)))


def _shown(value: Any) -> str:
    return printable(value_text(_plain(value)))


def _markdown_line(cells: Sequence[str]) -> str:
    escaped = (printable(text).replace("\\", "\\\\").replace("|", "\\|") for text in cells)
    return f"| {' | '.join(escaped)} |\n"
