"""Cells of SQLite's pages read by hand: what a damaged page still has, cell by cell.

Source: https://www.sqlite.org/fileformat2.html, sections 1.6, "B-tree Pages", and 2.1, "Record
Format".
"""

import struct
from collections.abc import Callable, Iterator, Sequence

import attrs

INDEX_INNER, TABLE_INNER, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
PAYLOAD_LIMIT = 1 << 30
NUMBER_BYTES = (0, 1, 2, 3, 4, 6, 8)
REAL, ZERO, ONE = 7, 8, 9

Field = int | float | str | bytes | None
Record = tuple[Field, ...]


class TornError(ValueError):
    """Bytes that are no cell, record or page."""


@attrs.frozen
class Page:
    """A page of a table or an index: its kind, its cells, and the last page below an inner one."""

    kind: int
    data: bytes
    cells: Sequence[int]
    last_child: int
    is_first: bool  # of the file: its head is on it, too


@attrs.frozen
class Cell:
    """A line of a table or an index: ``payload`` as far as it is on the page."""

    key: int  # of a table
    size: int  # of the whole payload
    payload: bytes
    overflow: int  # the page where it goes on, or 0
    taken: int  # bytes of the page


def page_from(data: bytes, usable_bytes: int, *, is_first: bool) -> Page:
    """What a page is, without looking into its cells.

    Raises:
        TornError: It is no page of a table or an index.
    """
    at = 100 if is_first else 0
    if len(data) < at + 12:
        raise TornError("no page")
    kind, _, count = struct.unpack_from(">BHH", data, at)
    is_inner = kind in (INDEX_INNER, TABLE_INNER)
    start = at + (12 if is_inner else 8)
    if kind not in (INDEX_INNER, TABLE_INNER, INDEX_LEAF, TABLE_LEAF):
        raise TornError(f"kind {kind}")
    if start + 2 * count > usable_bytes:
        raise TornError(f"{count} cells")
    cells = struct.unpack_from(f">{count}H", data, start)
    (last,) = struct.unpack_from(">I", data, at + 8) if is_inner else (0,)
    return Page(kind, data[:usable_bytes], cells, last, is_first)


def children(page: Page) -> Iterator[tuple[int | None, int]]:
    """Each page below an inner page of a table, with the highest key that it may have.

    Instead of one whose cell is damaged comes page 0; the last page has no bound.
    """
    before = None
    for at in page.cells:
        try:
            (child,) = struct.unpack_from(">I", page.data, at)
            key = signed(varint(page.data, at + 4)[0])
        except (struct.error, IndexError):
            continue
        if before is None or key > before:
            yield key, child
            before = key
    yield None, page.last_child


def inner_size(page: Page) -> int:
    """The bytes that the cells of an inner page of a table take."""
    size = 0
    for at in page.cells:
        try:
            size += varint(page.data, at + 4)[1] - at
        except IndexError:
            continue
    return size


