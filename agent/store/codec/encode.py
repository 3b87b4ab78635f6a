"""A block out of samples."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import sub

from agent.model import Value
from agent.store.codec.column import put_column
from agent.store.codec.directory import Writing
from agent.store.codec.heading import MOST_SAMPLES, Heading, heading_of, put_heading
from agent.store.codec.ints import put_ints
from agent.store.codec.layouts import columns_of, put_layouts
from agent.store.codec.parts import Parts
from agent.store.codec.piece import Piece
from agent.store.codec.reference import Recent
from agent.store.codec.seal import sealed
from agent.store.codec.streams import deflate
from agent.store.codec.values import is_constant
from agent.store.rows import Layout

FURTHEST = 1 << 61  # a key or a time is not beyond it
SHARED_BYTES = 256  # a column whose text deflates to no more is read with others like it
PLAIN, MICROSECONDS, SECONDS = range(3)  # what keys are stored as differences to


def encode(piece: Piece, *, small: bool = False) -> bytes:
    """The block of ``piece``; with ``small`` its columns share one stream.

    Raises:
        ValueError: The piece is empty, too large, or its parts do not belong together.
    """
    _check(piece)
    heading = heading_of(piece.device, piece.keys, piece.times)
    samples = (piece.keys, piece.times, piece.clocks, piece.layouts)
    cells = (piece.columns[position] for position in columns_of(piece.positions))
    return assemble(heading, piece.positions, samples, cells, small=small)


def assemble(
    heading: Heading,
    positions: Mapping[int, Layout],
    samples: Sequence[Sequence[int]],
    columns: Iterable[Sequence[Value]],
    *,
    small: bool,
) -> bytes:
    """A block of keys, times, clocks and layouts, and of columns, taken one after the other."""
    writing = Writing(put_layouts(positions))
    keys, times, clocks, layouts = samples
    way, differences = _relative(keys, times)
    for numbers in (differences, times, clocks, layouts):
        parts = Parts()
        if numbers is differences:
            parts.head.append(way)
        put_ints(parts, numbers)
        _add(writing, parts, small)
    recent = Recent()
    for cells in columns:
        if is_constant(cells):
            writing.constant(cells[0])
            recent.add(None)
            continue
        parts = Parts()
        put_column(parts, cells, recent)
        _add(writing, parts, small)
    return sealed(put_heading(heading) + writing.done())


def _add(writing: Writing, parts: Parts, small: bool) -> None:
    packed = None
    if not small and sum(map(len, parts.text)) > SHARED_BYTES:
        found = deflate(parts.text)
        packed = found if len(found) > SHARED_BYTES else None
    writing.varying(parts, packed)


def _relative(keys: Sequence[int], times: Sequence[int]) -> tuple[int, Sequence[int]]:
    """Keys as differences to what their times make them, where that has fewer changes."""
    ways = {
        MICROSECONDS: list(map(sub, keys, [time * 1000 for time in times])),
        SECONDS: list(map(sub, keys, [time // 1000 for time in times])),
        PLAIN: list(keys),
    }
    if max(map(abs, ways[MICROSECONDS])) > FURTHEST:
        del ways[MICROSECONDS]
    way = min(ways, key=lambda each: len({*ways[each]}))
    return way, ways[way]


def _check(piece: Piece) -> None:
    count = len(piece.keys)
    if not 0 < count <= MOST_SAMPLES:
        raise ValueError(f"wanted 1 to {MOST_SAMPLES} samples for a block, got {count}")
    if not count == len(piece.times) == len(piece.clocks) == len(piece.layouts):
        raise ValueError(f"wanted a time, a clock and a layout for each of {count} keys")
    for numbers in (piece.keys, piece.times, piece.clocks, piece.layouts):
        if not -FURTHEST < min(numbers) <= max(numbers) < FURTHEST:
            raise ValueError(f"wanted keys and times within 2**61, got {max(numbers)}")
    used = Counter(piece.layouts)
    if used.keys() != piece.positions.keys():
        raise ValueError(f"wanted layouts {sorted(used)}, got {sorted(piece.positions)}")
    lengths: Counter[int] = Counter()
    for layout, samples in used.items():
        lengths.update(dict.fromkeys(piece.positions[layout], samples))
    if lengths != {position: len(cells) for position, cells in piece.columns.items()}:
        raise ValueError("wanted as many cells in each column as samples offer it")
