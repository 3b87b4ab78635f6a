"""The memory of the simulated PLC, whose values move when they are looked at."""

import random
import struct
from collections.abc import Callable, Iterable

import attrs

from hw_sim.s7 import tags, wire
from hw_sim.stepped import Stepped

MAX_STEPS = 2400  # after ten minutes without a look the past is no longer played out
COUNTER_SPAN = 2**32
TEMPERATURE_RANGE = (-300, 600)  # tenths of a degree
USUAL_PRESSURE = 1.25  # bar


@attrs.frozen
class Write:
    """What a client asked to write; ``code`` is the answer, 0xFF where it was applied.

    ``start`` is a byte, of counters and timers the number; ``bit`` only for a single bit.
    """

    area: str
    db: int
    start: int
    bit: int | None
    data: bytes
    code: int

    def describe(self) -> str:
        """The write in one line for people, with the tags it concerns."""
        block = f"DB{self.db}.DB" if self.area == "DB" else self.area
        place = f"X{self.start}.{self.bit}" if self.bit is not None else f"B{self.start}"
        if self.area in ("C", "T"):
            place = str(self.start)
        text = f"write {block}{place} = {self.data.hex(' ') or 'no bytes'}"
        known = "; ".join(self._known())
        refused = "" if self.code == wire.OK else f", refused with code {self.code:#04x}"
        return f"{text} ({known}){refused}" if known else f"{text}{refused}"

    def _known(self) -> Iterable[str]:
        is_counted = self.area in ("C", "T")
        size = len(self.data) // 2 if is_counted else len(self.data)
        for tag in tags.touched((self.area, self.db), self.start, size):
            at = (tag.offset - self.start) * (2 if is_counted else 1)
            part = self.data[max(at, 0) : at + len(tag.data)]
            if self.bit is not None:
                if tag.bit == self.bit:
                    yield tags.show(tag, bytes((self.data[0] << self.bit,)))
            elif at >= 0 and len(part) == len(tag.data):
                yield tags.show(tag, part)
            else:
                yield f"part of {tag.name}"


class Memory(Stepped):
    """All areas of the PLC, safe to use from several threads."""

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._areas = tags.initial_areas()
        self._random = random.Random(seed)

    def set_bytes(self, db: int, start: int, data: bytes, area: str = "DB") -> None:
        """Put ``data`` there; makes the block, or makes it longer, if need be."""
        with self._lock:
            self._advance()
            block = self._areas.setdefault((area, db), bytearray())
            if start > len(block):
                block.extend(bytes(start - len(block)))
            block[start : start + len(data)] = data

    def get_bytes(self, db: int, start: int, size: int, area: str = "DB") -> bytes:
        """``size`` bytes as they are now; fewer beyond the end, ``KeyError`` without the block."""
        with self._lock:
            self._advance()
            return bytes(self._areas[area, db][start : start + size])

    def remove_db(self, db: int) -> None:
        """Forget a data block, as if it had been deleted in the PLC."""
        with self._lock:
            self._areas.pop(("DB", db), None)

    def read(self, item: wire.Item) -> tuple[int, bytes]:
        """The return code for a read item and its bytes, of a bit one byte 0 or 1."""
        with self._lock:
            self._advance()
            code, block, at = self._find(item)
            if code != wire.OK:
                return code, b""
            if item.word_length == wire.BIT:
                return code, bytes((block[at] >> item.start % 8 & 1,))
            return code, bytes(block[at : at + item.size])

    def write(self, item: wire.Item, data: bytes, *, allowed: bool) -> Write:
        """What became of a write; it was applied if it says so."""
        with self._lock:
            self._advance()
            code, block, at = self._find(item)
            if code == wire.OK and len(data) != item.size:
                code = wire.INCONSISTENT
            if code == wire.OK and not allowed:
                code = wire.ACCESS_DENIED
            bit = item.start % 8 if item.word_length == wire.BIT else None
            if code == wire.OK and bit is not None:
                block[at] = block[at] & ~(1 << bit) | (data[0] & 1) << bit
            elif code == wire.OK:
                block[at : at + item.size] = data
            start = item.start if item.area in ("C", "T") else item.start // 8
            return Write(item.area, item.db, start, bit, data, code)

    def _find(self, item: wire.Item) -> tuple[int, bytearray, int]:
        nothing = bytearray()
        if item.error:
            return item.error, nothing, 0
        block = self._areas.get((item.area, item.db if item.area == "DB" else 0))
        if block is None:
            return wire.NO_OBJECT, nothing, 0
        at = item.start * 2 if item.area in ("C", "T") else item.start // 8
        if not item.count or at + item.size > len(block):
            return wire.OUT_OF_RANGE, nothing, 0
        return wire.OK, block, at

    def _play(self, steps: int) -> None:
        block = self._areas.get(("DB", 1), bytearray())
        if len(block) < 12:
            return
        played = min(steps, MAX_STEPS)
        for _ in range(played):
            self._step(block)
        _count(block, steps - played)

    def _step(self, block: bytearray) -> None:
        """Move the values of DB1 on, from what they are: also from what a client wrote."""
        _count(block, 1)
        temperature: int = struct.unpack_from(">h", block, 4)[0]
        pressure: float = struct.unpack_from(">f", block, 6)[0]
        low, high = TEMPERATURE_RANGE
        temperature += self._random.choice((-1, 0, 0, 1))
        if not -1e6 < pressure < 1e6:  # a client wrote it, or no number at all
            pressure = USUAL_PRESSURE
        pressure += (USUAL_PRESSURE - pressure) * 0.02 + self._random.uniform(-0.01, 0.01)
        struct.pack_into(">hf", block, 4, min(max(temperature, low), high), round(pressure, 3))
        if self._random.random() < (0.1 if block[10] & 1 else 0.01):
            block[10] ^= 1


def _count(block: bytearray, steps: int) -> None:
    counter = (int.from_bytes(block[:4]) + steps) % COUNTER_SPAN  # a DINT that wraps
    block[:4] = counter.to_bytes(4)
