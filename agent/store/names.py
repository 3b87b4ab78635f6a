"""Names of metrics as earlier samples had them: thousands of texts lie in memory once."""

import sys

NAMES_LIMIT = 256  # readings with different names that are remembered


class SharedNames:
    """The tuples of names that samples came with."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        """Names as an earlier row has them, and how many bytes of memory they add.

        Raises:
            ValueError: One has no UTF-8.
        """
        known = self._names.get(names)
        if known is not None:
            return known, 0
        "".join(names).encode("utf-8")  # what the file does not take must not get as far as that
        if len(self._names) >= NAMES_LIMIT:
            self._names.clear()
        self._names[names] = names
        return names, sys.getsizeof(names) + sum(map(sys.getsizeof, names))
