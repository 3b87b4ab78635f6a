"""Whether what comes out of a block is what went in, to the digit and type."""

import marshal
from collections.abc import Sequence

from agent.model import Value


class DifferenceError(ValueError):
    """A block does not give back what went into it."""


def compare(name: str, got: Sequence[Value], wanted: Sequence[Value]) -> None:
    """Nothing, if they are the same: 1 is not 1.0 is not True, and 0.0 is not -0.0.

    Raises:
        DifferenceError: They are not; ``name`` says what they are.
    """
    # Version 2 writes types and bits as they are, and knows no references between objects.
    if marshal.dumps([*got], 2) != marshal.dumps([*wanted], 2):
        raise DifferenceError(f"{name} came out differently")
