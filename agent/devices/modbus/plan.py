"""From tags to the fewest requests: neighbours are merged within what one answer can hold."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import attrs

from agent.devices.modbus.address import BIT_AREAS, FUNCTIONS, LAST, Address
from agent.devices.modbus.types import Cells, Decode

MOST_REGISTERS: Final = 125  # of one answer, by the specification
MOST_BITS: Final = 2000


@attrs.frozen
class PlannedTag:
    """A tag as it is read: its place and its decoder, already scaled.

    ``is_missing`` tells whether cells without a value are the device's word for "not available".
    """

    name: str
    unit_id: int
    address: Address
    decode: Decode
    is_missing: Callable[[Cells, int], bool] | None = None


@attrs.frozen
class Request:
    """One read: ``count`` registers or bits from ``start`` of the unit's table."""

    unit_id: int
    area: str
    start: int
    count: int

    @property
    def function(self) -> int:
        return FUNCTIONS[self.area]

    @property
    def size_bytes(self) -> int:
        """Bytes of values in the answer."""
        return (self.count + 7) // 8 if self.area in BIT_AREAS else 2 * self.count

    @property
    def text(self) -> str:
        """``HR100``, or ``HR100 to HR109``."""
        first, last = f"{self.area}{self.start}", f"{self.area}{self.start + self.count - 1}"
        return first if self.count == 1 else f"{first} to {last}"


@attrs.frozen
class Block:
    """One request and the tags that lie in its answer, in the order of their addresses."""

    request: Request
    tags: tuple[PlannedTag, ...]

    def cuts(self) -> set[str]:
        """The tags to begin new requests with when the device refuses this one.

        At first all behind a gap, since gaps may be addresses that do not exist; without gaps
        the one in the middle, so that few requests find what is refused.
        """
        behind_gaps = set()
        end = self.tags[0].address.end
        for tag in self.tags[1:]:
            if tag.address.start > end:
                behind_gaps.add(tag.name)
            end = max(end, tag.address.end)
        return behind_gaps or {self.tags[len(self.tags) // 2].name}


@attrs.frozen
class Limits:
    """How much is read at once: values in one answer, and the gaps that are read as well."""

    registers: int = MOST_REGISTERS
    bits: int = MOST_BITS
    gap: int = 0

    def of(self, area: str) -> int:
        return self.bits if area in BIT_AREAS else self.registers


def make_plan(
    tags: Iterable[PlannedTag], limits: Limits, cuts: Collection[str] = ()
) -> tuple[Block, ...]:
    """Requests for all tags, those of ``cuts`` first in theirs; no tag is spread over two."""
    blocks: list[Block] = []
    run: list[PlannedTag] = []
    end = 0
    for tag in sorted(tags, key=_position):
        at, first = tag.address, run[0] if run else None
        if (
            first is None
            or (first.unit_id, first.address.area) != (tag.unit_id, at.area)
            or at.start - end > limits.gap
            or max(end, at.end) - first.address.start > limits.of(at.area)
            or tag.name in cuts
        ):
            blocks.extend(_block(run))
            run, end = [], 0
        run.append(tag)
        end = max(end, at.end)
    blocks.extend(_block(run))
    return tuple(blocks)


def _position(tag: PlannedTag) -> tuple[int, str, int, int]:
    return tag.unit_id, tag.address.area, tag.address.start, tag.address.end


def _block(run: Sequence[PlannedTag]) -> list[Block]:
    if not run:
        return []
    first = run[0]
    start, area = first.address.start, first.address.area
    count = max(tag.address.end for tag in run) - start
    return [Block(Request(first.unit_id, area, start, count), tuple(run))]


def odd_request(
    blocks: Sequence[Block], taken: Collection[tuple[str, int]], limits: Limits
) -> Request | None:
    """A read of the first unit of ``blocks`` whose answer has a size that no other one can have.

    Whoever gets it knows that nothing older is under way on a line without transaction numbers.
    It lies inside of what is read anyway where that is possible.

    Args:
        taken: Area and size in bytes of every answer that may still be under way.
    """
    own = [block.request for block in blocks if block.request.unit_id == blocks[0].request.unit_id]
    used = {*taken, *((asked.area, asked.size_bytes) for asked in own)}
    for asked in sorted(own, key=lambda one: -one.count):
        shorter = range(asked.count - 1, 0, -1)
        longer = range(asked.count + 1, limits.of(asked.area) + 1)
        for count in (*shorter, *longer):
            start = min(asked.start, LAST + 1 - count)
            odd = Request(asked.unit_id, asked.area, start, count)
            if (odd.area, odd.size_bytes) not in used:
                return odd
    return None
