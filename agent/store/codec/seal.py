"""The checksum at the end of a block."""

import zlib

from agent.store.codec.damaged import Damaged

SIZE = 4


def sealed(data: bytes) -> bytes:
    """``data`` with its CRC-32 behind it."""
    return data + zlib.crc32(data).to_bytes(SIZE, "little")


def unsealed(data: bytes) -> bytes:
    """``data`` without its CRC-32, which was right."""
    inner, wanted = data[:-SIZE], data[-SIZE:]
    if len(data) < SIZE or zlib.crc32(inner) != int.from_bytes(wanted, "little"):
        raise Damaged(f"the checksum of a block of {len(data)} bytes is wrong")
    return inner
