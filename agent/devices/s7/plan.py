"""From tags to the fewest requests: neighbours are merged, and what fits travels together."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Final

import attrs

from agent.devices.s7.address import NUMBERED_TYPES, Address
from agent.devices.s7.types import Decode
from agent.devices.s7.wire import Item, read_request

MOST_ITEMS: Final = 20  # more are refused by every S7
ITEM_SIZE: Final = 12  # of a request, and the size of its head
REPLY_HEAD: Final = 14
REPLY_ITEM_HEAD: Final = 4


@attrs.frozen
class PlannedTag:
    """A tag as it is read: its place and its decoder, already scaled."""

    name: str
    address: Address
    decode: Decode


@attrs.frozen
class Field:
    """One tag inside the bytes of a range, ``offset`` from their start."""

    tag: PlannedTag
    offset: int


@attrs.frozen
class Range:
    """One item of a request and the tags that lie in it.

    A tag longer than a message is read in pieces: ranges of its own with ``is_piece``.
    """

    item: Item
    fields: tuple[Field, ...]
    is_piece: bool = False

    @property
    def tags(self) -> list[PlannedTag]:
        return [field.tag for field in self.fields]


@attrs.frozen
class Job:
    """One request and what its answer holds; ``decoders`` repeats the fields for speed.

    Each of ``decoders`` is for one range: pairs of name, decoder and offset; none for a piece.
    """

    ranges: tuple[Range, ...]
    request: bytearray
    sizes: tuple[int, ...]
    decoders: tuple[tuple[tuple[str, Decode, int], ...], ...]


@attrs.frozen
class Plan:
    """All requests of one poll.

    ``torn`` are the blocks whose tags need more than one request, so not one moment; ``cut`` the
    tags that are longer than one answer.
    """

    jobs: tuple[Job, ...]
    torn: tuple[str, ...]
    cut: tuple[PlannedTag, ...]

    @property
    def size_bytes(self) -> int:
        return sum(sum(job.sizes) for job in self.jobs)


def make_plan(tags: Iterable[PlannedTag], pdu: int, gap: int, apart: Collection[str] = ()) -> Plan:
    """Requests for all tags; gaps of up to ``gap`` bytes are read too, those of ``apart`` alone."""
    limit = pdu - REPLY_HEAD - REPLY_ITEM_HEAD
    ranges = merge(tags, limit, gap, apart)
    packed = pack(ranges, pdu)
    where: dict[str, set[int]] = {}
    for number, together in enumerate(packed):
        for one in together:
            where.setdefault(one.fields[0].tag.address.block, set()).add(number)
    cut = {one.fields[0].tag.name: one.fields[0].tag for one in ranges if one.is_piece}
    return Plan(
        jobs=tuple(_job(together) for together in packed),
        torn=tuple(block for block, numbers in where.items() if len(numbers) > 1),
        cut=tuple(cut.values()),
    )


def merge(
    tags: Iterable[PlannedTag], limit: int, gap: int, apart: Collection[str] = ()
) -> list[Range]:
    """Ranges of up to ``limit`` bytes in the order of the PLC's memory; no short tag is split."""
    ranges: list[Range] = []
    run: list[PlannedTag] = []
    end = 0
    for tag in sorted(tags, key=_position):
        at = tag.address
        if at.size > limit:
            ranges.extend(_range(run))
            run = []
            ranges.extend(_pieces(tag, limit))
            continue
        first = run[0].address if run else None
        if (
            first is None
            or (first.area, first.db) != (at.area, at.db)
            or at.area in NUMBERED_TYPES
            or at.start - end > gap
            or max(end, at.end) - first.start > limit
            or tag.name in apart
            or run[0].name in apart
        ):
            ranges.extend(_range(run))
            run, end = [], 0
        run.append(tag)
        end = max(end, at.end)
    ranges.extend(_range(run))
    return ranges


def _position(tag: PlannedTag) -> tuple[int, int, int, int]:
    at = tag.address
    return at.area, at.db, at.start, at.bit


def _range(run: Sequence[PlannedTag]) -> list[Range]:
    if not run:
        return []
    first = run[0].address
    size = max(tag.address.start + tag.address.size for tag in run) - first.start
    fields = tuple(Field(tag, tag.address.start - first.start) for tag in run)
    return [Range(Item(first.area, first.db, first.start, size), fields)]


def _pieces(tag: PlannedTag, limit: int) -> list[Range]:
    at, even = tag.address, limit & ~1
    return [
        Range(
            Item(at.area, at.db, at.start + done, min(even, at.size - done)),
            (Field(tag, done),),
            is_piece=True,
        )
        for done in range(0, at.size, even)
    ]


def pack(ranges: Sequence[Range], pdu: int) -> list[list[Range]]:
    """Ranges by request, so that request and answer fit ``pdu`` bytes.

    The ranges of one block stay together where they fit: one request is one moment in the PLC.
    """
    jobs: list[list[Range]] = []
    for _, group in groupby(ranges, key=lambda one: (one.item.area, one.item.db)):
        block = list(group)
        for job in jobs:
            if _fits([*job, *block], pdu):
                job.extend(block)
                break
        else:
            jobs.extend(_spread(block, pdu))
    return jobs


def _spread(block: Sequence[Range], pdu: int) -> list[list[Range]]:
    jobs: list[list[Range]] = [[]]
    for one in block:
        if jobs[-1] and not _fits([*jobs[-1], one], pdu):
            jobs.append([])
        jobs[-1].append(one)
    return jobs


def _fits(ranges: Sequence[Range], pdu: int) -> bool:
    if len(ranges) > MOST_ITEMS or ITEM_SIZE * (len(ranges) + 1) > pdu:
        return False
    sizes = [one.item.size for one in ranges]
    padded = sum(size + (size & 1) for size in sizes[:-1]) + sizes[-1]
    return REPLY_HEAD + REPLY_ITEM_HEAD * len(ranges) + padded <= pdu


def _job(ranges: Sequence[Range]) -> Job:
    decoders = tuple(
        ()
        if one.is_piece
        else tuple((field.tag.name, field.tag.decode, field.offset) for field in one.fields)
        for one in ranges
    )
    items = [one.item for one in ranges]
    return Job(tuple(ranges), read_request(items), tuple(item.size for item in items), decoders)
