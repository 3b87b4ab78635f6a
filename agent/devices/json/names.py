"""Names of the single values of answers, made of the way to each and kept for good."""

import hashlib
from typing import Final

from agent.devices.json.path import cleaned
from agent.model import RESERVED_METRICS

LEAVES_LIMIT: Final = 500
NAME_LIMIT: Final = 190  # characters; the store takes 200, and a number may follow
KEPT_LIMIT: Final = 1000  # characters of a way that is kept as it is

Way = tuple[str, ...]


class Names:
    """Gives the way to a value a name that it has from then on, whatever else an answer holds.

    >>> names = Names()
    >>> names.of(("temp",)), names.of(("Temp",)), names.of(("temp",))
    ('temp', 'Temp_2', 'temp')
    """

    def __init__(self) -> None:
        self._names: dict[Way, str] = {}
        self._taken: set[str] = set()

    def of(self, way: Way) -> str | None:
        """The name; ``None`` where it would be one more than there may be."""
        kept = _short(way)
        name = self._names.get(kept)
        if name is None and len(self._names) < LEAVES_LIMIT:
            name = self._names[kept] = self._unique(_joined(way))
        return name

    def _unique(self, name: str) -> str:
        """One that is not taken, however its letters are cased, nor a column of the store."""
        own = f"device_{name}" if name.lower() in RESERVED_METRICS else name
        made, number = own, 1
        while made.lower() in self._taken:
            number += 1
            made = f"{own}_{number}"
        self._taken.add(made.lower())
        return made


def _joined(way: Way) -> str:
    name = ""
    for key in way:
        own = cleaned(key)[:NAME_LIMIT].strip() or "_"
        name = f"{name}.{own}"[:NAME_LIMIT].strip() if name else own
    return name or "value"


def _short(way: Way) -> Way:
    """Keys may be as long as an answer, and hundreds of them are kept."""
    if sum(map(len, way)) <= KEPT_LIMIT:
        return way
    return (hashlib.sha256(repr(way).encode()).hexdigest(),)
