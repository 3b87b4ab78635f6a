"""When samples were imported that are older than the agent keeps: they are not deleted at once."""

import sqlite3
from typing import Final

from agent.store.asked import OpenFile

KEY: Final = "imported_old_ms"  # in meta


def note_import(connection: sqlite3.Connection, now_ms: int) -> None:
    """Note that such samples came now, in the open transaction that stores them."""
    connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", (KEY, now_ms))


def imported_ms(file: OpenFile) -> int | None:
    """When such samples came last.

    Raises:
        StoreError: The file can't be read.
    """
    found = [*file.rows(f"SELECT value FROM meta WHERE key = '{KEY}'")]
    return int(found[0][0]) if found else None
