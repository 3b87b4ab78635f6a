"""A new file that begins with the numbers of the one that it stands for.

What is saved of that one can then be taken over as it is: with other numbers for its devices,
metrics and clocks, each block would have to be decoded and encoded again.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.store.book import SET_ASIDE, path_text
from agent.store.connection import connect, prepare
from agent.store.repair.names import Names, names_of
from agent.store.repair.pages import pages_of
from agent.store.repair.raw import IsLate
from agent.store.repair.tables import Tables
from agent.store.rows import layout_text

log = logging.getLogger(__name__)


def seed(path: Path, damaged: Path, is_late: IsLate) -> None:
    """Make a new file, if the names in the damaged one can be read; else it is made later."""
    try:
        with pages_of(damaged, is_late) as pages:
            tables = Tables(pages)
            names = names_of(tables)
            aside = [*_set_aside_names(tables)]
        if names.devices:
            _make(path, names, aside)
    except (OSError, sqlite3.Error) as exc:
        log.debug("%s begins without the names of %s: %s", path, damaged, exc)


def _set_aside_names(tables: Tables) -> list[tuple[str, str]]:
    found = []
    for record in tables.entries("meta"):
        match record:
            case (str(key), str(name)) if key.startswith(SET_ASIDE):
                found.append((key, name))
    return found


def _make(path: Path, names: Names, aside: list[tuple[str, str]]) -> None:
    with closing(connect(path)) as connection:
        prepare(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO meta(key, value) VALUES(?, ?)", aside)
        connection.executemany(
            "INSERT INTO clock(id, boot_id, monotonic_ms, ts_ms, synchronised, moved_ms) "
            "VALUES(?, ?, ?, ?, ?, ?)",
            names.clocks.values(),
        )
        for device in names.devices.values():
            connection.execute(
                "INSERT INTO device(id, name, kind) VALUES(?, ?, ?)",
                (device.id, device.name, device.kind),
            )
            connection.executemany(
                "INSERT INTO metric VALUES(?, ?, ?, ?, ?, ?, ?)",
                [
                    (device.id, m.position, path_text(m.path), m.metric.name, m.metric.unit,
                     m.metric.type, m.metric.help)
                    for m in device.metrics
                ],
            )  # fmt: skip
            connection.executemany(
                "INSERT INTO layout(id, device, positions) VALUES(?, ?, ?)",
                [(id_, device.id, layout_text(each)) for id_, each in device.layouts.items()],
            )
        connection.execute("COMMIT")
