"""A column while it is written and read: its parameters, what deflates, and what does not."""

import attrs

from agent.store.codec.cursor import Cursor
from agent.store.codec.streams import deflate

SHORT = 32  # bytes that are not worth deflating by themselves


@attrs.define
class Parts:
    """What is written of a column; ``text`` in sections that differ in which bytes are frequent."""

    head: bytearray = attrs.field(factory=bytearray)
    text: list[bytes] = attrs.field(factory=list)
    raw: bytearray = attrs.field(factory=bytearray)

    def add(self, other: "Parts") -> None:
        """Put other parts behind these."""
        self.head += other.head
        self.text += other.text
        self.raw += other.raw

    def cost(self) -> int:
        """About the bytes that the parts come to."""
        size = sum(map(len, self.text))
        text = size if size < SHORT else len(deflate(self.text))
        return len(self.head) + text + len(self.raw)


@attrs.frozen
class Taken:
    """What is read of a column."""

    head: Cursor
    text: Cursor
    raw: Cursor
