"""Bytes deflated where that makes them fewer."""

import zlib
from collections.abc import Sequence

from agent.store.codec.damaged import Damaged

LARGEST = 64 << 20  # bytes of one stream, inflated: what a hostile block can make us hold
RATIO = 1032  # bytes that one deflated byte can become at most, by the format
SHORTEST = 4
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FILTERED)


def deflate(sections: Sequence[bytes]) -> bytes:
    """The smallest stream of ``sections`` one after the other; as they are if none is smaller.

    Sections differ in which bytes are frequent: that each has a Huffman code of its own is tried.
    """
    whole = b"".join(sections)
    if len(whole) > LARGEST:
        raise ValueError(f"wanted at most {LARGEST} bytes in a stream, got {len(whole)}")
    if len(whole) < SHORTEST:
        return whole
    tried = [_deflate([whole], strategy) for strategy in STRATEGIES]
    if len(sections) > 1:
        tried += [_deflate(sections, strategy) for strategy in STRATEGIES]
    return min(whole, *tried, key=len)


def _deflate(sections: Sequence[bytes], strategy: int) -> bytes:
    # A window and a buffer of its size do for a short stream, and take a tenth of the time to make.
    bits = min(max(sum(map(len, sections)).bit_length(), 9), zlib.MAX_WBITS)
    packer = zlib.compressobj(9, zlib.DEFLATED, -bits, bits - 6, strategy)
    found = []
    for number, section in enumerate(sections):
        if number:
            found.append(packer.flush(zlib.Z_BLOCK))
        found.append(packer.compress(section))
    return b"".join((*found, packer.flush()))


def inflate(data: bytes, size: int) -> bytes:
    """What ``deflate`` was given, of which ``size`` bytes are expected."""
    if len(data) == size:
        return data
    if not len(data) < size <= min(LARGEST, RATIO * len(data)):
        raise Damaged(f"a stream of {len(data)} bytes can't come to {size}")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = unpacker.decompress(data, size)
        if not unpacker.eof:  # the end mark of a stream that is full already
            found += unpacker.decompress(unpacker.unconsumed_tail, 1)
    except zlib.error as error:
        raise Damaged(f"a stream does not inflate: {error}") from error
    if len(found) != size or not unpacker.eof or unpacker.unused_data:
        raise Damaged(f"wanted a stream of {size} bytes, got {len(found)}")
    return found
