"""Names of columns that SQLite can tell apart."""

import re
from collections.abc import Iterable


def distinct(names: Iterable[str]) -> list[str]:
    """Names that differ in more than case, made so as SQLite does it in a view.

    >>> distinct(["time", "Temp", "temp", "temp"])
    ['time', 'Temp', 'temp:1', 'temp:2']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        unlike, number = name, 0
        while unlike.lower() in taken:
            number += 1
            unlike = f"{re.sub(r':[0-9]*$', '', name)}:{number}"
        taken.add(unlike.lower())
        found.append(unlike)
    return found
