"""One block out of several, column by column."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import le

from agent.model import Value
from agent.store.codec.block import Block
from agent.store.codec.encode import assemble
from agent.store.codec.heading import MOST_SAMPLES, heading_of
from agent.store.codec.layouts import columns_of
from agent.store.rows import Layout


def merge(blocks: Sequence[Block]) -> bytes:
    """One block of the samples of several of one device, in the order of their keys.

    Only one column at a time is in memory.

    Raises:
        ValueError: They are not of one device, or together too large.
        Damaged: One of them does not decode.
    """
    devices = {block.device for block in blocks}
    if len(devices) != 1:
        raise ValueError(f"wanted blocks of one device, got {sorted(devices)}")
    positions: dict[int, Layout] = {}
    for block in blocks:
        for number, layout in block.positions.items():
            if positions.setdefault(number, layout) != layout:
                raise ValueError(f"layout {number} means different things in two blocks")
    if sum(block.count for block in blocks) > MOST_SAMPLES:
        raise ValueError(f"wanted at most {MOST_SAMPLES} samples in a block")
    keys = [*chain.from_iterable(block.keys() for block in blocks)]
    order = None
    if not all(map(le, keys, keys[1:])):
        order = sorted(range(len(keys)), key=keys.__getitem__)
    readers = (Block.keys, Block.times, Block.clocks, Block.layouts)
    samples = [_in_order([*chain.from_iterable(map(read, blocks))], order) for read in readers]
    heading = heading_of(devices.pop(), samples[0], samples[1])
    columns = _columns(blocks, positions, samples[3], order)
    return assemble(heading, positions, samples, columns, small=False)


def _in_order(found: list[int], order: Sequence[int] | None) -> list[int]:
    return found if order is None else [found[index] for index in order]


def _columns(
    blocks: Sequence[Block],
    positions: Mapping[int, Layout],
    layouts: Sequence[int],
    order: list[int] | None,
) -> Iterator[list[Value]]:
    """The columns of all blocks, one after the other; ``layouts`` are in order already."""
    offered = {number: frozenset(layout) for number, layout in positions.items()}
    each_offers = [(block, frozenset(block.offered)) for block in blocks]
    for position in columns_of(positions):
        having = [block for block, offers in each_offers if position in offers]
        dense = [*chain.from_iterable(block.column(position) for block in having)]
        if order is None:
            yield dense
            continue
        has = [position in offered[layout] for layout in layouts]
        where = [index for index, is_offered in zip(order, has, strict=True) if is_offered]
        ranks = {index: rank for rank, index in enumerate(sorted(where))}
        yield [dense[ranks[index]] for index in where]
