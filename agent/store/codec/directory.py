"""Where in a block which column lies.

A column is constant (its value is in the directory), has a stream of its own, or shares one with
others. Layouts, heads, sizes and constants of all columns are one stream.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from math import log2

import attrs

from agent.model import Value
from agent.store.codec.cursor import Cursor, varint
from agent.store.codec.damaged import Damaged
from agent.store.codec.layouts import columns_of, take_layouts
from agent.store.codec.parts import Parts, Taken
from agent.store.codec.planes import join, split
from agent.store.codec.streams import deflate, inflate
from agent.store.codec.values import from_json, to_json

CONSTANT, OWN, SHARED = range(3)  # SHARED and all above it: texts of one form lie together
MOST_SHARED = SHARED + 8


@attrs.define
class Writing:
    """A block's columns while they are written, in the order of their entries."""

    layouts: bytes
    forms: bytearray = attrs.field(factory=bytearray)
    constants: list[Value] = attrs.field(factory=list)
    sizes: list[tuple[int, int, int, int]] = attrs.field(factory=list)
    heads: bytearray = attrs.field(factory=bytearray)
    shared: dict[int, bytearray] = attrs.field(factory=dict)
    own: list[bytes] = attrs.field(factory=list)
    raw: bytearray = attrs.field(factory=bytearray)

    def constant(self, value: Value) -> None:
        """Add a column that is one value throughout."""
        self.forms.append(CONSTANT)
        self.constants.append(value)

    def varying(self, parts: Parts, packed: bytes | None) -> None:
        """Add a column; ``packed`` is its deflated text where it has a stream of its own."""
        text = b"".join(parts.text)
        self.sizes.append((len(parts.head), len(text), len(parts.raw), len(packed or b"")))
        self.heads += parts.head
        self.raw += parts.raw
        if packed is None:
            self.forms.append(SHARED + int(_entropy(text)))
            self.shared.setdefault(self.forms[-1], bytearray()).extend(text)
        else:
            self.forms.append(OWN)
            self.own.append(packed)

    def done(self) -> bytes:
        """The directory and what it tells of."""
        constants = to_json(self.constants)
        sizes = [b"".join(split(column, 4)) for column in zip(*self.sizes, strict=True)]
        start = self.layouts + self.forms + varint(len(constants))
        sections = [start, constants, *sizes, bytes(self.heads)]
        directory = deflate(sections)
        shared = [bytes(text) for _, text in sorted(self.shared.items())]
        packed = deflate(shared)
        lengths = (sum(map(len, sections)), len(directory), sum(map(len, shared)), len(packed))
        return b"".join((*map(varint, lengths), directory, packed, *self.own, self.raw))


def _entropy(data: bytes) -> float:
    """Bits that a byte of ``data`` needs by how often each occurs.

    >>> _entropy(b"abab"), _entropy(b"aaaa")
    (1.0, 0.0)
    """
    size = len(data)
    return sum(count * log2(size / count) for count in Counter(data).values()) / (size or 1)


class Directory:
    """Where the entries of a block lie; the bytes from the cursor on are all its own.

    The first ``fixed`` entries are those of the samples, which have no position.
    """

    def __init__(self, cursor: Cursor, fixed: int) -> None:
        size, stored, shared_size, shared = (cursor.varint() for _ in range(4))
        inner = Cursor(inflate(cursor.take(stored), size))
        self.positions = take_layouts(inner)
        self.columns = columns_of(self.positions)
        self._forms = inner.take(fixed + len(self.columns))
        if max(self._forms) > MOST_SHARED or CONSTANT in self._forms[:fixed]:
            raise Damaged("wanted forms of columns")
        self._constants = inner.take(inner.varint())
        self._kinds = self._forms.replace(bytes([CONSTANT]), b"")
        sizes = [join([inner.take(len(self._kinds)) for _ in range(4)]) for _ in range(4)]
        heads, self._sizes, raws, packed = sizes
        self._heads, self._raws, self._packed = map(_offsets, (heads, raws, packed))
        self._shared_size = shared_size
        self._head = inner.take(self._heads[-1])
        self._packed_text = cursor.take(shared)
        self._own = cursor.take(self._packed[-1])
        self._raw = cursor.take(self._raws[-1])
        if cursor.left or inner.left:
            raise Damaged("a block is longer than its directory says")
        self._ranks = [*accumulate(map(bool, self._forms), initial=0)]

    def is_constant(self, entry: int) -> bool:
        """Whether an entry is one value throughout."""
        return self._forms[entry] == CONSTANT

    def constant(self, entry: int) -> Value:
        """The value of a constant entry."""
        return self._values[entry - self._ranks[entry]]

    def taken(self, entry: int) -> Taken:
        """An entry that varies, to be read."""
        rank = self._ranks[entry]
        if self._forms[entry] == OWN:
            packed = self._own[self._packed[rank] : self._packed[rank + 1]]
            text = inflate(packed, self._sizes[rank])
        else:
            start = self._texts[rank]
            text = self._shared[start : start + self._sizes[rank]]
        return Taken(
            Cursor(self._head[self._heads[rank] : self._heads[rank + 1]]),
            Cursor(text),
            Cursor(self._raw[self._raws[rank] : self._raws[rank + 1]]),
        )

    @cached_property
    def _values(self) -> list[Value]:
        values = from_json(self._constants)
        if len(values) != self._forms.count(CONSTANT):
            raise Damaged(f"wanted {self._forms.count(CONSTANT)} constants, got {len(values)}")
        return values

    @cached_property
    def _shared(self) -> bytes:
        return inflate(self._packed_text, self._shared_size)

    @cached_property
    def _texts(self) -> dict[int, int]:
        """Where in the shared stream the texts of entries start: by form, then by entry."""
        shared = [rank for rank, form in enumerate(self._kinds) if form >= SHARED]
        shared.sort(key=self._kinds.__getitem__)
        starts = _offsets([self._sizes[rank] for rank in shared])
        if starts[-1] != self._shared_size:
            raise Damaged(f"wanted a shared stream of {starts[-1]} bytes, got {self._shared_size}")
        return dict(zip(shared, starts, strict=False))


def _offsets(sizes: Sequence[int]) -> list[int]:
    return [*accumulate(sizes, initial=0)]
