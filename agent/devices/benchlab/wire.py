"""Requests and answers of a BENCHLAB board, decoded from bytes alone.

Source: the firmware contracts that the maker publishes with the package ``benchlab-pycore`` 0.8.0.
There is neither framing nor a checksum, and what a board does not know it leaves unanswered, so
the length of an answer is all there is to check.
"""

from typing import Final

from agent.devices.contract import hex_bytes

# All that is ever sent; every one of them only reads.
WELCOME: Final = b"\x00"
READ_SENSORS: Final = b"\x01"
READ_NAME: Final = b"\x03"
READ_UID: Final = b"\x0d"
READ_VENDOR_DATA: Final = b"\x0e"

MAGIC: Final = b"BENCHLAB"
SHORT_WELCOME_SIZE: Final = 9  # ORIGINAL up to firmware 4, BL2 up to 5
WELCOME_SIZE: Final = 32  # later ones, which also send it by themselves when the port is opened
NAME_SIZE: Final = 32
UID_SIZE: Final = 12
VENDOR_DATA_SIZE: Final = 3
VENDOR_ID: Final = 0xEE


class NoBoardError(ValueError):
    """What answers is no BENCHLAB board."""


def welcomes_in(data: bytes) -> int | None:
    """How many whole 32-byte welcomes the bytes are; ``None`` if they are anything else.

    >>> welcomes_in(b"BENCHLAB".ljust(32, bytes(1)) * 2)
    2
    """
    count, rest = divmod(len(data), WELCOME_SIZE)
    starts = range(0, len(data), WELCOME_SIZE)
    if rest or not all(is_welcome(data[at : at + WELCOME_SIZE]) for at in starts):
        return None
    return count


def is_welcome(data: bytes) -> bool:
    """Whether these are the 9 or 32 bytes that a board greets with: a text, filled up with NUL."""
    text, _, rest = data.partition(b"\0")
    if len(data) == SHORT_WELCOME_SIZE:
        return text == MAGIC
    is_filled = len(data) == WELCOME_SIZE and not rest.strip(b"\0")
    return is_filled and text.startswith(MAGIC) and text.decode("latin-1").isprintable()


def check_welcome(data: bytes) -> None:
    """See that these bytes are a welcome.

    Raises:
        NoBoardError: It is something else that answers.
        ValueError: They begin as one.
    """
    if not data.startswith(MAGIC):
        raise NoBoardError(f"it is no BENCHLAB board: wanted 'BENCHLAB', got {hex_bytes(data)}")
    if not is_welcome(data):
        sizes = f"{SHORT_WELCOME_SIZE} or {WELCOME_SIZE} bytes"
        raise ValueError(f"wanted a greeting of {sizes}, got {len(data)}: {hex_bytes(data)}")


def parse_vendor_data(data: bytes) -> tuple[int, int]:
    """Product id and firmware.

    >>> parse_vendor_data(bytes.fromhex("EE1002"))
    (16, 2)

    Raises:
        NoBoardError: Another maker's.
        ValueError: They are not 3 bytes.
    """
    if len(data) != VENDOR_DATA_SIZE:
        raise ValueError(f"wanted {VENDOR_DATA_SIZE} bytes of vendor data, got {hex_bytes(data)}")
    vendor, product, firmware = data
    if vendor != VENDOR_ID:
        raise NoBoardError(
            f"it is no BENCHLAB board: wanted vendor id 0x{VENDOR_ID:02X}, got 0x{vendor:02X}"
        )
    return product, firmware


def parse_uid(data: bytes) -> str:
    """The UID as the maker's tools show it.

    >>> parse_uid(bytes.fromhex("2C003D001457435735363620"))
    '2C003D001457435735363620'
    """
    if len(data) != UID_SIZE:
        raise ValueError(f"wanted {UID_SIZE} bytes of UID, got {len(data)}: {hex_bytes(data)}")
    return data.hex().upper()


def parse_name(data: bytes) -> str:
    """The name that its owner gave the board, up to the first NUL; perhaps none.

    >>> parse_name(b"bench 1".ljust(32, bytes(1)))
    'bench 1'
    """
    text = data.partition(b"\0")[0].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text).strip()
