"""The newest samples of a file, whatever form they are in: where new keys and a new run go on."""

import sqlite3
from collections.abc import Iterator

import attrs

from agent.store.batches import SPAN_MS
from agent.store.codec import Block, Damaged
from agent.store.schema import SAMPLE_TABLES

HOSTS = "SELECT id FROM device WHERE kind = 'host'"


@attrs.frozen(order=True)
class Newest:
    """The key of the newest sample, and what the clock said then."""

    key: int
    ts_ms: int


def newest(connection: sqlite3.Connection) -> dict[str, Newest]:
    """The newest sample for each table by which keys are counted, where there is one.

    Keys rise together for all devices but hosts: whoever counts on must not fall behind one that
    was sealed already.
    """
    found = {}
    for table in SAMPLE_TABLES:
        places = _in_rows, _in_batches, _in_blocks
        one = max((one for place in places for one in place(connection, table)), default=None)
        if one is not None:
            found[table] = one
    return found


def _in_rows(connection: sqlite3.Connection, table: str) -> Iterator[Newest]:
    sql = f"SELECT rowid, ts_ms FROM {table} ORDER BY rowid DESC LIMIT 1"
    yield from (Newest(*row) for row in connection.execute(sql))


def _in_batches(connection: sqlite3.Connection, table: str) -> Iterator[Newest]:
    # The newest batch of each device: in one commit, that which begins last may end first. No
    # batch spans more than a day.
    newest_of_each = (
        "SELECT max(id) FROM batch WHERE id > (SELECT max(id) FROM batch) - ? GROUP BY device"
    )
    sql = f"SELECT id, device {_belongs(table)}, data FROM batch WHERE id IN ({newest_of_each})"
    for id_, is_counted, data in connection.execute(sql, (SPAN_MS * 1000,)):
        if not is_counted:
            if table == "row":  # a host's batch has a number of the others', too
                yield Newest(id_, 0)
            continue
        try:
            block = Block(data)
            yield Newest(block.last_key, block.times()[-1])
        except Damaged:  # whoever reads it says so
            yield Newest(id_ // SAMPLE_TABLES[table], id_ // 1000)


def _in_blocks(connection: sqlite3.Connection, table: str) -> Iterator[Newest]:
    sql = (
        f"SELECT id, last_key, last_ms FROM block WHERE device {_belongs(table)} "
        "ORDER BY last_key DESC LIMIT 1"
    )
    for id_, last_key, last_ms in connection.execute(sql).fetchall():
        (data,) = connection.execute("SELECT data FROM block WHERE id = ?", (id_,)).fetchone()
        try:
            yield Newest(last_key, Block(data).times()[-1])
        except Damaged:
            yield Newest(last_key, last_ms)


def _belongs(table: str) -> str:
    return f"IN ({HOSTS})" if table == "host_row" else f"NOT IN ({HOSTS})"
