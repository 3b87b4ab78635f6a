"""Numbers of any length in as few bytes as they need, and reading within bounds."""

from agent.store.codec.damaged import Damaged

LONGEST = 10  # bytes of a number: 70 bits


def varint(number: int) -> bytes:
    """A number from 0 on, seven bits a byte, the lowest first.

    >>> varint(5).hex(), varint(300).hex()
    ('05', 'ac02')
    """
    if not 0 <= number < 1 << 7 * LONGEST:
        raise ValueError(f"wanted a number from 0 to 2**70, got {number}")
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def signed(number: int) -> bytes:
    """A number of either sign: 0, -1, 1, -2, ... as 0, 1, 2, 3, ...

    >>> signed(0).hex(), signed(-1).hex(), signed(1).hex()
    ('00', '01', '02')
    """
    return varint(2 * number if number >= 0 else -2 * number - 1)


class Cursor:
    """Reads bytes from the front; what would lie behind the end is ``Damaged``."""

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data = data
        self.at = start

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self._data) - self.at

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        if not 0 <= size <= self.left:
            raise Damaged(f"wanted {size} bytes at byte {self.at}, got {self.left}")
        self.at += size
        return self._data[self.at - size : self.at]

    def byte(self) -> int:
        """The next byte."""
        if self.at >= len(self._data):
            raise Damaged(f"wanted a byte at byte {self.at}, which is the end")
        self.at += 1
        return self._data[self.at - 1]

    def varint(self) -> int:
        """The next number from 0 on."""
        number = 0
        for index in range(LONGEST):
            byte = self.byte()
            number |= (byte & 127) << 7 * index
            if byte < 128:
                return number
        raise Damaged(f"wanted a number of at most {LONGEST} bytes at byte {self.at - LONGEST}")

    def signed(self) -> int:
        """The next number of either sign."""
        number = self.varint()
        return -(number + 1 >> 1) if number & 1 else number >> 1

    def numbers(self, count: int) -> list[int]:
        """The next ``count`` numbers from 0 on."""
        if count > self.left:
            raise Damaged(f"wanted {count} numbers at byte {self.at}, got {self.left} bytes")
        return [self.varint() for _ in range(count)]
