"""Blocks: many samples of one device as bytes, column by column (docs/STORE_FORMAT.md)."""

from agent.store.codec.block import Block
from agent.store.codec.damaged import Damaged
from agent.store.codec.encode import encode
from agent.store.codec.merge import merge
from agent.store.codec.piece import Piece

__all__ = ["Block", "Damaged", "Piece", "encode", "merge"]
