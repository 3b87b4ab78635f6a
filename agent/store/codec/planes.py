"""Numbers of equal width as planes: what is alike in them lies together.

Done with bytes and long integers as a whole, not number by number.
"""

import sys
from array import array
from collections.abc import Sequence

TYPE_OF = {1: "B", 2: "H", 4: "I", 8: "Q"}
# For each bit of a byte: from a byte to "0" or "1", and from "0" or "1" to the bit's worth.
_DIGITS = [bytes(48 + (byte >> bit & 1) for byte in range(256)) for bit in range(8)]
_WORTH = [bytes((byte & 1) << bit for byte in range(256)) for bit in range(8)]


def size_of(bits: int) -> int:
    """Bytes of the smallest width that holds so many bits."""
    return next(size for size in TYPE_OF if bits <= 8 * size)


def split(numbers: Sequence[int], size: int) -> list[bytes]:
    """The byte planes of numbers from 0 on, the lowest first.

    >>> split([1, 0x203], 2)
    [b'\\x01\\x03', b'\\x00\\x02']
    """
    if size == 1:
        return [bytes(numbers)]
    found = array(TYPE_OF[size], numbers)
    if sys.byteorder == "big":
        found.byteswap()
    data = found.tobytes()
    return [data[byte::size] for byte in range(size)]


def join(planes: Sequence[bytes]) -> Sequence[int]:
    """The numbers of one to eight byte planes of equal length, the lowest first.

    >>> list(join([b'\\x01\\x03', b'\\x00\\x02']))
    [1, 515]
    """
    if len(planes) == 1:
        return planes[0]
    size = size_of(8 * len(planes))
    data = bytearray(size * len(planes[0]))
    for byte, plane in enumerate(planes):
        data[byte::size] = plane
    found = array(TYPE_OF[size], bytes(data))
    if sys.byteorder == "big":
        found.byteswap()
    return found


def bits_size(count: int, bits: int) -> int:
    """Bytes that the lowest ``bits`` of ``count`` numbers need as planes."""
    return bits // 8 * count + bits % 8 * (count + 7 >> 3)


def split_bits(numbers: Sequence[int], bits: int) -> bytes:
    """The lowest ``bits`` of numbers: planes of whole bytes, then planes of single bits.

    In a plane of bits the first number's is the highest of the first byte.

    >>> split_bits([1, 0, 3], 2).hex()
    'a020'
    """
    mask = (1 << bits) - 1
    planes = split([number & mask for number in numbers], size_of(bits))
    found = planes[: bits // 8]
    padding = b"0" * (-len(numbers) % 8)
    for bit in range(bits % 8):
        digits = planes[bits // 8].translate(_DIGITS[bit]) + padding
        found.append(int(digits, 2).to_bytes(len(digits) // 8, "big"))
    return b"".join(found)


def join_bits(data: bytes, count: int, bits: int) -> Sequence[int]:
    """The numbers of ``split_bits``; ``data`` has the size of ``bits_size``."""
    whole = bits // 8
    planes = [data[count * byte : count * (byte + 1)] for byte in range(whole)]
    if bits % 8:
        size = count + 7 >> 3
        last = 0
        for bit in range(bits % 8):
            start = count * whole + size * bit
            number = int.from_bytes(data[start : start + size], "big")
            digits = f"{number:0{8 * size}b}".encode()[:count]
            last |= int.from_bytes(digits.translate(_WORTH[bit]), "big")
        planes.append(last.to_bytes(count, "big"))
    return join(planes)
