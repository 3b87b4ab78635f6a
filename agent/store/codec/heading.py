"""What a block says of itself before its columns: whose it is, how much, from when to when."""

from collections.abc import Sequence

import attrs

from agent.store.codec.cursor import Cursor, signed, varint
from agent.store.codec.damaged import Damaged

MAGIC = b"AGB"
VERSION = 1
MOST_SAMPLES = 100_000


@attrs.frozen
class Heading:
    """The device, the number of samples, and the bounds of their keys and times."""

    device: int
    count: int
    first_key: int
    last_key: int
    first_ms: int
    last_ms: int


def heading_of(device: int, keys: Sequence[int], times: Sequence[int]) -> Heading:
    """The heading of samples."""
    return Heading(device, len(keys), min(keys), max(keys), min(times), max(times))


def put_heading(heading: Heading) -> bytes:
    """The bytes of a heading."""
    found = bytearray(MAGIC + bytes([VERSION]))
    found += varint(heading.device)
    found += varint(heading.count)
    found += signed(heading.first_key)
    found += varint(heading.last_key - heading.first_key)
    found += signed(heading.first_ms)
    found += varint(heading.last_ms - heading.first_ms)
    return bytes(found)


def take_heading(cursor: Cursor) -> Heading:
    """The heading at the start of a block."""
    magic = cursor.take(len(MAGIC))
    if magic != MAGIC:
        raise Damaged(f"wanted {MAGIC!r} at the start of a block, got {magic!r}")
    version = cursor.byte()
    if version != VERSION:
        raise Damaged(f"wanted a block of version {VERSION}, got {version}")
    device, count = cursor.varint(), cursor.varint()
    if not 0 < count <= MOST_SAMPLES:
        raise Damaged(f"wanted 1 to {MOST_SAMPLES} samples in a block, got {count}")
    first_key = cursor.signed()
    last_key = first_key + cursor.varint()
    first_ms = cursor.signed()
    last_ms = first_ms + cursor.varint()
    return Heading(device, count, first_key, last_key, first_ms, last_ms)
