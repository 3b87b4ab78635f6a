"""Checks what is kept by the minute and by the hour against the blocks that it was made of."""

import math
import sqlite3
from collections.abc import Iterator, Sequence

from agent.model import Value
from agent.store.aggregates import (
    FIELDS,
    HOUR_MS,
    MINUTE_MS,
    QUARTER_MS,
    SUM,
    Buckets,
    combine,
    unpack,
)
from agent.store.codec import Block, Damaged
from agent.store.hours import minutes_of, quarters_of
from agent.store.repair.checks import Book, Fault, Progress

NAMES = {MINUTE_MS: "minutes", QUARTER_MS: "quarters of hours", HOUR_MS: "hours"}
WHOLE_DAY = 0  # in place of a block's number
DIGITS = 1e-9


def sum_faults(connection: sqlite3.Connection, book: Book) -> Iterator[Fault | Progress]:
    """Aggregates that are damaged, or others than their blocks come to."""
    (total,) = connection.execute("SELECT count(*) FROM aggregate").fetchone()
    keys = connection.execute(
        "SELECT device, span_ms, start_ms, block FROM aggregate ORDER BY 1, 2, 3, 4"
    ).fetchall()
    for done, (device, span_ms, start_ms, block) in enumerate(keys, 1):
        yield Progress("sums", done, total)
        why = _fault(connection, device, span_ms, start_ms, block)
        if why is not None:
            what = NAMES.get(span_ms, f"sums of {span_ms} ms")
            yield Fault(f"{what}: {why}", book.name(device), start_ms, start_ms)


def _fault(
    connection: sqlite3.Connection, device: int, span_ms: int, start_ms: int, block: int
) -> str | None:
    sql = (
        "SELECT data FROM aggregate WHERE device = ? AND span_ms = ? AND start_ms = ? AND block = ?"
    )
    (data,) = connection.execute(sql, (device, span_ms, start_ms, block)).fetchone()
    try:
        stored = unpack(Block(data))
        if block == WHOLE_DAY:
            wanted = combine([quarters_of(connection, device, start_ms)], span_ms)
        else:
            row = connection.execute("SELECT data FROM block WHERE id = ?", (block,)).fetchone()
            if row is None:
                return f"block {block}, which they are of, is not there"
            wanted = minutes_of([Block(row[0])])
    except (Damaged, TypeError) as exc:
        return f"damaged: {exc}"
    return None if _is_alike(stored, wanted) else "they are not what their samples come to"


def _is_alike(one: Buckets, other: Buckets) -> bool:
    """Exactly, but for sums: the order in which they were added up shows in the last digit."""
    if [*one.starts] != [*other.starts]:
        return False
    nothing = [[None] * len(one.starts)] * FIELDS
    return all(
        _are_alike(field, mine, theirs)
        for position in {*one.fields, *other.fields}
        for field, (mine, theirs) in enumerate(
            zip(one.fields.get(position, nothing), other.fields.get(position, nothing), strict=True)
        )
    )


def _are_alike(field: int, mine: Sequence[Value], theirs: Sequence[Value]) -> bool:
    if field != SUM:
        return [*mine] == [*theirs]
    return all(
        one == other
        or (
            isinstance(one, int | float)
            and isinstance(other, int | float)
            and math.isclose(one, other, rel_tol=DIGITS)
        )
        for one, other in zip(mine, theirs, strict=True)
    )
