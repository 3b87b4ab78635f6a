"""The layouts of a block: which positions the samples of each offer, as ranges."""

from collections.abc import Mapping

from agent.store.codec.cursor import Cursor, varint
from agent.store.codec.damaged import Damaged
from agent.store.rows import Layout

MOST_POSITIONS = 1_000_000  # of all layouts together


def columns_of(positions: Mapping[int, Layout]) -> list[int]:
    """The positions of all layouts, rising."""
    return sorted({position for layout in positions.values() for position in layout})


def put_layouts(positions: Mapping[int, Layout]) -> bytes:
    """The bytes of layouts by number."""
    count = sum(map(len, positions.values()))
    if count > MOST_POSITIONS:
        raise ValueError(f"wanted at most {MOST_POSITIONS} positions in all layouts, got {count}")
    found = bytearray(varint(len(positions)))
    for number, layout in sorted(positions.items()):
        ranges = _ranges(layout)
        found += varint(number) + varint(len(ranges))
        end = 0
        for start, stop in ranges:
            found += varint(start - end) + varint(stop - start)
            end = stop
    return bytes(found)


def _ranges(layout: Layout) -> list[tuple[int, int]]:
    """Where positions follow each other, from and up to.

    >>> _ranges((0, 1, 2, 5))
    [(0, 3), (5, 6)]
    """
    found: list[tuple[int, int]] = []
    for position in layout:
        if found and position < found[-1][1]:
            raise ValueError(
                f"wanted positions that rise, got {position} behind {found[-1][1] - 1}"
            )
        if found and position == found[-1][1]:
            found[-1] = (found[-1][0], position + 1)
        else:
            found.append((position, position + 1))
    return found


def take_layouts(cursor: Cursor) -> dict[int, Layout]:
    """The layouts by number that ``put_layouts`` wrote."""
    positions: dict[int, Layout] = {}
    left = MOST_POSITIONS
    for _ in range(cursor.varint()):
        number = cursor.varint()
        positions[number] = _take_layout(cursor, left)
        left -= len(positions[number])
    return positions


def _take_layout(cursor: Cursor, most: int) -> Layout:
    found: list[int] = []
    end = 0
    for _ in range(cursor.varint()):
        start = end + cursor.varint()
        length = cursor.varint()
        end = start + length
        if len(found) + length > most:
            raise Damaged(f"wanted at most {most} positions, got {len(found) + length}")
        found.extend(range(start, end))
    return tuple(found)
