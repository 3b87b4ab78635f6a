"""Checks a store: what SQLite says, every checksum, and that all of it belongs together.

It only reads, and what it reads is of one moment: the agent may go on writing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from agent.errors import StoreError
from agent.store.book import load_entries
from agent.store.query import open_to_read
from agent.store.repair.checks import Book, Fault, Progress
from agent.store.repair.look import is_damage
from agent.store.repair.sums import sum_faults
from agent.store.repair.table_checks import TableChecks
from agent.store.schema import SAMPLE_TABLES

LISTED_LIMIT = 100  # faults that SQLite lists

__all__ = ["Fault", "Progress", "Verify"]


class Verify:
    """Checks one file; ``quick`` looks at the checksums, and not behind them.

    ``samples`` are those that can be read.

    Raises:
        StoreError: From ``run``: the file can't be read at all.
    """

    def __init__(self, path: Path, *, quick: bool) -> None:
        self._path = path
        self._quick = quick
        self.samples = 0

    def run(self) -> Iterator[Fault | Progress]:
        """What is found, and how far it is, as it goes."""
        with closing(open_to_read(self._path)) as connection:
            try:
                yield from self._integrity(connection)
                yield from self._tables(connection)
            except sqlite3.Error as exc:
                if not is_damage(exc):
                    raise StoreError(f"cannot read {self._path}: {exc}") from exc
                yield Fault(f"SQLite: {exc}")

    def _integrity(self, connection: sqlite3.Connection) -> Iterator[Fault | Progress]:
        yield Progress("pages", 0, 0)
        check = "quick_check" if self._quick else "integrity_check"
        try:
            found = [
                line
                for (text,) in connection.execute(f"PRAGMA {check}({LISTED_LIMIT})")
                for line in text.splitlines()
                if line != "ok" and not line.startswith("***")  # a heading
            ]
            if found:
                yield Fault(f"SQLite: {_listed(found)}")
        except sqlite3.DatabaseError as exc:
            if not is_damage(exc):
                raise
            yield Fault(f"SQLite: {exc}")

    def _tables(self, connection: sqlite3.Connection) -> Iterator[Fault | Progress]:
        try:
            book = _book(connection)
        except (ValueError, LookupError) as exc:
            yield Fault(f"its devices, metrics and layouts do not belong together: {exc!r}")
            return
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = TableChecks(connection, book, quick=self._quick)
        checks = [tables.catalogue(), tables.blocks(), tables.batches()] if version > 1 else []
        checks += [tables.rows(table) for table in SAMPLE_TABLES]
        if version > 1 and not self._quick:
            checks.append(sum_faults(connection, book))
        for check in checks:
            try:
                yield from check
            except sqlite3.DatabaseError as exc:
                if not is_damage(exc):
                    raise
                yield Fault(f"SQLite: {exc}")
        self.samples = tables.samples


def _listed(found: list[str]) -> str:
    """One line: a page that is overwritten may be wrong in a hundred ways."""
    if len(found) == 1:
        return found[0]
    count = f"at least {len(found)}" if len(found) >= LISTED_LIMIT else str(len(found))
    return f"{count} faults in pages, the first: {found[0]}"


def _book(connection: sqlite3.Connection) -> Book:
    entries = load_entries(connection)
    return Book(
        {entry.id: entry.name for entry in entries.values()},
        {
            number: (entry.id, layout)
            for entry in entries.values()
            for layout, number in entry.layouts.items()
        },
        {
            entry.id: {at: (name, path) for name, (at, path, _) in entry.metrics.items()}
            for entry in entries.values()
        },
    )
