"""What can be wrong with single lines of a store, and the samples that are missing between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import attrs

from agent.model import GAP_INTERVALS
from agent.store.codec import Block, Damaged
from agent.store.making import SPAN_MS
from agent.store.rows import Layout, Path, RawRow

REMEMBERED = 31  # lengths of time between samples of a device


@attrs.frozen
class Fault:
    """Something that is not as it should be, and the samples that it costs, as far as known."""

    text: str
    device: str | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    count: int | None = None


@attrs.frozen
class Progress:
    """How far a check is; of a ``total`` of 0 nothing is known."""

    what: str
    done: int
    total: int


@attrs.frozen
class Listed:
    """What a line of ``block`` says of its block."""

    device: int
    first_ms: int
    last_ms: int
    first_key: int
    last_key: int
    count: int


@attrs.frozen
class Book:
    """What the numbers in lines mean."""

    names: Mapping[int, str]  # of devices
    layouts: Mapping[int, tuple[int, Layout]]  # with the device of each
    places: Mapping[int, Mapping[int, tuple[str, Path]]]  # by device and position

    def name(self, device: int) -> str:
        """A device's name, or its number."""
        return self.names.get(device, f"device {device}")


def usual_length(lengths: Sequence[int]) -> int:
    """The one in the middle. (The library's module for this loads 20 others.)

    >>> usual_length([5, 900, 4])
    5
    """
    return sorted(lengths)[len(lengths) // 2]


def block_faults(block: Block, listed: Listed, book: Book, *, quick: bool) -> Iterator[str]:
    """What is wrong with a block that has the right checksum."""
    found = Listed(
        block.device, block.first_ms, block.last_ms, block.first_key, block.last_key, block.count
    )
    if found != listed:
        yield f"it is {attrs.astuple(found)}, and listed as {attrs.astuple(listed)}"
    yield from content_faults(block, book, quick=quick)


def content_faults(block: Block, book: Book, *, quick: bool) -> Iterator[str]:
    """What is wrong with the samples of a block or a batch."""
    for number, positions in block.positions.items():
        if book.layouts.get(number) != (block.device, positions):
            yield f"its layout {number} is another one in the table of layouts"
    if quick:
        return
    try:
        keys, times = block.keys(), block.times()
        if any(key >= after for key, after in pairwise(keys)):
            yield "its keys do not rise"
        ends = min(keys), max(keys), min(times), max(times)
        if ends != (block.first_key, block.last_key, block.first_ms, block.last_ms):
            yield "its keys or times are others than it says"
        if ends[3] - ends[2] > SPAN_MS:
            yield "it lasts longer than a day"
        block.clocks()
        block.layouts()
        for position in block.offered:
            block.column(position)
    except Damaged as exc:
        yield f"damaged: {exc}"


def row_fault(row: RawRow, device: int, layout: int, book: Book) -> str | None:
    """Why a row can't be read, if it can't."""
    if book.layouts.get(layout) != (device, row.layout):
        return f"layout {layout} is not one of its device"
    try:
        row.text.encode("utf-8")
        row.values(book.places[device])
    except (ValueError, LookupError, TypeError, RecursionError) as exc:
        return f"damaged: {exc}"
    return None


@attrs.define
class Spacing:
    """How often a device has samples, by those that were met."""

    last_ms: int | None = None
    lengths: list[int] = attrs.field(factory=list)
    is_doubtful: bool = False  # since the last one something could not be read

    def add(self, ts_ms: int) -> tuple[int, int, int] | None:
        """Take note of a sample; from when to when how many are missing before it."""
        last_ms, self.last_ms = self.last_ms, ts_ms
        was_doubtful, self.is_doubtful = self.is_doubtful, False
        if last_ms is None or ts_ms <= last_ms:
            return None
        if not was_doubtful:
            self.lengths.append(ts_ms - last_ms)
            del self.lengths[:-REMEMBERED]
            return None
        usual_ms = usual_length(self.lengths) if self.lengths else ts_ms - last_ms
        if ts_ms - last_ms <= GAP_INTERVALS * usual_ms:
            return None
        return last_ms, ts_ms, max(1, round((ts_ms - last_ms) / usual_ms) - 1)


class Spacings:
    """The same for all devices of a table."""

    def __init__(self, name: Callable[[int], str]) -> None:
        self._name = name
        self._of: dict[int, Spacing] = {}

    def doubt(self, device: int | None = None) -> None:
        """Something could not be read, of one device or of any."""
        if device is not None:
            self._of.setdefault(device, Spacing()).is_doubtful = True
            return
        for spacing in self._of.values():
            spacing.is_doubtful = True

    def add(self, device: int, times: Sequence[int]) -> Iterator[Fault]:
        """Take note of samples; what is missing before them."""
        spacing = self._of.setdefault(device, Spacing())
        for ts_ms in times:
            missing = spacing.add(ts_ms)
            if missing is not None:
                first_ms, last_ms, count = missing
                text = f"about {count} samples are missing"
                yield Fault(text, self._name(device), first_ms, last_ms, count)
