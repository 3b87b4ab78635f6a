"""Samples as text rows: exact in value and type, and small."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from agent.model import Value

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
).encode

HOST_KIND = "host"
PROCESS_COLUMNS = ("pid", "name", "cpu", "mem", "cmdline")

Path = tuple[int, ...]  # indexes into a row's array and the arrays in it
Layout = tuple[int, ...]  # the positions of the metrics that a row offers, in rising order


def encode(values: Sequence[Value]) -> str:
    """Values as a JSON array; ``1``, ``1.0`` and ``true`` stay apart.

    >>> encode([1, 1.0, True, None, "ä"])
    '[1,1.0,true,null,"ä"]'
    """
    text = _encode(values)
    # SQLite takes UTF-8 only, and half of a surrogate pair has none: it is written as \ud83d.
    return (
        text if text.isascii() or is_storable(text) else json.dumps(values, separators=(",", ":"))
    )


def is_storable(text: str) -> bool:
    """Whether SQLite takes a text: all of it has UTF-8.

    >>> is_storable("ä"), is_storable("\\ud83d")
    (True, False)
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def storable(text: str) -> str:
    """A text for people, with ``?`` for what SQLite does not take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def decode(text: str) -> list[Value]:
    """The values of a row, as they went in."""
    values: list[Value] = json.loads(text)
    return values


def arrange(text: str, paths: Sequence[Path | None]) -> str:
    """Values in the order of a reading, put at their metrics' places; ``None`` leaves one out.

    >>> arrange('[7,8,9]', [(2,), (0, 1), (0, 0)])
    '[[9,8],null,7]'
    """
    if all(path == (place,) for place, path in enumerate(paths)):
        return text
    root: list[Any] = []
    for path, value in zip(paths, decode(text), strict=True):
        if path is None:
            continue
        inner = root
        for index in path[:-1]:
            _grow(inner, index)
            if inner[index] is None:
                inner[index] = []
            inner = inner[index]
        _grow(inner, path[-1])
        inner[path[-1]] = value
    return encode(root)


def _grow(values: list[Any], index: int) -> None:
    values.extend([None] * (index + 1 - len(values)))


def place(kind: str, name: str, taken: Sequence[Path]) -> Path:
    """Where a new metric of a device lies in its rows' arrays.

    Cores and processes of a host are lists of their own, ``v[0]`` and ``v[1]``: the views over
    them then take 1.1 s on a week of 5 s samples, and 3.3 s when they lie side by side.

    >>> place("host", "process2_cpu", []), place("s7", "level", [(0,)])
    ((1, 1, 2), (1,))
    """
    if kind == HOST_KIND:
        core = re.fullmatch(r"core(\d{1,4})_usage", name)
        if core:
            return (0, int(core[1]))
        process = re.fullmatch(r"process([1-9]\d{0,2})_(pid|name|cpu|mem|cmdline)", name)
        if process:
            return (1, int(process[1]) - 1, PROCESS_COLUMNS.index(process[2]))
        return (max([1, *(path[0] for path in taken)]) + 1,)
    return (len(taken),)


def layout_text(positions: Layout) -> str:
    """Positions as ranges.

    >>> layout_text((0, 1, 2, 5))
    '0-2,5'
    """
    return ",".join(f"{a}-{b}" if b > a else str(a) for a, b in _runs(positions))


def _runs(positions: Layout) -> Iterator[tuple[int, int]]:
    start = last = None
    for position in positions:
        if start is None or last is None or position != last + 1:
            if start is not None and last is not None:
                yield start, last
            start = position
        last = position
    if start is not None and last is not None:
        yield start, last


def layout_from(text: str) -> Layout:
    """What ``layout_text`` wrote.

    >>> layout_from('0-2,5')
    (0, 1, 2, 5)
    """
    positions: list[int] = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        positions.extend(range(int(first), int(last or first) + 1))
    return tuple(positions)


@attrs.frozen
class RawRow:
    """A stored row as it lies in the file."""

    id: int
    ts_ms: int
    layout: Layout
    clock: int
    text: str

    def values(self, places: Mapping[int, tuple[str, Path]]) -> dict[str, Value]:
        """Metric name to value, of what the row offers; ``places`` is by position."""
        root: Any = decode(self.text)
        found = {}
        for position in self.layout:
            name, path = places[position]
            value = root
            for index in path:
                value = value[index]
            found[name] = value
        return found
