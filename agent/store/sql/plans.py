"""What SQLite and a table agree on before a scan: which conditions say what has to be read."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import apsw
import attrs

from agent.store.sql.bounds import EQUAL, OPERATORS, SQL, WILD, Narrow, Stretch, is_exact

DESCENDING = "falling"
SEEK_COST = 20.0  # to find a place costs as much as so many rows
HALF_BOUND, BOUND = 3, 20  # how much less a condition leaves, as far as one can guess


@attrs.frozen
class Axis:
    """The columns by which a table is in order, each with how conditions on it narrow a stretch.

    ``match`` is a column that is compared with one text before anything is read, if there is one.
    """

    columns: Mapping[int, Narrow]
    match: int | None = None


@attrs.frozen
class Wanted:
    """What a scan has to read."""

    stretch: Stretch
    is_falling: bool
    match: SQL = None


def plan(info: apsw.IndexInfo, axis: Axis, rows: float, rows_of_one: float) -> None:
    """Tell SQLite what will be made use of, and what that costs.

    Args:
        rows: How many the table has.
        rows_of_one: How many of them are equal in what the table is in order by.
    """
    words = []
    for number in range(info.nConstraint):
        column = info.get_aConstraint_iColumn(number)
        operator = OPERATORS.get(info.get_aConstraint_op(number))
        narrow = axis.columns.get(column)
        is_match = column == axis.match and operator == EQUAL
        if operator is None or (narrow is None and not is_match):
            continue
        if not info.get_aConstraint_usable(number) or not _is_binary(info, number, operator):
            continue
        words.append(f"{column}.{operator}")
        info.set_aConstraintUsage_argvIndex(number, len(words))
        value = info.get_aConstraint_rhs(number)
        is_known = narrow is not None and is_exact(narrow, operator, value)
        info.set_aConstraintUsage_omit(number, is_known)
    rows = _left(rows, words, axis, rows_of_one)
    info.estimatedRows = int(rows)
    info.estimatedCost = SEEK_COST + rows
    if is_ordered(info, axis, words):
        info.orderByConsumed = True
        if info.get_aOrderBy_desc(0):
            words.append(DESCENDING)
    info.idxStr = " ".join(words)


def is_ordered(info: apsw.IndexInfo, axis: Axis, words: Sequence[str]) -> bool:
    """Whether the rows come in the order that is asked for."""
    if not info.nOrderBy or (axis.match is not None and f"{axis.match}.{EQUAL}" not in words):
        return False
    numbers = range(info.nOrderBy)
    is_of_axis = all(info.get_aOrderBy_iColumn(number) in axis.columns for number in numbers)
    return is_of_axis and len({info.get_aOrderBy_desc(number) for number in numbers}) == 1


def wanted(text: str, axis: Axis, values: Sequence[SQL]) -> Wanted:
    """What was agreed on, with the values that the conditions have by now."""
    conditions, is_falling = parsed(text)
    stretch, match = Stretch(), None
    for (column, operator), value in zip(conditions, values, strict=True):
        narrow = axis.columns.get(column)
        if narrow is None:
            match = value
        else:
            stretch = narrow(stretch, operator, value)
    return Wanted(stretch, is_falling, match)


@lru_cache
def parsed(text: str) -> tuple[Sequence[tuple[int, int]], bool]:
    """The conditions of a plan, as column and operator, and whether its rows fall.

    >>> parsed("1.2 1.4 falling")
    ([(1, 2), (1, 4)], True)
    """
    words = text.split()
    is_falling = DESCENDING in words[-1:]
    pairs = (word.split(".") for word in (words[:-1] if is_falling else words))
    return [(int(column), int(operator)) for column, operator in pairs], is_falling


def _is_binary(info: apsw.IndexInfo, number: int, operator: int) -> bool:
    return operator in WILD or info.get_aConstraint_collation(number) == "BINARY"


def _left(rows: float, words: Sequence[str], axis: Axis, rows_of_one: float) -> float:
    """How many rows conditions leave, as far as one can guess."""
    bounds = 0
    for column, operator in parsed(" ".join(words))[0]:
        if column == axis.match:
            rows /= BOUND
        elif operator == EQUAL:
            return max(1.0, rows_of_one)
        else:
            bounds += 1
    return max(1.0, rows / (1, HALF_BOUND, BOUND)[min(bounds, 2)])
