"""SQLite's write-ahead log read by hand: which pages it holds, and where it is broken.

SQLite reads a log up to the first frame that is not whole, and takes no notice of what follows. But
the checksum of a frame goes on from that of the frame before it, as that one states it: so each can
be told to be whole by itself, and damage in one costs one page.

Source: https://www.sqlite.org/fileformat2.html, section 4, "The Write-Ahead Log".
"""

import struct
import sys
from array import array
from collections.abc import Iterator, Sequence

import attrs

from agent.store.repair.raw import IsLate, RawFile

HEAD = struct.Struct(">8I")  # magic, version, page size, number, salts, checksums of 24 bytes
FRAME = struct.Struct(">6I")  # page, pages of the file after a commit or 0, salts, checksums
MAGIC = 0x377F0682  # one more where checksums are of big-endian words
VERSION = 3_007_000
PAGE_SIZES = tuple(1 << bits for bits in range(9, 17))
WORD = 0xFFFFFFFF
AT_ONCE = 64  # frames that are read together

Sums = tuple[int, int]


@attrs.frozen
class Frame:
    """A page as one transaction left it."""

    page: int
    pages: int  # of the file once this transaction is done; 0: more of it follows
    at: int  # where in the log the page begins
    is_whole: bool
    is_read: bool  # by SQLite: so are all before it


@attrs.frozen
class Log:
    """The frames of a log's newest generation in their order, damaged ones too."""

    page_bytes: int
    frames: Sequence[Frame]

    @property
    def read(self) -> Sequence[Frame]:
        """What SQLite reads of it: up to the last commit before the first damage."""
        ends = [n for n, frame in enumerate(self.frames, 1) if frame.is_read and frame.pages]
        return self.frames[: max(ends, default=0)]

    @property
    def unread(self) -> Sequence[Frame]:
        """What is not read: from the first damage on, or of a transaction that has no end."""
        return self.frames[len(self.read) :]


def log_of(file: RawFile, page_bytes: int, is_late: IsLate) -> Log | None:
    """What stands in a log; ``None`` where there is no frame.

    ``page_bytes`` counts where the log does not say so itself. Frames that are not looked at in
    time count as whole.
    """
    chain = _chain_of(file, page_bytes)
    frames = [*_frames(file, chain, is_late)] if chain is not None else ()
    return Log(chain.page_bytes, frames) if chain is not None and frames else None


@attrs.define
class _Chain:
    """Tells which frames are whole: by the salts of all, and by the sums of the frame before.

    Of a frame that is damaged, one of ``said`` and ``made`` is right all the same.
    """

    page_bytes: int
    salts: tuple[int, ...]
    is_big: bool = False
    said: Sums | None = None  # by the frame before, or the head
    made: Sums | None = None  # from the content of the frame before
    is_read: bool = False  # so far
    was_sure: bool = True  # that the frame before is whole: else what it says may be wrong

    def take(self, facts: tuple[int, ...], data: bytes, *, is_late: bool) -> tuple[bool, bool]:
        """Whether the next frame is whole, and whether it belongs to this generation."""
        # Of frames of an earlier generation neither is the same; damage hits one.
        is_like_ours = facts[2] == self.salts[0] or facts[3] == self.salts[1]
        is_ours = facts[2:4] == self.salts
        said = facts[4], facts[5]
        seeds = [seed for seed in (self.said, self.made) if seed is not None]
        found = [] if is_late else [self._after(seed, data) for seed in dict.fromkeys(seeds)]
        is_sure = said in found
        cant_tell = not found or not self.was_sure
        is_whole = is_like_ours and facts[0] > 0 and (is_sure or (cant_tell and is_ours))
        self.is_read = self.is_read and is_ours and is_whole and said == next(iter(found), said)
        self.said, self.made, self.was_sure = said, next(iter(found), None), is_sure or is_late
        return is_whole, is_ours or is_whole

    def _after(self, seed: Sums, data: bytes) -> Sums:
        sums = sums_of(seed, data[:8], is_big=self.is_big)
        return sums_of(sums, data[FRAME.size :], is_big=self.is_big)


def _chain_of(file: RawFile, page_bytes: int) -> _Chain | None:
    """How the log begins; where that is damaged, its first frames tell."""
    head = file.read(0, HEAD.size)
    if len(head) < HEAD.size:
        return None
    magic, version, said_bytes, _, salt, other, *said = HEAD.unpack(head)
    is_big = magic == MAGIC + 1
    if magic in (MAGIC, MAGIC + 1) and version == VERSION and said_bytes in PAGE_SIZES:
        sums = sums_of((0, 0), head[:24], is_big=is_big)
        if [*sums] == said:
            return _Chain(said_bytes, (salt, other), is_big, sums, sums, is_read=True)
    found = [facts[2:4] for _, facts, _ in _raw(file, page_bytes, 3)]
    if not found:
        return None
    # Frames behind the first ones may be of an earlier generation.
    return _Chain(page_bytes, (salt, other) if (salt, other) in found else found[0])


def _raw(
    file: RawFile, page_bytes: int, at_most: int | None = None
) -> Iterator[tuple[int, tuple[int, ...], bytes]]:
    """Where each frame's page begins, its head as numbers, and all of its bytes."""
    size = FRAME.size + page_bytes
    count = (file.size_bytes - HEAD.size) // size
    if at_most is not None:
        count = min(count, at_most)
    for first in range(0, count, AT_ONCE):
        start = HEAD.size + first * size
        data = file.read(start, min(AT_ONCE, count - first) * size)
        for at in range(0, len(data) - size + 1, size):
            yield start + at + FRAME.size, FRAME.unpack_from(data, at), data[at : at + size]


def _frames(file: RawFile, chain: _Chain, is_late: IsLate) -> Iterator[Frame]:
    """All frames up to the last one of this generation: those between are damaged."""
    held: list[Frame] = []
    for at, facts, data in _raw(file, chain.page_bytes):
        is_whole, is_ours = chain.take(facts, data, is_late=is_late())
        held.append(Frame(facts[0], facts[1], at, is_whole, chain.is_read))
        if is_ours:
            yield from held
            held.clear()


def sums_of(sums: Sums, data: bytes, *, is_big: bool) -> Sums:
    """The checksums after ``data``, which go on from ``sums``."""
    words = array("I", data)
    if is_big == (sys.byteorder == "little"):
        words.byteswap()
    first, second = sums
    pairs = iter(words)
    for one, other in zip(pairs, pairs, strict=True):
        first = (first + one + second) & WORD
        second = (second + other + first) & WORD
    return first, second
