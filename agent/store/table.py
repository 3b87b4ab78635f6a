"""A stretch of one device's samples as the lines of a CSV table."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import itemgetter

import attrs

from agent.model import Metric
from agent.store.lines import Lines, cell
from agent.store.rows import Layout, Path

__all__ = ["Table", "cell", "columns_of", "csv_rows"]

# Rows that are worked on at once: enough to be fast, few enough to stay small in memory.
BATCH_ROWS, FIRST_ROWS, BATCH_CHARACTERS = 512, 16, 64 * 1024


@attrs.frozen
class Table:
    """The metrics of a stretch of time are the columns, its samples the rows.

    ``rows`` can be read once, while the reader is open: ``ts_ms`` and the CSV text of the values,
    one for each metric, ``1.5,auto,,1``.
    """

    metrics: tuple[Metric, ...]
    rows: Iterator[tuple[int, str]]


def columns_of(layouts: Iterable[Layout]) -> Layout:
    """All positions that some layout has.

    >>> columns_of([(0, 1), (0, 4)])
    (0, 1, 4)
    """
    return tuple(sorted({position for layout in layouts for position in layout}))


def csv_rows(
    rows: Iterable[tuple[int, int, str]], layouts: Mapping[int, Layout], paths: Mapping[int, Path]
) -> Iterator[tuple[int, str]]:
    """Time and cells of rows, which are time, number of the layout, and JSON text.

    ``layouts`` are those that occur, and ``paths`` says where in a row a position lies.
    """
    columns = columns_of(layouts.values())
    lines = {id_: Lines(columns, layout, paths) for id_, layout in layouts.items()}
    waiting = iter(rows)
    size = FIRST_ROWS
    while batch := list(islice(waiting, size)):
        for layout, group in groupby(batch, itemgetter(1)):
            times, _, texts = zip(*group, strict=True)
            yield from zip(times, lines[layout].of(texts), strict=True)
        characters = sum(len(text) for _, _, text in batch)
        size = max(1, min(BATCH_ROWS, BATCH_CHARACTERS * len(batch) // characters))
