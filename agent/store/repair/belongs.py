"""Whether a log belongs to the file that it lies beside: SQLite takes any log that is whole.

A log of another file, or of an earlier time, would put its pages over those of the file. Each sign
looked for here is one that no log of the file itself can show, wherever a power cut left it.
"""

from collections.abc import Container

from agent.store.repair.cells import Record, TornError
from agent.store.repair.pages import HEAD_BYTES, MAGIC, Pages
from agent.store.repair.tables import Tables
from agent.store.schema import SAMPLE_TABLES

# Where on the first page SQLite counts changes, pages, and changes of the schema, and where it says
# at which change it counted the pages.
CHANGES_AT, PAGES_AT, COOKIE_AT, COUNTED_AT = 24, 28, 40, 92
# Fields of lines that never change. Times do, once the true time is known: then a sample leaves its
# key, and after a clock that was ahead another may come to have it, of another line of ``clock``.
FIXED = {"run": (1, 2), "clock": (1, 2, 3), "row": (1, 5), "host_row": (1, 5), "device": ()}
CLOCK = 4


def why_foreign(file: Pages, both: Pages, least_pages: int, heads: Container[bytes]) -> str | None:
    """By what one sees that a log is not the file's own; ``both`` is the file under the log.

    ``least_pages`` the file has after the log's first commit, and ``heads`` are those of the first
    pages in the log.
    """
    before, after = file.page(1), both.page(1)
    if before[: len(MAGIC)] != MAGIC or len(after) < HEAD_BYTES:
        return None  # nothing can be told of a file that has no first page
    if after[: len(MAGIC)] != MAGIC or file.page_bytes != both.page_bytes:
        return "it has pages of another size or kind"
    for at in (CHANGES_AT, COOKIE_AT):
        if _number(after, at) < _number(before, at):
            return "it is older than the file"
    if before[:HEAD_BYTES] not in heads and _is_longer(before, after, file.count, least_pages):
        return "it is of a shorter file"
    return _why_other(Tables(file), Tables(both))


def _why_other(old: Tables, new: Tables) -> str | None:
    """The same by the lines of the tables."""
    if _has_others(old, new):
        return "it is of another file"
    for table, fields in FIXED.items():
        try:
            newest = old.newest(table)
            there = new.line(table, newest[0]) if newest is not None else None
        except TornError:
            continue  # in the midst of being written back, a file is not whole without its log
        if newest is None:
            continue
        if there is not None and _is_other(table, newest[1], there, fields):
            return "it is of another file"
        if there is None and table in ("run", "device"):
            return "it is older than the file"
    return None


def _number(page: bytes, at: int) -> int:
    return int.from_bytes(page[at : at + 4], "big")


def _is_longer(before: bytes, after: bytes, pages: int, least_pages: int) -> bool:
    """Whether a file was too long for a log before that was begun: only VACUUM makes it shorter.

    VACUUM counts as a change of the schema. A number that is damaged is not believed.
    """
    return (
        _number(before, COOKIE_AT) == _number(after, COOKIE_AT)
        and _number(before, CHANGES_AT) == _number(before, COUNTED_AT)
        and _number(before, PAGES_AT) == pages > least_pages
    )


def _has_others(old: Tables, new: Tables) -> bool:
    """Whether a number is another device's."""
    names = {key: _name(record) for key, record in new.records("device")}
    return any(names.get(key, _name(line)) != _name(line) for key, line in old.records("device"))


def _name(record: Record) -> str:
    """Of a device: only its letters' case may change."""
    return "".join(str(field) for field in record[1:2]).lower()


def _is_other(table: str, old: Record, new: Record, fields: tuple[int, ...]) -> bool:
    """Whether a line can't have become what stands at its key now."""
    if table in SAMPLE_TABLES and old[CLOCK : CLOCK + 1] != new[CLOCK : CLOCK + 1]:
        return False
    return any(old[field : field + 1] != new[field : field + 1] for field in fields)