def is_filled(page: Page, sizes: int) -> bool:
    """Whether cells of so many bytes are all that a page has, as its head says it."""
    at = 100 if page.is_first else 0
    first_free, _, content, fragments = struct.unpack_from(">HHHB", page.data, at + 1)
    free = 0
    for _ in range(len(page.data) // 4):
        if not first_free or first_free + 4 > len(page.data):
            break
        following, size = struct.unpack_from(">HH", page.data, first_free)
        free, first_free = free + size, following
    taken: int = (content or 65536) + sizes + free + fragments
    return taken == len(page.data)


def table_cell(page: Page, at: int) -> Cell:
    """A line of a table.

    Raises:
        TornError: There is none.
    """
    try:
        size, rest = varint(page.data, at)
        key, rest = varint(page.data, rest)
    except IndexError as exc:
        raise TornError("no cell") from exc
    return _cell(page, (at, rest), size, signed(key), len(page.data) - 35)


def leaf_lines(page: Page) -> Iterator[Cell]:
    """The lines of a leaf of a table, as far as they are whole and in order."""
    before = None
    for at in page.cells:
        try:
            cell = table_cell(page, at)
        except TornError:
            continue
        if before is None or cell.key > before:
            yield cell
            before = cell.key


def index_cell(page: Page, at: int) -> Cell:
    """A line of an index, or of a table without keys of its own.

    Raises:
        TornError: There is none.
    """
    try:
        size, rest = varint(page.data, at + (4 if page.kind == INDEX_INNER else 0))
    except IndexError as exc:
        raise TornError("no cell") from exc
    return _cell(page, (at, rest), size, 0, (len(page.data) - 12) * 64 // 255 - 23)


def _cell(page: Page, at: tuple[int, int], size: int, key: int, most: int) -> Cell:
    """``at`` is where the cell begins and where its payload does."""
    if size > PAYLOAD_LIMIT:
        raise TornError(f"{size} bytes")
    local = size
    if size > most:
        least = (len(page.data) - 12) * 32 // 255 - 23
        local = least + (size - least) % (len(page.data) - 4)
        local = local if local <= most else least
    end = at[1] + local
    after = end + (4 if size > local else 0)
    if after > len(page.data):
        raise TornError("beyond the page")
    overflow = int.from_bytes(page.data[end:after], "big")
    # A cell takes four bytes at least: so many has the head of a free one.
    return Cell(key, size, page.data[at[1] : end], overflow, max(4, after - at[0]))


def whole_payload(cell: Cell, page: Callable[[int], bytes], usable_bytes: int) -> bytes:
    """The payload of a line, with what lies on other pages.

    Raises:
        TornError: One of them is not there.
    """
    pieces, left, following = [cell.payload], cell.size - len(cell.payload), cell.overflow
    seen = set()
    while left > 0:
        data = page(following) if following and following not in seen else b""
        if len(data) < usable_bytes:
            raise TornError(f"page {following} is missing")
        seen.add(following)
        pieces.append(data[4 : min(usable_bytes, 4 + left)])
        left -= len(pieces[-1])
        following = int.from_bytes(data[:4], "big")
    return b"".join(pieces)


def record_from(payload: bytes, size: int | None = None) -> Record:
    """The fields of a payload; with ``size``, which it is cut from, as far as they are there.

    Raises:
        TornError: It is no record.
    """
    try:
        end, at = varint(payload, 0)
        types = []
        while at < end:
            kind, at = varint(payload, at)
            types.append(kind)
    except IndexError as exc:
        raise TornError("no record") from exc
    if at != end or (size is None and end > len(payload)):
        raise TornError("no record")
    fields: list[Field] = []
    for kind in types:
        length = _length(kind)
        if at + length > len(payload):
            if size is not None and at + length <= size:
                break
            raise TornError("beyond the record")
        fields.append(_field(kind, payload[at : at + length]))
        at += length
    if size is None and at != len(payload):
        raise TornError("more than the record")
    return tuple(fields)


def _length(kind: int) -> int:
    if kind in (10, 11):
        raise TornError(f"field of type {kind}")
    if kind >= 12:
        return (kind - 12) // 2
    return NUMBER_BYTES[kind] if kind < REAL else 8 if kind == REAL else 0


def _field(kind: int, data: bytes) -> Field:
    if kind == 0:
        return None
    if kind < REAL:
        return int.from_bytes(data, "big", signed=True)
    if kind == REAL:
        (value,) = struct.unpack(">d", data)
        return float(value)
    if kind in (ZERO, ONE):
        return kind - ZERO
    if kind % 2 == 0:
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise TornError("no text") from exc


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number without sign, and where it ends."""
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    value = byte & 127
    for more in range(at + 1, at + 8):
        byte = data[more]
        value = value << 7 | byte & 127
        if byte < 128:
            return value, more + 1
    return value << 8 | data[at + 8], at + 9


def signed(number: int) -> int:
    """A number of 64 bits as one with a sign."""
    return number - (1 << 64) if number >> 63 else number
