"""SQLite files of other programs: read a page at a time, so that these can go on writing."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs

from agent.clock import Deadline
from agent.closing import Closing
from agent.errors import StoreError
from agent.store.schema import APPLICATION_ID, quoted

MAGIC = b"SQLite format 3\0"
JOURNAL_MODE_AT = 18  # of the file's head: 2 is a write-ahead log
STEPS = 20_000  # instructions of SQLite between two looks at the deadline
BUSY_S = 5.0
PRIMARY = 0xFF  # of an error code of SQLite: what remains is a detail

Row = tuple[Any, ...]


@attrs.frozen
class Extent:
    """How much is in a table; ``None`` where counting takes too long, or nothing is there."""

    count: int | None
    first: Any
    last: Any


def is_sqlite(path: Path) -> bool:
    """Whether a file is one of SQLite.

    Raises:
        OSError: It can't be read.
    """
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


class ForeignFile(Closing):
    """A file that is only read; use as a context manager.

    Raises:
        StoreError: From the constructor and every method.
    """

    def __init__(self, path: Path, busy_s: float = BUSY_S) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(_uri(path), uri=True, timeout=busy_s)
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(f"cannot read {path}: {exc}{_hint(path, exc)}") from exc
        self._connection.isolation_level = None
        # What is no UTF-8 in a text column is not worth the whole file.
        self._connection.text_factory = lambda data: data.decode("utf-8", "replace")

    def close(self) -> None:
        """Close the connection; twice is fine."""
        self._connection.close()

    @property
    def is_ours(self) -> bool:
        """Whether it is a store of the agent."""
        return next(self._rows("PRAGMA application_id")) == (APPLICATION_ID,)

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Tables and views with the names of their columns, tables first."""
        sql = (
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY type, rowid"
        )
        return {
            name: tuple(row[1] for row in self._rows(f"PRAGMA table_info({quoted(name)})"))
            for (name,) in [*self._rows(sql)]
        }

    def some(self, table: str, columns: Sequence[str], limit: int) -> list[Row]:
        """A few rows."""
        return [*self._rows(f"SELECT {_list(columns)} FROM {quoted(table)} LIMIT ?", limit)]

    def extent(self, table: str, column: str, timeout_s: float) -> Extent:
        """Number of rows, least and greatest value of a column."""
        name, of = quoted(column), f"FROM {quoted(table)}"
        with self._bounded(timeout_s):
            try:
                (first, last) = next(
                    self._rows(f"SELECT (SELECT min({name}) {of}), (SELECT max({name}) {of})")
                )
                (count,) = next(self._rows(f"SELECT count(*) {of}"))
            except _InterruptedError:
                return Extent(None, None, None)
        return Extent(count, first, last)

    def most(self, table: str, column: str) -> int:
        """How many rows share one value of a column at most."""
        sql = (
            f"SELECT max(n) FROM (SELECT count(*) AS n FROM {quoted(table)} "
            f"GROUP BY {quoted(column)})"
        )
        return next(self._rows(sql))[0] or 0

    def pages(self, table: str, columns: Sequence[str], size: int) -> Iterator[list[Row]]:
        """All rows as they lie in the file, some at a time; the first value is the row's number."""
        if not self._has_rowid(table):
            rows = self._rows(f"SELECT {_list(columns)} FROM {quoted(table)}")
            yield from _chunks(((number, *row) for number, row in enumerate(rows, 1)), size)
            return
        last = -(2**63)
        sql = (
            f"SELECT rowid, {_list(columns)} FROM {quoted(table)} NOT INDEXED "
            "WHERE rowid > ? ORDER BY rowid LIMIT ?"
        )
        while page := [*self._rows(sql, last, size)]:
            yield page
            last = page[-1][0]

    def after(
        self, table: str, columns: Sequence[str], key: str, last: object, size: int
    ) -> list[Row]:
        """The rows behind a value of a column that rises, some of them."""
        sql = (
            f"SELECT {_list(columns)} FROM {quoted(table)} WHERE {quoted(key)} > ? "
            f"ORDER BY {quoted(key)} LIMIT ?"
        )
        return [*self._rows(sql, last, size)]

    def between(
        self, table: str, columns: Sequence[str], key: str, last: object, end: object, size: int
    ) -> list[Row]:
        """The first rows behind a value of a column, up to another, in the order of the columns."""
        sql = (
            f"SELECT {_list(columns)} FROM {quoted(table)} WHERE {quoted(key)} > ? "
            f"AND {quoted(key)} <= ? ORDER BY {_list(columns)} LIMIT ?"
        )
        return [*self._rows(sql, last, end, size)]

    @contextmanager
    def moment(self) -> Iterator[None]:
        """What is read within is of one moment."""
        self._rows_of("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._rows_of("COMMIT")

    def _has_rowid(self, table: str) -> bool:
        try:
            self._connection.execute(f"SELECT rowid FROM {quoted(table)} LIMIT 0")
        except sqlite3.Error:
            return False
        kind = self._rows("SELECT type FROM sqlite_master WHERE name = ?", table)
        return next(kind, None) == ("table",)

    def _rows_of(self, sql: str) -> list[Row]:
        return [*self._rows(sql)]

    def _rows(self, sql: str, *values: object) -> Iterator[Row]:
        try:
            yield from self._connection.execute(sql, values)
        except sqlite3.Error as exc:
            if getattr(exc, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                raise _InterruptedError from exc
            raise StoreError(f"cannot read {self._path}: {exc}{_hint(self._path, exc)}") from exc

    @contextmanager
    def _bounded(self, timeout_s: float) -> Iterator[None]:
        deadline = Deadline(timeout_s)

        def is_over() -> int:
            try:
                return int(deadline.left_s() <= 0)
            except TimeoutError:
                return 1

        self._connection.set_progress_handler(is_over, STEPS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)


class _InterruptedError(Exception):
    """A question took too long."""


def _uri(path: Path) -> str:
    """How to open a file without leaving anything beside it.

    A reader of a file with a write-ahead log makes that log where there is none; then nobody
    writes, and the file can be read as it lies.
    """
    with path.open("rb") as stream:
        head = stream.read(JOURNAL_MODE_AT + 1)
    has_log = path.with_name(path.name + "-wal").exists()
    is_still = head[JOURNAL_MODE_AT:] == b"\2" and not has_log
    return f"file:{quote(bytes(path.absolute()))}?mode=ro{'&immutable=1' if is_still else ''}"


def _hint(path: Path, exc: Exception) -> str:
    """What to do, as the end of an error."""
    code = getattr(exc, "sqlite_errorcode", 0) & PRIMARY
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "; stop the program that writes to it, and import it again"
    log = path.with_name(path.name + "-wal")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) and log.exists():
        return (
            f"; its newest rows are in {log.name}, which can't be read in a folder that can't be "
            "written: copy both files to another folder"
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return "; it is damaged: a backup of it may be sound"
    return ""


def _list(columns: Sequence[str]) -> str:
    return ", ".join(map(quoted, columns))


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    page: list[Row] = []
    for row in rows:
        page.append(row)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
