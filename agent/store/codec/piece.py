"""What goes into a block and comes out of it."""

from collections.abc import Mapping, Sequence

import attrs

from agent.model import Value
from agent.store.rows import Layout


@attrs.frozen
class Piece:
    """Consecutive samples of one device, column by column.

    ``keys``, ``times``, ``clocks`` and ``layouts`` have one number for each sample; ``positions``
    says what the layouts are. A column has the cells of those samples whose layout offers it.
    """

    device: int
    keys: Sequence[int]
    times: Sequence[int]
    clocks: Sequence[int]
    layouts: Sequence[int]
    positions: Mapping[int, Layout]
    columns: Mapping[int, Sequence[Value]]
