"""Values as SQLite takes them."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from agent.model import Value
from agent.store.rows import is_storable, storable

LEAST, MOST = -(1 << 63), (1 << 63) - 1  # the integers that SQLite has; larger ones become REAL

Cells = Sequence[Value]


def sql_cells(cells: Cells) -> Cells:
    """A column for SQLite: integers that it does not have as REAL, texts without UTF-8 with ``?``.

    >>> sql_cells([2**70, 5, "a"])
    [1.1805916207174113e+21, 5, 'a']
    """
    kinds = {*map(type, cells)}
    integers: Sequence[Any] = ()
    if int in kinds:
        is_number = kinds <= {int, float, bool}
        integers = cells if is_number else [cell for cell in cells if type(cell) is int]
    if integers and not (min(integers) >= LEAST and max(integers) <= MOST):
        cells = [cell if _fits(cell) else _real(cell) for cell in cells]
    if str in kinds and not all(is_storable(cell) for cell in {*cells} if isinstance(cell, str)):
        cells = [storable(cell) if isinstance(cell, str) else cell for cell in cells]
    return cells


def absent(count: int) -> Cells:
    """A column that nothing offers."""
    return [*repeat(None, count)]


def _fits(cell: Value) -> bool:
    return not isinstance(cell, int) or LEAST <= cell <= MOST


def _real(cell: Value) -> Value:
    try:
        return float(cell) if cell is not None else None
    except OverflowError:  # more than any REAL: SQLite reads such a number as infinity, too
        return float("inf") if isinstance(cell, int) and cell > 0 else float("-inf")
