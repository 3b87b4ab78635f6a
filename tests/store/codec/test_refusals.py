"""What can't be a block is refused when it is written."""

from collections.abc import Callable

import attrs
import pytest

from agent.store.codec import Block, Piece, encode, merge
from tests.store.codec.pieces import piece_of

PIECE = piece_of([1, 2, 3], [1.5, None, 2.5])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda piece: attrs.evolve(piece, keys=[]), "1 to 100000 samples"),
        (lambda piece: attrs.evolve(piece, keys=[1] * 100_001), "got 100001"),
        (lambda piece: attrs.evolve(piece, times=[1, 2]), "a time, a clock and a layout"),
        (lambda piece: attrs.evolve(piece, keys=[1, 2, 2**61]), "within 2\\*\\*61"),
        (lambda piece: attrs.evolve(piece, layouts=[1, 1, 2]), "wanted layouts"),
        (lambda piece: attrs.evolve(piece, positions={1: (1, 0)}), "positions that rise"),
        (lambda piece: attrs.evolve(piece, columns={0: [1, 2, 3]}), "as many cells"),
        (lambda piece: attrs.evolve(piece, columns={0: [1], 1: [2]}), "as many cells"),
        (lambda piece: attrs.evolve(piece, device=-1), "from 0"),
    ],
)
def test_a_piece_whose_parts_do_not_belong_together_is_refused(
    change: Callable[[Piece], Piece], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        encode(change(PIECE))


def test_blocks_of_different_devices_are_not_merged() -> None:
    other = attrs.evolve(PIECE, device=2)

    with pytest.raises(ValueError, match="of one device"):
        merge([Block(encode(PIECE)), Block(encode(other))])


def test_blocks_that_disagree_on_a_layout_are_not_merged() -> None:
    other = piece_of([1, 2, 3])

    with pytest.raises(ValueError, match="layout 1 means different things"):
        merge([Block(encode(PIECE)), Block(encode(other))])


def test_nothing_is_not_merged() -> None:
    with pytest.raises(ValueError, match="of one device"):
        merge([])


def test_more_than_a_block_holds_is_not_merged() -> None:
    block = Block(encode(piece_of([1] * 60_000)))

    with pytest.raises(ValueError, match="at most 100000 samples"):
        merge([block, block])
