"""Work of others in a transaction of the store: whole or not at all, between two commits."""

import sqlite3

import pytest

from agent.errors import StoreError
from agent.store.writer import Writer
from tests.store.stored import Stored


def note(writer: Writer) -> str:
    """Something that can be seen in the file."""
    writer.connection.execute("INSERT INTO meta(key, value) VALUES('noted', 1)")
    return "done"


def noted(stored: Stored) -> list[tuple[object, ...]]:
    return stored.sql("SELECT value FROM meta WHERE key = 'noted'")


def test_what_is_done_is_in_the_file_and_its_answer_comes_back(stored: Stored) -> None:
    stored.store.flush()

    answer = stored.store.transact(note)

    assert answer == "done"
    assert noted(stored) == [(1,)]


def test_nothing_is_done_while_the_file_is_not_open(stored: Stored) -> None:
    before = stored.store.transact(note)
    stored.store.flush()
    stored.store.close()

    assert before is stored.store.transact(note) is None


def test_an_error_of_the_file_undoes_all_and_the_next_commit_opens_it_anew(stored: Stored) -> None:
    stored.put(number=1)
    stored.store.flush()

    def fail(writer: Writer) -> None:
        note(writer)
        writer.connection.execute("INSERT INTO nowhere VALUES(1)")

    with pytest.raises(StoreError, match="no such table: nowhere"):
        stored.store.transact(fail)
    is_open = stored.store.is_open
    stored.put(number=2)

    assert (is_open, stored.store.flush()) == (False, True)
    assert noted(stored) == []
    assert stored.values() == [{"number": 1}, {"number": 2}]


def test_a_bug_in_it_undoes_all_and_is_seen(stored: Stored) -> None:
    stored.store.flush()

    def fail(writer: Writer) -> None:
        note(writer)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stored.store.transact(fail)

    assert stored.store.flush()
    assert noted(stored) == []


def test_a_file_that_was_replaced_is_not_written(stored: Stored) -> None:
    stored.store.flush()
    stored.path.unlink()
    sqlite3.connect(stored.path).close()

    with pytest.raises(StoreError, match="was replaced or removed while in use"):
        stored.store.transact(note)
