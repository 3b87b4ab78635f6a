"""Stored rows as lines of CSV: many at a time, without a Python object for each value."""

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from agent.model import Value
from agent.store.rows import Layout, Path, arrange, decode, encode

QUOTED = frozenset(',"\r\n')  # what a cell without quotation marks can't have
CELLS_LIMIT = 4096  # texts whose cells are remembered: names, modes and states come again

# What a JSON text never has in itself stands for what would be in the way when it is split.
BACKSLASH, MARK, COMMA, LINE = "\1", "\2", "\3", "\4"
STAND_INS = frozenset((BACKSLASH, MARK, COMMA, LINE))
NO_BRACKETS = b'0123456789.eE+-nultrfas"'  # numbers, null, true, false, and where texts stand


def cell(value: Value) -> str:
    """A value as a CSV cell; decimal point, true as 1, nothing as nothing.

    >>> [cell(v) for v in (1.5, True, None, 'a"b,c')]
    ['1.5', '1', '', '"a""b,c"']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        if not QUOTED.isdisjoint(value) or value != value.strip():
            return '"' + value.replace('"', '""') + '"'
        return value
    return repr(value)


class _Cells(dict[str, bytes]):
    """The cells of texts, as they stand between the quotation marks of JSON."""

    has_stand_ins = False

    def __missing__(self, text: str) -> bytes:
        value: str = text
        if "\\" in text or BACKSLASH in text or MARK in text:
            text_in_json = text.replace(MARK, '\\"').replace(BACKSLASH, "\\\\")
            value = json.loads(f'"{text_in_json}"')
            if not STAND_INS.isdisjoint(value):
                raise ValueError(f"has a stand-in: {value!r}")
        found = cell(value)
        if "," in found or "\n" in found:
            self.has_stand_ins = True
            found = found.replace(",", COMMA).replace("\n", LINE)
        if len(self) >= CELLS_LIMIT:
            self.clear()
        self[text] = made = found.encode()
        return made


class Lines:
    """Lines of the rows of one layout; a column that the layout lacks is empty in them."""

    def __init__(self, columns: Sequence[int], layout: Layout, paths: Mapping[int, Path]) -> None:
        # A row that has the positions themselves as its values: where does which stand in a text?
        model = arrange(encode(layout), [paths[each] for each in layout])
        self._brackets = (model.encode() + b"\n").translate(None, NO_BRACKETS)
        leaves = _leaves(decode(model))
        at = {position: number for number, position in enumerate(leaves)}
        self._order = _Order([at.get(each) for each in columns], len(leaves))
        self._paths = [paths[each] if each in at else None for each in columns]
        self._cells = _Cells()

    @property
    def remembered(self) -> int:
        """Texts whose cells are kept."""
        return len(self._cells)

    def of(self, texts: Sequence[str]) -> Sequence[str]:
        """The lines of rows, which are JSON texts."""
        try:
            return self._of_alike(texts)
        except ValueError:  # one of them is out of the ordinary
            return [_line_of(decode(text), self._paths) for text in texts]

    def _of_alike(self, texts: Sequence[str]) -> Sequence[str]:
        whole = "\n".join(texts)
        if "\\" in whole:
            whole = whole.replace("\\\\", BACKSLASH).replace('\\"', MARK)
        parts: list[Any] = whole.split('"')  # outside of texts and inside of them, in turn
        outside = '"'.join(parts[::2]).encode("ascii")
        if outside.translate(None, NO_BRACKETS) + b"\n" != self._brackets * len(texts):
            raise ValueError("rows of another form")
        outside = outside.translate(None, b"[]").replace(b"null", b"")
        outside = outside.replace(b"true", b"1").replace(b"false", b"0")
        parts[1::2] = map(self._cells.__getitem__, parts[1::2])
        parts[::2] = outside.split(b'"')
        lines = self._order.of(b"".join(parts).decode().split("\n"))
        if self._cells.has_stand_ins:
            lines = [each.replace(COMMA, ",").replace(LINE, "\n") for each in lines]
        return lines


class _Order:
    """Puts the cells of lines into the order of the columns.

    ``wanted`` says for each column where in a line its cell is, of ``size`` cells.

    >>> _Order([3, None, 0, 1], 4).of(["a,b,c,d"])
    ['d,,a,b']
    """

    def __init__(self, wanted: Sequence[int | None], size: int) -> None:
        self._is_as_wanted = wanted == [*range(size)]
        # Of most lines the first cells stay together: they need not be taken apart.
        run = [*wanted, None]
        first = run.index(0) if 0 in run else len(wanted)
        length = 1
        while run[first + length :][:1] == [length]:
            length += 1
        wanted = [*wanted[: first + 1], *wanted[first + length :]]
        self._cuts = max(size, 1) - length + 1
        # Behind the comma that is added to a line is nothing: the cell of a column that it lacks.
        places = [self._cuts if at is None else max(at - length + 1, 0) for at in wanted]
        self._pick: Any = itemgetter(*places, self._cuts)

    def of(self, lines: Sequence[str]) -> Sequence[str]:
        """Lines in that order."""
        if self._is_as_wanted:
            return lines
        pick, cuts = self._pick, self._cuts
        # One cell more is taken than wanted, since of one alone no tuple would be made.
        return [",".join(pick(f"{line},".rsplit(",", cuts)))[:-1] for line in lines]


def _leaves(values: Any) -> list[Any]:
    """What is in an array and the arrays in it, as it stands in the text.

    >>> _leaves([[1, [2]], None, 3])
    [1, 2, None, 3]
    """
    return list(
        chain.from_iterable(_leaves(each) if isinstance(each, list) else (each,) for each in values)
    )


def _line_of(root: Any, paths: Collection[Path | None]) -> str:
    cells = []
    for path in paths:
        value: Any = None if path is None else root
        for index in path or ():
            value = value[index]
        cells.append(cell(value))
    return ",".join(cells)
