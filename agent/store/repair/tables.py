"""Which tables a damaged store has, and single lines of them."""

from collections.abc import Iterator

from agent.store.repair.cells import Cell, Record, TornError, record_from, whole_payload
from agent.store.repair.pages import Pages
from agent.store.repair.trees import Lost, Trees

SCHEMA_FIELDS = 5


class Tables:
    """The tables of a store by name, as far as its first pages tell."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.trees = Trees(pages)
        self.usable_bytes = pages.usable_bytes
        self.roots: dict[str, int] = {}
        self.is_whole = True  # whether the list of the tables is
        for line in self.trees.lines(1):
            if isinstance(line, Lost):
                self.is_whole = False
                continue
            try:
                self.add_root(self.record(line))
            except TornError:
                self.is_whole = False

    def add_root(self, record: Record) -> None:
        """Take note of a line of the list of tables."""
        match record:
            case ("table" | "index", str(name), _, int(root), *_) if root > 0:
                self.roots.setdefault(name, root)

    def record(self, cell: Cell) -> Record:
        """All fields of a line.

        Raises:
            TornError: It is damaged.
        """
        return record_from(whole_payload(cell, self.pages.page, self.usable_bytes))

    def newest(self, table: str) -> tuple[int, Record] | None:
        """The last line of a table and its key, if there is one.

        Raises:
            TornError: It can't be told.
        """
        root = self._root(table)
        cell = self.trees.newest(root)
        return None if cell is None else (cell.key, self.record(cell))

    def line(self, table: str, key: int) -> Record | None:
        """A line by its key, if there is one.

        Raises:
            TornError: It can't be told.
        """
        cell = self.trees.find(self._root(table), key)
        return None if cell is None else self.record(cell)

    def _root(self, table: str) -> int:
        if table not in self.roots:
            raise TornError(f"no table {table}")
        return self.roots[table]

    def records(self, table: str) -> Iterator[tuple[int, Record]]:
        """Each line of a small table and its key; what is damaged is left out."""
        if table not in self.roots:
            return
        for line in self.trees.lines(self.roots[table]):
            if isinstance(line, Lost):
                continue
            try:
                yield line.key, self.record(line)
            except TornError:
                continue

    def entries(self, name: str) -> Iterator[Record]:
        """Each line of an index, or of a table without keys of its own, as far as it is whole."""
        if name not in self.roots:
            return
        for cell in self.trees.entries(self.roots[name]):
            try:
                yield self.record(cell)
            except TornError:
                continue
