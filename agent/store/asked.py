"""Questions to a file that is open for reading, with errors for the user."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import attrs

from agent.errors import StoreError

UNREADABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR}  # what a damaged page looks like


@attrs.frozen
class OpenFile:
    """A connection, and the path that its errors name."""

    connection: sqlite3.Connection
    path: Path

    def rows(self, sql: str, *values: int) -> Iterator[tuple]:  # type: ignore[type-arg]
        """The answer.

        Raises:
            StoreError: It can't be read.
        """
        try:
            # Not "yield from": it would close the cursor of a question that is not read to its
            # end, which is an error when the connection is closed by then.
            for row in self.connection.execute(sql, values):  # noqa: UP028
                yield row
        except sqlite3.Error as exc:
            raise self.error(exc) from exc

    def data(self, table: str, id_: int) -> bytes | str:
        """What is in one row's ``data``, or why it can't be told: the page is damaged.

        Raises:
            StoreError: It can't be read for another reason.
        """
        sql = f"SELECT data FROM {table} WHERE id = ?"
        try:
            found = self.connection.execute(sql, (id_,)).fetchone()
        except sqlite3.Error as exc:
            if exc.sqlite_errorcode & 0xFF not in UNREADABLE:
                raise self.error(exc) from exc
            return str(exc)
        return found[0] if found and isinstance(found[0], bytes) else "its data is gone"

    def error(self, exc: sqlite3.Error) -> StoreError:
        """What the user reads."""
        return StoreError(f"cannot read {self.path}: {exc}")
