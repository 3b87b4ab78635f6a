"""A stretch of one device's samples as the lines of a CSV table."""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from agent.model import Metric
from agent.store.lines import cell
from agent.store.rows import Layout
from agent.store.sealed import DamagedBlock

__all__ = ["Table", "cell", "columns_of"]


@attrs.frozen
class Table:
    """The metrics of a stretch of time are the columns, its samples the rows.

    ``rows`` can be read once, while the reader is open: ``ts_ms`` and the CSV text of the values,
    one for each metric, ``1.5,auto,,1``. ``damaged`` is complete when all rows were read: what is
    left out of them, as it can't be read.
    """

    metrics: tuple[Metric, ...]
    rows: Iterator[tuple[int, str]]
    damaged: Sequence[DamagedBlock] = ()


def columns_of(layouts: Iterable[Layout]) -> Layout:
    """All positions that some layout has.

    >>> columns_of([(0, 1), (0, 4)])
    (0, 1, 4)
    """
    return tuple(sorted({position for layout in layouts for position in layout}))
