"""SQLite files of other programs are read a page at a time, whatever their tables are like."""

import sqlite3
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store.foreign import ForeignFile, is_sqlite
from tests.store.stored import Stored

ROWS = [(number, f"row {number}") for number in range(1, 101)]
TABLES = {
    "plain": "CREATE TABLE t(a INTEGER, b TEXT)",
    "keyed": "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)",
    "real": "CREATE TABLE t(a REAL PRIMARY KEY, b TEXT)",
    "without rowid": "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT) WITHOUT ROWID",
    "view": "CREATE TABLE own(a INTEGER, b TEXT); CREATE VIEW t AS SELECT * FROM own",
}


def made(path: Path, script: str, mode: str = "delete") -> Path:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.executescript(script)
    table = "own" if "own(" in script else "t"
    connection.executemany(f"INSERT INTO {table} VALUES(?, ?)", ROWS)
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize("script", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_pages_have_each_row_once_in_order(tmp_path: Path, script: str, size: int) -> None:
    with ForeignFile(made(tmp_path / "x.db", script)) as file:
        pages = [*file.pages("t", ("a", "b"), size)]

    assert [row[1:] for page in pages for row in page] == ROWS
    assert {len(page) for page in pages[:-1]} <= {size}


def test_what_is_written_while_it_is_read_is_read_too(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db", TABLES["plain"])
    found = []

    with ForeignFile(path) as file:
        for page in file.pages("t", ("a",), 40):
            found += [row[1] for row in page]
            if len(found) == 80:
                writing = sqlite3.connect(path, timeout=0)
                writing.execute("INSERT INTO t VALUES(101, 'new')")
                writing.commit()
                writing.close()

    assert found == [*range(1, 102)]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_nothing_is_left_beside_the_file(tmp_path: Path, mode: str) -> None:
    path = made(tmp_path / "x.db", TABLES["keyed"], mode)
    before = path.read_bytes()

    with ForeignFile(path) as file:
        assert file.tables() == {"t": ("a", "b")}
        assert not file.is_ours

    assert [each.name for each in tmp_path.iterdir()] == ["x.db"]
    assert path.read_bytes() == before


def test_a_store_of_ours_is_told_apart(stored: Stored) -> None:
    stored.put()
    stored.store.flush()

    with ForeignFile(stored.path) as file:
        assert file.is_ours


def test_how_much_is_there_is_said_unless_it_takes_too_long(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db", TABLES["plain"])
    connection = sqlite3.connect(path)
    connection.execute("WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i+1 FROM n LIMIT 20000)"
                       " INSERT INTO t SELECT i, 'x' FROM n")  # fmt: skip
    connection.commit()
    connection.close()

    with ForeignFile(path) as file:
        whole, cut = file.extent("t", "a", 60.0), file.extent("t", "a", 0.0)
        again = file.some("t", ("a",), 2)

    assert (whole.count, whole.first, whole.last) == (20_100, 1, 20_100)
    assert (cut.count, cut.first, cut.last) == (None, None, None)
    assert again == [(1,), (2,)]


def test_names_are_no_sql(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE "a""; DROP TABLE b; --"("c""d" TEXT)')
    connection.execute("""INSERT INTO "a""; DROP TABLE b; --" VALUES('e')""")
    connection.commit()
    connection.close()

    with ForeignFile(path) as file:
        ((table, columns),) = file.tables().items()
        assert file.some(table, columns, 5) == [("e",)]


def test_what_is_no_text_is_no_end(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db", TABLES["plain"])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE t SET b = CAST(x'ff41' AS TEXT) WHERE a = 1")
    connection.commit()
    connection.close()

    with ForeignFile(path) as file:
        assert file.some("t", ("b",), 1) == [("\ufffdA",)]


def test_a_file_of_something_else_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 1000)

    assert is_sqlite(path)
    with ForeignFile(path) as file, pytest.raises(StoreError, match="cannot read"):
        file.tables()
    with pytest.raises(StoreError, match="cannot read"):
        ForeignFile(tmp_path / "none.db")


def test_a_file_that_is_locked_says_what_to_stop(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db", TABLES["plain"])
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("BEGIN EXCLUSIVE")

    with (
        ForeignFile(path, 0.0) as file,
        pytest.raises(StoreError, match="stop the program that writes"),
    ):
        file.tables()

    writing.close()
