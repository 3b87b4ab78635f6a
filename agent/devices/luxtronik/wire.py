"""The messages of a Luxtronik's configuration interface that read; there is none here that writes.

The vendor publishes no specification. Source: published clients, and a capture of a controller
with firmware V1.80 that comes with the tests of one of them. All numbers are big-endian.
"""

import struct
from typing import Final

import attrs

from agent.devices.contract import hex_bytes

COUNT_LIMIT: Final = 10_000  # values of one table; the largest that is known has 1,187
COMMAND_SIZE: Final = 4
OTHER_END: Final = "is this a Luxtronik? newer ones listen at port 8889, older ones at 8888"


@attrs.frozen
class Table:
    """One of the lists that a controller keeps.

    Args:
        name: What the names of its metrics begin with.
        one: One value of it, for texts.
        command: Asks for it, and is repeated in the answer.
        head_size: Bytes of the answer before the values, the command included.
        form: Of one value, as ``struct`` has it.
    """

    name: str
    one: str
    command: int
    head_size: int
    form: str

    @property
    def request(self) -> bytes:
        """What asks for it.

        >>> PARAMETERS.request.hex(" ")
        '00 00 0b bb 00 00 00 00'
        """
        return struct.pack(">ii", self.command, 0)


CALCULATIONS: Final = Table("calculations", "calculation", 3004, 12, "i")
PARAMETERS: Final = Table("parameters", "parameter", 3003, 8, "i")
VISIBILITIES: Final = Table("visibilities", "visibility", 3005, 8, "b")


def check_command(table: Table, data: bytes) -> None:
    """Accept the first four bytes of an answer.

    Raises:
        ValueError: It answers another request, or is no answer.
    """
    wanted = table.request[:COMMAND_SIZE]
    if data != wanted:
        got = struct.unpack(">i", data)[0]
        others = {each.command for each in (CALCULATIONS, PARAMETERS, VISIBILITIES)}
        what = f"the answer to {got}" if got in others else hex_bytes(data)
        hint = "" if got in others else f"; {OTHER_END}"
        raise ValueError(
            f"wanted the answer to {table.command} ({wanted.hex(' ')}), got {what}{hint}"
        )


def parse_head(table: Table, data: bytes) -> tuple[int, int]:
    """Status word and number of values from what follows the command; only one table has a status.

    >>> parse_head(CALCULATIONS, bytes.fromhex("00000000 000000C8"))
    (0, 200)

    Raises:
        ValueError: There can't be so many values.
    """
    *status, count = struct.unpack(f">{len(data) // 4}i", data)
    if not 0 < count <= COUNT_LIMIT:
        hint = "; the controller may be starting" if count <= 0 else ""
        raise ValueError(f"wanted 1 to {COUNT_LIMIT} {table.name}, got {count}{hint}")
    return (status[0] if status else 0), count


def parse_values(table: Table, data: bytes) -> tuple[int, ...]:
    """The values of a table as the controller sends them.

    >>> parse_values(VISIBILITIES, bytes.fromhex("0101000001"))
    (1, 1, 0, 0, 1)
    """
    return struct.unpack(f">{len(data) // size_of(table)}{table.form}", data)


def size_of(table: Table) -> int:
    """Bytes of one value."""
    return struct.calcsize(table.form)
