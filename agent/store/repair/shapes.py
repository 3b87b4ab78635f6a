"""Which table a line is of, by what it looks like: for pages that no table leads to any more."""

import re

from agent.store.repair.cells import Record

LETTERS = {type(None): "n", int: "i", float: "f", str: "s", bytes: "b"}
# The fields of a line, one letter each: the key of a table stands in it as nothing.
SHAPES = {
    "block": "niiiiiib",
    "batch": "nib",
    "catalogue": "nb",
    "row": "niiiis",
    "gap": "nii[in]ss",
    "run": "nssi[in]",
    "clock": "nsii[in][in]?",
    "device": "nss",
    "layout": "nis",
    "sqlite_master": "sssi[sn]",
}

ENTRIES = {"aggregate": "iiiib", "block_time": "iiiiiii"}


def shape_of_entry(record: Record) -> str | None:
    """The index, or the table without keys, if there is one that an entry may be of.

    >>> shape_of_entry((1, 60000, 0, 7, b""))
    'aggregate'
    """
    letters = "".join(LETTERS[type(field)] for field in record)
    return next((name for name, shape in ENTRIES.items() if shape == letters), None)


def shape_of(key: int, record: Record) -> str | None:
    """The table, if there is one that the line may be of.

    >>> shape_of(7, (None, 1, "0-3")), shape_of(7, (7, "x"))
    ('layout', None)
    """
    letters = "".join(LETTERS[type(field)] for field in record)
    found = next((table for table, shape in SHAPES.items() if re.fullmatch(shape, letters)), None)
    ts_ms = record[2] if found == "row" else None
    if isinstance(ts_ms, int) and abs(key - ts_ms // 1000) < abs(key - ts_ms * 1000):
        return "host_row"  # its keys are seconds, and not microseconds
    return found


def is_of(table: str, key: int, record: Record) -> bool:
    """Whether a line may be of a table; of the two tables of rows, either."""
    found = shape_of(key, record)
    return found == table or {found, table} == {"row", "host_row"}
