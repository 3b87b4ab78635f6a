"""Values as they are: lists of them as JSON, and whether they are one and the same."""

import json
from collections.abc import Sequence

from agent.model import Value
from agent.store.codec.damaged import Damaged

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TYPES = {int, float, bool, str, type(None)}


def to_json(values: Sequence[Value]) -> bytes:
    """Values exact to the type, also halves of surrogate pairs."""
    return _encode(values).encode("utf-8", "surrogatepass")


def from_json(data: bytes) -> list[Value]:
    """What ``to_json`` wrote."""
    try:
        values = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Damaged(f"a list of values does not decode: {error}") from error
    if type(values) is not list or not {*map(type, values)} <= _TYPES:
        raise Damaged("wanted a list of values")
    found: list[Value] = values
    return found


def is_constant(cells: Sequence[Value]) -> bool:
    """Whether all cells are one value, also in type and sign.

    >>> is_constant([1, 1]), is_constant([1, 1.0]), is_constant([0.0, -0.0])
    (True, False, False)
    """
    first = cells[0]
    if cells[-1] != first or cells.count(first) < len(cells) or len({*map(type, cells)}) > 1:
        return False
    return first != 0 or type(first) is not float or len({*map(repr, cells)}) == 1


def identity(value: Value) -> object:
    """Equal for values that are the same in type and digits, and for no others.

    >>> identity(1) == identity(1.0), identity("1") == identity(1), identity(0.0) == identity(-0.0)
    (False, False, False)
    """
    return value if type(value) is str else (type(value), repr(value))


def listed(cells: Sequence[Value]) -> tuple[list[Value], list[int]]:
    """Each different value once, and for each cell which of them it is.

    >>> listed(["a", 1, "a", True])
    (['a', 1, True], [0, 1, 0, 2])
    """
    numbers: dict[object, int] = {}
    values: list[Value] = []
    found = []
    for value in cells:
        key = identity(value)
        if key not in numbers:
            numbers[key] = len(values)
            values.append(value)
        found.append(numbers[key])
    return values, found
