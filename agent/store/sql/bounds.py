"""What a condition in SQL says of the stretch that has to be read: never less than it needs."""

import math
import re
from collections.abc import Callable, Mapping

import apsw
import attrs

from agent.store.sql.times import first_after, first_not_before

# Of what a table is in order by, milliseconds or seconds. A thousand times as much is still a
# number for SQLite, as keys count microseconds.
BEFORE_ALL, AFTER_ALL = -4 * 10**15, 4 * 10**15

SQL = str | int | float | bytes | None

EQUAL, ABOVE, AT_MOST, BELOW, AT_LEAST, LIKE, GLOB = range(7)
OPERATORS: Mapping[int, int] = {
    apsw.SQLITE_INDEX_CONSTRAINT_EQ: EQUAL,
    apsw.SQLITE_INDEX_CONSTRAINT_GT: ABOVE,
    apsw.SQLITE_INDEX_CONSTRAINT_LE: AT_MOST,
    apsw.SQLITE_INDEX_CONSTRAINT_LT: BELOW,
    apsw.SQLITE_INDEX_CONSTRAINT_GE: AT_LEAST,
    apsw.SQLITE_INDEX_CONSTRAINT_LIKE: LIKE,
    apsw.SQLITE_INDEX_CONSTRAINT_GLOB: GLOB,
}
WILD = {LIKE: "[%_]", GLOB: "[*?[]"}
LAST = chr(0x10FFFF)


@attrs.frozen
class Stretch:
    """Whole numbers from ``start`` up to ``end``, which is no longer one of them."""

    start: int = BEFORE_ALL
    end: int = AFTER_ALL

    @property
    def is_empty(self) -> bool:
        return self.start >= self.end

    def cut(self, start: int, end: int) -> "Stretch":
        """What this and another have in common."""
        return Stretch(max(self.start, start), min(self.end, end))


NOTHING = Stretch(0, 0)

Narrow = Callable[[Stretch, int, SQL], Stretch]


def by_number(stretch: Stretch, operator: int, value: SQL) -> Stretch:
    """What is left where a whole number is compared with a value.

    >>> by_number(Stretch(), ABOVE, 6.5).start, by_number(Stretch(), AT_MOST, 6).end
    (7, 7)
    """
    if value is None:
        return NOTHING  # no comparison with NULL is true
    if not isinstance(value, int | float) or operator in WILD:
        return stretch
    limited = min(max(value, BEFORE_ALL), AFTER_ALL)
    at_least, above = math.ceil(limited), math.floor(limited) + 1
    return _narrowed(stretch, operator, at_least, above)


def by_time(stretch: Stretch, operator: int, value: SQL) -> Stretch:
    """What is left of times where their text is compared with a value.

    >>> by_time(Stretch(), LIKE, "1970-01-02%")
    Stretch(start=86400000, end=172800000)
    """
    if value is None:
        return NOTHING
    if not isinstance(value, str):
        return stretch
    if operator in (LIKE, GLOB):
        beginning = re.split(WILD[operator], value)[0].upper()
        return stretch.cut(first_not_before(beginning), first_not_before(beginning + LAST))
    return _narrowed(stretch, operator, first_not_before(value), first_after(value))


def is_exact(narrow: Narrow, operator: int, value: SQL) -> bool:
    """Whether what is left needs no second look, with a value that is known beforehand."""
    kinds = int | float if narrow is by_number else str
    return isinstance(value, kinds) and operator not in WILD


def _narrowed(stretch: Stretch, operator: int, at_least: int, above: int) -> Stretch:
    if operator == EQUAL:
        return stretch.cut(at_least, above)
    if operator in (ABOVE, AT_LEAST):
        return stretch.cut(above if operator == ABOVE else at_least, AFTER_ALL)
    return stretch.cut(BEFORE_ALL, above if operator == AT_MOST else at_least)
