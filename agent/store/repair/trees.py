"""Tables and indexes of a damaged store, line by line in the order of their keys.

What can't be read is a stretch of keys: those that may lie on the damaged page, by what the pages
above it say.
"""

from collections.abc import Iterator

import attrs

from agent.store.repair.cells import (
    INDEX_INNER,
    INDEX_LEAF,
    TABLE_INNER,
    TABLE_LEAF,
    Cell,
    Page,
    TornError,
    children,
    index_cell,
    inner_size,
    is_filled,
    leaf_lines,
    page_from,
)
from agent.store.repair.pages import Pages

DEEPEST = 40  # levels that a tree may have


@attrs.frozen
class Lost:
    """Keys that can't be read: those after ``after`` up to ``last``; ``None`` is no bound."""

    after: int | None
    last: int | None


class Trees:
    """Reads trees; ``seen`` are the pages of those that were read."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._usable_bytes = pages.usable_bytes
        self.seen: set[int] = set()

    def page(self, number: int) -> Page:
        """A page of a table or an index.

        Raises:
            TornError: It is none.
        """
        return page_from(self._pages.page(number), self._usable_bytes, is_first=number == 1)

    def lines(self, root: int) -> Iterator[Cell | Lost]:
        """The lines of a table, and where there are none that can be read."""
        yield from self._lines(root, None, None, DEEPEST)

    def _lines(
        self, number: int, after: int | None, last: int | None, deepest: int
    ) -> Iterator[Cell | Lost]:
        try:
            page = self._new(number)
            if page.kind not in (TABLE_INNER, TABLE_LEAF) or not deepest:
                raise TornError(f"kind {page.kind}")
        except TornError:
            yield Lost(after, last)
            return
        if page.kind == TABLE_LEAF:
            yield from self._leaf(number, page, after, last)
            return
        below = [*children(page)]
        if len(below) <= len(page.cells) or not is_filled(page, inner_size(page)):
            yield Lost(after, last)  # some of what lies there is not met below
        for key, child in below:
            bound = last if key is None else key
            if last is not None and bound is not None and bound > last:
                bound = last
            yield from self._lines(child, after, bound, deepest - 1)
            after = bound

    def _new(self, number: int) -> Page:
        if number in self.seen:
            raise TornError("met before")
        page = self.page(number)
        self.seen.add(number)
        return page

    def _leaf(
        self, number: int, page: Page, after: int | None, last: int | None
    ) -> Iterator[Cell | Lost]:
        found = [*leaf_lines(page)]
        fits = [
            cell
            for cell in found
            if (after is None or cell.key > after) and (last is None or cell.key <= last)
        ]
        sizes = sum(cell.taken for cell in found)
        is_outdated = number in self._pages.outdated
        if len(fits) < len(page.cells) or is_outdated or not is_filled(page, sizes):
            yield Lost(after, last)
        yield from fits

    def entries(self, root: int, *, is_root: bool = True) -> Iterator[Cell]:
        """What an index has, or a table without keys; damage is left out.

        Of a page that is no root, only what is on it.
        """
        waiting = [root]
        while waiting:
            number = waiting.pop()
            try:
                page = self._new(number) if is_root else self.page(number)
            except TornError:
                continue
            if page.kind not in (INDEX_INNER, INDEX_LEAF):
                continue
            for at in page.cells:
                try:
                    cell = index_cell(page, at)
                except TornError:
                    continue
                yield cell
                if page.kind == INDEX_INNER and is_root:
                    waiting.append(int.from_bytes(page.data[at : at + 4], "big"))
            if page.kind == INDEX_INNER and is_root:
                waiting.append(page.last_child)

    def newest(self, root: int) -> Cell | None:
        """The last line of a table.

        Raises:
            TornError: The way there is damaged.
        """
        return next(reversed(self._leaf_for(root, None)), None)

    def find(self, root: int, key: int) -> Cell | None:
        """A line of a table by its key.

        Raises:
            TornError: The way there is damaged.
        """
        return next((cell for cell in self._leaf_for(root, key) if cell.key == key), None)

    def _leaf_for(self, root: int, key: int | None) -> list[Cell]:
        """The lines of the page that a key is on, or of the last page."""
        number = root
        for _ in range(DEEPEST):
            page = self.page(number)
            if page.kind == TABLE_LEAF:
                return [*leaf_lines(page)]
            if page.kind != TABLE_INNER:
                break
            number = next(
                child
                for last, child in children(page)
                if last is None or (key is not None and key <= last)
            )
        raise TornError(f"no table at page {root}")
