"""Whether a log belongs to the file that it lies beside: SQLite takes any log that is whole.

A log of another file, or of an earlier time, would put its pages over those of the file. Each sign
looked for here is one that no log of the file itself can show, wherever a power cut left it.
"""

from agent.store.repair.cells import Record, TornError
from agent.store.repair.pages import HEAD_BYTES, MAGIC, Pages
from agent.store.repair.tables import Tables
from agent.store.schema import SAMPLE_TABLES

CHANGES_AT, COOKIE_AT = 24, 40  # where on the first page SQLite counts changes, and of the schema
# Fields of lines that never change. Times do, once the true time is known: then a sample leaves its
# key, and after a clock that was ahead another may come to have it, of another line of ``clock``.
FIXED = {"run": (1, 2), "clock": (1, 2, 3), "row": (1, 5), "host_row": (1, 5), "device": ()}
CLOCK = 4


def why_foreign(file: Pages, both: Pages) -> str | None:
    """By what one sees that a log is not the file's own; ``both`` is the file under the log."""
    before, after = file.page(1), both.page(1)
    if before[: len(MAGIC)] != MAGIC or len(after) < HEAD_BYTES:
        return None  # nothing can be told of a file that has no first page
    if after[: len(MAGIC)] != MAGIC or file.page_bytes != both.page_bytes:
        return "it has pages of another size or kind"
    for at in (CHANGES_AT, COOKIE_AT):
        if int.from_bytes(after[at : at + 4], "big") < int.from_bytes(before[at : at + 4], "big"):
            return "it is older than the file"
    old, new = Tables(file), Tables(both)
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


def _is_other(table: str, old: Record, new: Record, fields: tuple[int, ...]) -> bool:
    """Whether a line can't have become what stands at its key now."""
    if table in SAMPLE_TABLES and old[CLOCK : CLOCK + 1] != new[CLOCK : CLOCK + 1]:
        return False
    return any(old[field : field + 1] != new[field : field + 1] for field in fields)
