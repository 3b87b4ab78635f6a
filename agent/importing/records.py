"""Lines of CSV as cells: any separator, quotation marks, line breaks inside of them, torn rows."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import attrs

from agent.importing.lines import Line

SEPARATORS = (",", ";", "\t")
JOINED = 100  # lines that one row may go over at most
TOO_LONG = "longer than any row"
NULS = "NUL bytes, as a power cut leaves them"


@attrs.frozen
class Record:
    """The cells of a row, or why it has none."""

    line: int
    cells: Sequence[str]
    fault: str = ""
    is_header: bool = False  # the logger was started anew


class Records:
    """Rows of a CSV file; ``header`` is the first line that has something in it.

    Raises:
        ValueError: From the constructor: there is no header.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._ahead: deque[Line] = deque()
        first = self._header_line()
        self.separator = max(SEPARATORS, key=first.count)
        self.has_commas = self.separator != ","  # so numbers may have a decimal comma
        self.header = [cell.strip() for cell in _parsed(first, self.separator)]
        while self.header and not self.header[-1]:
            self.header.pop()

    def _header_line(self) -> str:
        for line in self._lines:
            if line.text is None:
                raise ValueError("its first line is too long for a header")
            text = line.text.rpartition("\0")[2].strip()
            if text and not (text.lower().startswith("sep=") and len(text) == len("sep=") + 1):
                return text
        raise ValueError("it is empty")

    def __iter__(self) -> Iterator[Record]:
        """The rows below the header; those of another width have a fault.

        A row that begins as the header does is a new one, for the rows below it.
        """
        while (line := self._next()) is not None:
            if line.text is None:
                yield Record(line.number, (), TOO_LONG)
                continue
            text = line.text
            if "\0" in text:
                # What was written after the power cut begins behind them, in the same line.
                yield Record(line.number, (), NULS)
                text = text.rpartition("\0")[2]
            if not text.strip():
                continue
            yield self._record(line.number, text)

    def _next(self) -> Line | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _record(self, number: int, text: str) -> Record:
        if '"' not in text:
            return self._checked(number, text.rstrip("\r").split(self.separator))
        if text.count('"') % 2:
            joined = self._joined(number, text)
            if joined is not None:
                return joined
        return self._checked(number, _parsed(text.rstrip("\r"), self.separator))

    def _joined(self, number: int, text: str) -> Record | None:
        """The row with the lines behind it, where a cell has line breaks; else they stay."""
        taken: list[Line] = []
        while len(taken) < JOINED and (line := self._next()) is not None:
            taken.append(line)
            if line.text is None or "\0" in line.text:
                break
            text = f"{text}\n{line.text}"
            if line.text.count('"') % 2:
                try:
                    record = self._checked(
                        number, _parsed(text.rstrip("\r"), self.separator, strict=True)
                    )
                except csv.Error:
                    break
                if not record.fault:
                    return record
                break
        self._ahead.extendleft(reversed(taken))
        return None

    def _checked(self, number: int, cells: list[str]) -> Record:
        wanted = len(self.header)
        if cells[:1] == self.header[:1]:
            self.header = [cell.strip() for cell in cells]
            return Record(number, self.header, is_header=True)
        if len(cells) > wanted and not any(chain(*cells[wanted:])):
            del cells[wanted:]
        if len(cells) == wanted:
            return Record(number, cells)
        return Record(number, cells, f"wanted {wanted} cells, got {len(cells)}")


def _parsed(text: str, separator: str, *, strict: bool = False) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator, strict=strict), [])
    except csv.Error:  # a cell of more than 128 KiB, too
        if strict:
            raise
        return text.split(separator)
