"""How rows come to SQLite: a page after the other, each column of it when it is first asked for."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from agent.store.sql.bounds import SQL

Column = Sequence[Any]

ROWID = -1  # the number that SQLite has for it among the columns


class Columns(dict[int, Column]):
    """Columns by number, each decoded once."""

    def __init__(self, decode: Callable[[int], Column]) -> None:
        super().__init__()
        self._decode = decode

    def __missing__(self, number: int) -> Column:
        found = self[number] = self._decode(number)
        return found


@attrs.frozen
class Page:
    """Some rows: their numbers in the columns, rising or falling."""

    columns: Columns
    rows: range


class Cursor:
    """What SQLite walks through the rows with; its methods are called for each row and cell."""

    __slots__ = ("_columns", "_is_done", "_open", "_pages", "_row", "_step", "_stop")

    def __init__(self, open_: Callable[[str, Sequence[SQL]], Iterator[Page]]) -> None:
        self._open = open_
        self._pages: Iterator[Page] = iter(())
        self._columns = NO_COLUMNS
        self._row = self._stop = 0
        self._step = 1
        self._is_done = True

    def Filter(self, _number: int, plan: str, values: Sequence[SQL] | None) -> None:  # noqa: N802
        """Begin anew."""
        self._columns = NO_COLUMNS
        self._pages = self._open(plan, values or ())
        self._is_done = False
        self._turn()

    def Eof(self) -> bool:  # noqa: N802
        """Whether there is no row any more."""
        return self._is_done

    def Next(self) -> None:  # noqa: N802
        """Go to the next row."""
        self._row += self._step
        if self._row == self._stop:
            self._turn()

    def Column(self, number: int) -> Any:  # noqa: N802
        """One cell of the row."""
        return self._columns[number][self._row]

    def Rowid(self) -> int:  # noqa: N802
        """What tells the row from all others of the table."""
        found: int = self._columns[ROWID][self._row]
        return found

    def Close(self) -> None:  # noqa: N802
        """Let go of everything; nothing is asked for any more."""
        self._columns = NO_COLUMNS
        self._pages = iter(())

    def _turn(self) -> None:
        """Go to the next page that has rows."""
        # Before the next one is read: a page is large, and there is to be one at a time.
        self._columns = NO_COLUMNS
        for page in self._pages:
            if page.rows:
                self._columns = page.columns
                self._row, self._stop = page.rows[0], page.rows[-1] + page.rows.step
                self._step = page.rows.step
                return
            del page
        self._is_done = True


def _nothing(number: int) -> Column:
    raise KeyError(number)


NO_COLUMNS = Columns(_nothing)
