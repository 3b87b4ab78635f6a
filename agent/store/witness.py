"""A row by which one can tell, after a crash, whether a transaction is in the file.

A number kept in the file would tell too, but costs each commit a page of its own: 35 MB a day on a
card at a commit every 10 s. The newest rows are on pages that the commit writes anyway.
"""

import sqlite3
import zlib
from collections.abc import Mapping

import attrs

# Named one by one: a later schema may add columns. Each key comes first. The journal tells tables
# by their place in here: new ones come last.
COLUMNS = {
    "row": "id, device, ts_ms, v",
    "host_row": "ts, device, ts_ms, v",
    "gap": "id, device, start_ms, end_ms, reason, detail",
    "batch": "id, device, data",
}


@attrs.frozen
class Witness:
    """A row of a table by its key, with the checksum of what it says."""

    table: str
    key: int
    checksum: int


def newest(connection: sqlite3.Connection) -> dict[str, Witness]:
    """The newest row of each table that has any."""
    found = {}
    for table, columns in COLUMNS.items():
        sql = f"SELECT {columns} FROM {table} ORDER BY rowid DESC LIMIT 1"
        row = connection.execute(sql).fetchone()
        if row is not None:
            found[table] = Witness(table, row[0], _checksum(row))
    return found


def made(before: Mapping[str, Witness], after: Mapping[str, Witness]) -> Witness | None:
    """A row that is there after a transaction only, of the newest before and after it.

    Without one the transaction made none: it only ended or removed gaps, which can be done twice.
    """
    for table, row in after.items():
        was = before.get(table)
        if row != was and (was is None or row.key >= was.key):
            return row
    return None


def holds(connection: sqlite3.Connection, witness: Witness) -> bool:
    """Whether the row is in the file, as it was made."""
    sql = f"SELECT {COLUMNS[witness.table]} FROM {witness.table} WHERE rowid = ?"
    row = connection.execute(sql, (witness.key,)).fetchone()
    return row is not None and _checksum(row) == witness.checksum


def _checksum(row: tuple[object, ...]) -> int:
    return zlib.crc32(repr(row).encode("utf-8", "surrogatepass"))
