"""What goes into a block comes out of it, to the digit and the type."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Value
from agent.store.codec import Block, Piece, encode, merge
from agent.store.lines import cell
from tests.store.codec.pieces import POSITIONS, SAMPLES, piece_of, storable_pieces

NOT_OFFERED = "not offered"


def cells_of(piece: Piece, position: int, absent: Value) -> list[Value]:
    """One cell for each sample, put together without the codec."""
    dense = iter(piece.columns.get(position, ()))
    return [
        next(dense) if position in piece.positions[layout] else absent for layout in piece.layouts
    ]


@given(storable_pieces, st.booleans())
def test_a_piece_comes_back_as_it_went_in(piece: Piece, small: bool) -> None:
    block = Block(encode(piece, small=small))

    assert repr(block.piece()) == repr(piece)  # repr tells 1, 1.0 and True apart, and -0.0 from 0.0


def test_a_heading_says_whose_and_from_when_to_when() -> None:
    piece = Piece(3, [7, 5, 9], [20, -4, 10], [1] * 3, [2] * 3, {2: (0,)}, {0: [1, 2, 3]})

    block = Block(encode(piece))

    assert (block.device, block.count) == (3, 3)
    assert (block.first_key, block.last_key) == (5, 9)
    assert (block.first_ms, block.last_ms) == (-4, 20)


@settings(max_examples=40)
@given(storable_pieces, st.integers(0, SAMPLES), st.none() | st.integers(0, SAMPLES))
def test_cells_are_one_for_each_sample(piece: Piece, start: int, stop: int | None) -> None:
    block = Block(encode(piece))

    for position in range(POSITIONS + 1):
        expected = cells_of(piece, position, NOT_OFFERED)[start:stop]
        assert repr(block.cells(position, NOT_OFFERED, start, stop)) == repr(expected)


@given(
    storable_pieces,
    st.lists(st.integers(0, POSITIONS)),
    st.integers(0, SAMPLES),
    st.none() | st.integers(0, SAMPLES),
)
def test_lines_are_what_each_cell_comes_to(
    piece: Piece, columns: list[int], start: int, stop: int | None
) -> None:
    block = Block(encode(piece))

    lines = block.lines(columns, start, stop)

    cells = [[cell(value) for value in cells_of(piece, each, None)] for each in columns]
    expected = [",".join(column[index] for column in cells) for index in range(block.count)]
    assert lines == expected[start:stop]


@settings(max_examples=40)
@given(st.lists(storable_pieces, min_size=1, max_size=3))
def test_merging_puts_all_samples_in_the_order_of_their_keys(found: list[Piece]) -> None:
    pieces = [
        # Layouts are the store's: one number means one thing in all blocks.
        Piece(
            1,
            piece.keys,
            piece.times,
            piece.clocks,
            [each + 10 * index for each in piece.layouts],
            {each + 10 * index: layout for each, layout in piece.positions.items()},
            piece.columns,
        )
        for index, piece in enumerate(found)
    ]

    merged = Block(merge([Block(encode(piece)) for piece in pieces]))

    keys = [key for piece in pieces for key in piece.keys]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    for position in range(POSITIONS):
        cells = [each for piece in pieces for each in cells_of(piece, position, NOT_OFFERED)]
        assert repr(merged.cells(position, NOT_OFFERED)) == repr([cells[each] for each in order])
    times = [each for piece in pieces for each in piece.times]
    clocks = [each for piece in pieces for each in piece.clocks]
    layouts = [each for piece in pieces for each in piece.layouts]
    assert merged.keys() == sorted(keys)
    assert merged.times() == [times[each] for each in order]
    assert merged.clocks() == [clocks[each] for each in order]
    assert merged.layouts() == [layouts[each] for each in order]


NOISE = random.Random(7)
LONG: dict[str, list[Value]] = {
    "noise": [round(NOISE.gauss(50, 1.5), 2) for _ in range(3600)],
    "all digits": [NOISE.gauss(0, 1) for _ in range(3600)],
    "a sensor's steps": [20 + NOISE.randrange(9) * 0.0625 for _ in range(3600)],
    "leaps": [NOISE.randrange(4) * 10 ** NOISE.choice((0, 0, 0, 0, 9)) for _ in range(3600)],
    "far": [NOISE.choice((1, -1)) * 2 ** NOISE.randrange(62) for _ in range(3600)],
    "further": [NOISE.randrange(2**70) for _ in range(3600)],
    "whole without a point": [each // 10 if each % 10 == 0 else each / 10 for each in range(3600)],
    "some invalid": [NOISE.choice((None, 1.5, 2.5, -0.0)) for _ in range(3600)],
    "words": [NOISE.choice(("heating", "off", "hot water")) for _ in range(3600)],
    "names": [f"process {NOISE.randrange(10**6)}" for _ in range(3600)],
    "a flag": [NOISE.random() < 0.01 for _ in range(3600)],
    "an error among numbers": [NOISE.choice(("ERR", 20.5, 21)) for _ in range(3600)],
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_column_comes_back_as_it_went_in(name: str) -> None:
    block = Block(encode(piece_of(LONG[name], [0] * 3600)))

    assert repr(block.column(0)) == repr(LONG[name])


def test_columns_that_follow_each_other_come_back_as_they_went_in() -> None:
    level = [1000 * each + NOISE.randrange(50) for each in range(60)]
    first = [each + NOISE.randrange(3) for each in level]
    last = [*(each - 1 for each in first[1:]), 70_000]
    piece = piece_of(level, first, last, [*level])

    block = Block(encode(piece))

    assert block.piece() == piece


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_not_finite_comes_back_too(value: float) -> None:
    column: list[Value] = [1.5, value, 2.5] * 10

    block = Block(encode(piece_of(column)))

    assert repr(block.column(0)) == repr(column)
