"""The text on the format is enough to read a block by, and its example is one."""

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.store.codec import Block, Piece, encode
from tests.store.codec.independent import read
from tests.store.codec.pieces import piece_of, storable_pieces
from tests.store.codec.test_round_trip import LONG

TEXT = (Path(__file__).parents[3] / "docs" / "STORE_FORMAT.md").read_text("utf-8")


def example() -> tuple[bytes, Any]:
    """The bytes of the example, and what the document says they are."""
    found = re.search(r"### Example.*?```\n(.*?)```.*?```json\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return bytes.fromhex(found[1]), json.loads(found[2])


def shown(read_block: dict[str, Any]) -> Any:
    """As JSON shows it, whose names are texts."""
    return json.loads(json.dumps(read_block))


def as_read(piece: Piece) -> dict[str, Any]:
    return {
        "device": piece.device,
        "first_key": min(piece.keys),
        "last_key": max(piece.keys),
        "first_ms": min(piece.times),
        "last_ms": max(piece.times),
        "keys": [*piece.keys],
        "times": [*piece.times],
        "clocks": [*piece.clocks],
        "layouts": [*piece.layouts],
        "positions": {number: [*layout] for number, layout in piece.positions.items()},
        "columns": {position: [*cells] for position, cells in piece.columns.items()},
    }


def test_the_example_is_read_by_the_document_alone() -> None:
    data, expected = example()

    assert repr(shown(read(data))) == repr(expected)


def test_the_example_is_read_by_the_agent() -> None:
    data, expected = example()

    assert repr(shown(as_read(Block(data).piece()))) == repr(expected)


@given(storable_pieces, st.booleans())
def test_any_block_is_read_by_the_document_alone(piece: Piece, small: bool) -> None:
    assert repr(read(encode(piece, small=small))) == repr(as_read(piece))


def test_long_columns_are_read_by_the_document_alone() -> None:
    level = LONG["noise"][:60]
    for piece in (piece_of(*LONG.values()), piece_of(level, [*level], level[::-1])):
        assert repr(read(encode(piece))) == repr(as_read(piece))
