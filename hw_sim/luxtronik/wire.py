"""The protocol as a controller sees it: big-endian numbers, no frame, no checksum.

Source: what clients that the public uses send and expect, and the capture of a V1.80 unit.
"""

import struct
from collections.abc import Sequence

import attrs

WRITE = 3002
PARAMETERS, CALCULATIONS, VISIBILITIES = 3003, 3004, 3005  # also the names of the tables here
TABLES = (CALCULATIONS, PARAMETERS, VISIBILITIES)
SMALLEST, LARGEST = -(2**31), 2**31 - 1


@attrs.frozen
class Write:
    """What a client asked to change."""

    index: int
    value: int

    def describe(self) -> str:
        """In one line for people.

        >>> Write(1, -5).describe()
        'write parameter 1 = -5'
        """
        return f"write parameter {self.index} = {self.value}"


def reply(table: int, values: Sequence[int], status: int = 0, count: int | None = None) -> bytes:
    """The answer to a request; ``count`` overrides the true one, to lie."""
    head = [table, status] if table == CALCULATIONS else [table]
    head.append(len(values) if count is None else count)
    form = "b" if table == VISIBILITIES else "i"
    return struct.pack(f">{len(head)}i{len(values)}{form}", *head, *values)


def head_size(table: int) -> int:
    """Bytes of an answer before its values."""
    return 12 if table == CALCULATIONS else 8


def signed(number: int) -> int:
    """The 32 bits of a number, as a signed one.

    >>> signed(0xC0A82A04)
    -1062721020
    """
    return (number + 2**31) % 2**32 - 2**31


def address(text: str) -> int:
    """An IPv4 address as the controller keeps it.

    >>> address("192.168.42.4")
    -1062721020
    """
    return signed(int.from_bytes(bytes(int(part) for part in text.split("."))))
