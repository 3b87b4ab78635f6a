"""Tables as SQLite sees them, whatever their rows are made of."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import apsw

from agent.store.sql.bounds import SQL
from agent.store.sql.pages import Cursor, Page
from agent.store.sql.plans import Axis, Wanted, plan, wanted


class Table(Protocol):
    """Rows under a name; the columns are as ``CREATE TABLE`` has them, with their types."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def axis(self) -> Axis: ...

    @property
    def rows(self) -> float:
        """How many there are, as far as one can tell without reading them."""

    @property
    def rows_of_one(self) -> float:
        """How many of them are equal in what the table is in order by."""

    def pages(self, wanted: Wanted) -> Iterator[Page]:
        """The rows of a stretch, in order; more do no harm."""


class Module:
    """Tells SQLite of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def Connect(self, _: apsw.Connection, *__: str) -> tuple[str, "VirtualTable"]:  # noqa: N802
        """Its columns, and what answers for it."""
        columns = ", ".join(self._table.columns)
        return f"CREATE TABLE t({columns})", VirtualTable(self._table)

    Create = Connect


class VirtualTable:
    """One table, with the methods that SQLite asks for."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        """Agree on a plan."""
        plan(info, self._table.axis, self._table.rows, self._table.rows_of_one)
        return True

    def Open(self) -> Cursor:  # noqa: N802
        """Begin to walk through it."""
        return Cursor(self._pages)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing is held."""

    Destroy = Disconnect

    def _pages(self, text: str, values: Sequence[SQL]) -> Iterator[Page]:
        return self._table.pages(wanted(text, self._table.axis, values))
