"""The types of Modbus values and how 16-bit registers become them.

Source: Modbus Application Protocol V1.1b3, section 4: registers of 16 bits, and nothing about
what more than one of them means. So the order of words and bytes is the user's to say. Nothing
here raises for what a device may hold: a float that is not finite becomes ``None``.
"""

import struct
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Final

import attrs

from agent.devices.tags import real
from agent.model import MetricType, Value

Cells = Sequence[int]  # what an answer holds: registers as 0 to 65535, or bits as 0 and 1
Decode = Callable[[Cells, int], Value]  # (what an answer holds, where the value starts)

BITS: Final = 16  # of one register
MOST_CHARACTERS: Final = 250  # of a text, in the 125 registers that one answer can hold


@attrs.frozen
class Order:
    """How a device lays out numbers: which word and which byte of a word comes first."""

    word: str = "big"
    byte: str = "big"


@attrs.frozen
class ModbusType:
    """One type: ``size`` in registers; ``code`` is that of ``struct`` for the number it is."""

    name: str
    size: int
    metric: MetricType
    code: str = ""

    @property
    def is_number(self) -> bool:
        return bool(self.code)

    def size_of(self, length: int) -> int:
        """Registers that a value takes; ``length`` is the n of STRING(n), else 0."""
        return self.size + (length + 1) // 2


INT, FLOAT = MetricType.INT, MetricType.FLOAT

TYPES: Final = {
    each.name: each
    for each in (
        ModbusType("BOOL", 1, MetricType.BOOL),
        ModbusType("UINT16", 1, INT, "H"),
        ModbusType("INT16", 1, INT, "h"),
        ModbusType("UINT32", 2, INT, "I"),
        ModbusType("INT32", 2, INT, "i"),
        ModbusType("UINT64", 4, INT, "Q"),
        ModbusType("INT64", 4, INT, "q"),
        ModbusType("FLOAT32", 2, FLOAT, "f"),
        ModbusType("FLOAT64", 4, FLOAT, "d"),
        ModbusType("STRING", 0, MetricType.TEXT),
    )
}


def raw_bytes(cells: Cells, at: int, size: int, order: Order) -> bytes:
    """``size`` registers as the big-endian bytes of one number.

    >>> raw_bytes([0xCCCD, 0x3F8C], 0, 2, Order(word="little")).hex()
    '3f8ccccd'
    """
    words = cells[at : at + size]
    if order.word == "little":
        words = words[::-1]
    return struct.pack(f"{'<' if order.byte == 'little' else '>'}{size}H", *words)


def decoder(name: str, length: int, bit: int | None, order: Order) -> Decode:
    """Decoder of a type; ``length`` is the n of STRING(n), ``bit`` that of a BOOL in a register."""
    if name == "STRING":
        return _text(length, order)
    if name == "BOOL":
        return _flag if bit is None else _register_bit(bit, order)
    return _number(TYPES[name], order)


def _number(of: ModbusType, order: Order) -> Decode:
    unpack = struct.Struct(">" + of.code).unpack

    def decode(cells: Cells, at: int) -> int | float | None:
        data = raw_bytes(cells, at, of.size, order)
        if of.name == "FLOAT32":
            return real(data, 0)
        number: int | float = unpack(data)[0]
        return number if isfinite(number) else None

    return decode


def _flag(cells: Cells, at: int) -> bool:
    return bool(cells[at])


def _register_bit(bit: int, order: Order) -> Decode:
    def decode(cells: Cells, at: int) -> bool:
        return bool(int.from_bytes(raw_bytes(cells, at, 1, order)) >> bit & 1)

    return decode


def _text(length: int, order: Order) -> Decode:
    """Texts are in the order that they are read; only the two bytes of a register may be swapped.

    They end at the first NUL, and at the blanks that fill them up. Bytes FF stand in memory that
    nothing was written to, so a text of nothing else is none.
    """
    size = (length + 1) // 2
    as_read = Order(byte=order.byte)

    def decode(cells: Cells, at: int) -> str | None:
        data = raw_bytes(cells, at, size, as_read)[:length]
        if not data.strip(b"\xff"):
            return None
        data = data.partition(b"\0")[0].rstrip(b" ")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("latin-1")

    return decode


def missing_test(name: str, missing: int, order: Order) -> Callable[[Cells, int], bool]:
    """Whether the cells hold the raw number that means "not available".

    It may be written as the number or as its bits: -32768 and 0x8000 are the same INT16.
    """
    of = TYPES[name]
    patterns = set()
    for code in (of.code, {1: "H", 2: "I", 4: "Q"}[of.size]):
        try:
            patterns.add(struct.pack(">" + code, missing))
        except (struct.error, OverflowError):
            continue
    return lambda cells, at: raw_bytes(cells, at, of.size, order) in patterns


def can_be_missing(name: str, missing: int) -> bool:
    """Whether a number of the type, or its bits, can be ``missing``.

    >>> can_be_missing("INT16", 0x8000), can_be_missing("INT16", 0x10000)
    (True, False)
    """
    of = TYPES[name]
    bits = BITS * of.size
    return of.is_number and (of.metric is FLOAT or -(1 << bits - 1) <= missing < 1 << bits)
