"""Bytes that are no block, or not all of one, raise Damaged and nothing else."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.store.codec import Block, Damaged, Piece, encode
from agent.store.codec.cursor import signed, varint
from agent.store.codec.seal import SIZE, sealed
from tests.store.codec.pieces import piece_of, storable_pieces

WHOLE = encode(
    piece_of(
        [20 + (index * 7919 % 13) / 10 for index in range(600)],
        [index * 30 + index * 7919 % 7 for index in range(600)],
        [None if index % 50 == 3 else "on" if index % 9 else "off" for index in range(600)],
        [index * 7919 % 10_007 / 7 for index in range(600)],
        [True] * 600,
    )
)


def read(data: bytes) -> Any:
    """All that a block has."""
    block = Block(data)
    return block.piece(), block.lines(range(10)), block.cells(0)


@pytest.mark.parametrize("bit", range(8))
def test_any_bit_that_flips_is_noticed(bit: int) -> None:
    for index in range(len(WHOLE)):
        flipped = bytearray(WHOLE)
        flipped[index] ^= 1 << bit
        with pytest.raises(Damaged):
            Block(bytes(flipped))


def test_a_block_that_is_cut_short_or_too_long_is_noticed() -> None:
    for size in range(len(WHOLE)):
        with pytest.raises(Damaged):
            Block(WHOLE[:size])
    with pytest.raises(Damaged):
        Block(WHOLE + b"\0")


@given(st.binary(max_size=200))
def test_random_bytes_are_no_block(data: bytes) -> None:
    with pytest.raises(Damaged):
        Block(data)


def read_or_damaged(data: bytes) -> None:
    try:
        read(data)
    except Damaged:
        return


@given(st.binary(max_size=200))
def test_bytes_with_a_right_checksum_end_in_values_or_damaged(data: bytes) -> None:
    read_or_damaged(sealed(b"AGB\1" + data))


@given(storable_pieces, st.data())
def test_a_forged_block_ends_in_values_or_damaged(piece: Piece, data: st.DataObject) -> None:
    forged = bytearray(encode(piece)[:-SIZE])
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(4, len(forged) - 1))
        forged[index] = data.draw(st.integers(0, 255))

    read_or_damaged(sealed(bytes(forged)))


def test_a_long_block_that_is_forged_ends_in_values_or_damaged() -> None:
    for index in range(4, len(WHOLE) - SIZE, 61):
        for value in (0, 255, WHOLE[index] ^ 1):
            forged = bytearray(WHOLE[:-SIZE])
            forged[index] = value
            read_or_damaged(sealed(bytes(forged)))


def heading(count: int) -> bytes:
    return b"AGB\1" + varint(1) + varint(count) + (signed(5) + varint(0)) * 2


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (heading(2**40), "1 to 100000 samples in a block, got 1099511627776"),
        (heading(0), "1 to 100000 samples"),
        (b"AGB\2" + heading(1)[4:], "block of version 1, got 2"),
        (b"XYZ\1" + heading(1)[4:], "wanted b'AGB'"),
        (heading(1) + varint(2**40) + varint(3) + varint(0) * 2 + b"abc", "can't come to"),
        (heading(1) + varint(2**20) + varint(3) + varint(0) * 2 + b"abc", "can't come to"),
        (heading(1) + varint(2**69) * 4, "wanted 590295810358705651712 bytes"),
        (heading(1) + b"\xff" * 11, "at most 10 bytes"),
        (heading(1) + varint(3000) + varint(3) + varint(0) * 2 + b"\xff" * 3, "does not inflate"),
    ],
)
def test_what_a_hostile_block_claims_costs_no_memory(data: bytes, text: str) -> None:
    tracemalloc.start()

    with pytest.raises(Damaged, match=text):
        Block(sealed(data))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_layout_of_more_positions_than_a_block_may_have_is_refused() -> None:
    layouts = varint(1) + varint(1) + varint(1) + varint(0) + varint(2**40)
    sizes = varint(len(layouts)) * 2 + varint(0) * 2

    with pytest.raises(Damaged, match="at most 1000000 positions, got 1099511627776"):
        Block(sealed(heading(1) + sizes + layouts))
