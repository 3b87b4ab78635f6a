"""A stretch of one device's samples as the cells of a CSV table."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import attrs

from agent.model import Metric, Value
from agent.store.rows import Layout, Path, decode


@attrs.frozen
class Table:
    """The metrics of a stretch of time are the columns, its samples the rows.

    ``rows`` can be read once, while the reader is open: ``ts_ms`` and the CSV text of the values,
    one for each metric, ``1.5,auto,,1``.
    """

    metrics: tuple[Metric, ...]
    rows: Iterator[tuple[int, str]]


def cell(value: Value) -> str:
    """A value as a CSV cell; decimal point, true as 1, nothing as nothing.

    >>> [cell(v) for v in (1.5, True, None, 'a"b,c')]
    ['1.5', '1', '', '"a""b,c"']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        if any(c in value for c in ',"\r\n') or value != value.strip():
            return '"' + value.replace('"', '""') + '"'
        return value
    return repr(value)


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
    # A row of numbers is nearly a line of CSV already: that is most rows of most devices, and
    # eight times as fast as taking it apart.
    is_flat = all(paths[position] == (place,) for place, position in enumerate(columns))
    flat = {id_ for id_, layout in layouts.items() if is_flat and layout == columns}
    wanted = {id_: _wanted(columns, layout, paths) for id_, layout in layouts.items()}
    for ts_ms, layout, text in rows:
        if layout in flat and '"' not in text:
            cells = text[1:-1].replace("null", "").replace("true", "1").replace("false", "0")
        else:
            cells = _cells(text, wanted[layout])
        yield ts_ms, cells


def _wanted(
    columns: Layout, offered: Collection[int], paths: Mapping[int, Path]
) -> list[Path | None]:
    return [paths[position] if position in offered else None for position in columns]


def _cells(text: str, wanted: Sequence[Path | None]) -> str:
    root = decode(text)
    cells = []
    for path in wanted:
        value: Value | list[Value] = None
        if path is not None:
            value = root
            for index in path:
                value = value[index]  # type: ignore[index]
        cells.append(cell(value))  # type: ignore[arg-type]
    return ",".join(cells)
