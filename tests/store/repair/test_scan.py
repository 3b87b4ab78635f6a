"""A table is read past what is damaged in it, and the way through it always has an end."""

import sqlite3
from pathlib import Path

from agent.store.repair.scan import BACKWARDS, Unread, scan
from tests.store.repair.damaged import PAGE, overwrite

COUNT = 400


def table(path: Path) -> list[int]:
    """A table of some pages; the numbers of those with lines, in their order."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute("CREATE TABLE row(id INTEGER PRIMARY KEY, v TEXT)")
    connection.executemany("INSERT INTO row VALUES(?, ?)", ((n, "x" * 40) for n in range(COUNT)))
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master").fetchone()
    connection.close()
    data = path.read_bytes()
    at = (root - 1) * PAGE
    cells = int.from_bytes(data[at + 3 : at + 5], "big")
    places = [
        at + int.from_bytes(data[at + p : at + p + 2], "big") for p in range(12, 12 + 2 * cells, 2)
    ]
    return [int.from_bytes(data[place : place + 4], "big") for place in places]


def read(path: Path) -> tuple[list[int], list[Unread]]:
    """The keys that are read, and what is not."""
    connection = sqlite3.connect(path)
    found = list(scan(connection, "row", ("v",), at_once=8))
    connection.close()
    rows = [row[0] for some in found if not isinstance(some, Unread) for row in some]
    return rows, [some for some in found if isinstance(some, Unread)]


def test_a_sound_table_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    table(path)

    assert read(path) == (list(range(COUNT)), [])


def test_a_page_with_the_keys_of_another_one_does_not_lead_back(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    leaves = table(path)
    data = path.read_bytes()
    first, there = (leaves[0] - 1) * PAGE, (leaves[5] - 1) * PAGE
    overwrite(path, there, data[first : first + PAGE])

    rows, unread = read(path)

    assert rows == sorted(set(rows))
    assert len(rows) > COUNT * 0.8
    assert {each.why for each in unread} == {BACKWARDS}
    (hit,) = unread
    assert hit.after is not None
    assert hit.before is not None
    assert {*range(COUNT)} - {*rows} == {*range(hit.after + 1, hit.before)}
