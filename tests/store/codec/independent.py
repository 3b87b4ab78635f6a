"""A reader of blocks that was written from docs/STORE_FORMAT.md alone, to prove the text."""

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any


class Bytes:
    """Bytes that are read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, size: int) -> bytes:
        found, self.data = self.data[:size], self.data[size:]
        assert len(found) == size
        return found

    def number(self) -> int:
        byte = self.take(1)[0]
        return byte if byte < 128 else byte - 128 + 128 * self.number()

    def signed(self) -> int:
        return unfold(self.number())


def unfold(number: int) -> int:
    return number // 2 if number % 2 == 0 else -(number + 1) // 2


def stream(stored: bytes, size: int) -> bytes:
    return stored if len(stored) == size else zlib.decompress(stored, -15)


def values(data: bytes) -> Any:
    return json.loads(data.decode("utf-8", "surrogatepass"))


class Entry:
    """The head, the text and the raw bytes of an entry."""

    def __init__(self, head: bytes, text: bytes, raw: bytes) -> None:
        self.head, self.text, self.raw = Bytes(head), Bytes(text), Bytes(raw)

    def sequence(self, size: int) -> list[int]:
        if not size:
            return []
        mark = self.head.take(1)[0]
        if mark != 255:
            return self.plain(size, mark)
        runs = self.head.number()
        numbers = self.plain(runs, self.head.take(1)[0])
        lengths = self.plain(runs, self.head.take(1)[0])
        return [n for n, length in zip(numbers, lengths, strict=True) for _ in range(length)]

    def plain(self, size: int, mark: int) -> list[int]:
        order, width = mark % 64 // 16, mark % 16
        firsts = [self.head.signed() for _ in range(order)]
        base, size = self.head.signed(), size - order
        found = [base] * size
        if width:
            step = self.head.number() if mark & 64 else 1
            bits = self.head.take(1)[0]
            planes = [self.text.take(size) for _ in range(width)]
            low = self.low(size, bits)
            for i in range(size):
                folded = sum(plane[i] << 8 * byte for byte, plane in enumerate(planes))
                found[i] += step * (unfold(folded) * 2**bits + low[i])
        for first in reversed(firsts):
            sums = [first]
            for number in found:
                sums.append(sums[-1] + number)
            found = sums
        return found

    def low(self, size: int, bits: int) -> list[int]:
        found = [0] * size
        for byte in range(bits // 8):
            for i, part in enumerate(self.raw.take(size)):
                found[i] += part << 8 * byte
        for bit in range(bits // 8 * 8, bits):
            plane = self.raw.take((size + 7) // 8)
            for i in range(size):
                found[i] += (plane[i // 8] >> 7 - i % 8 & 1) << bit
        return found

    def column(self, size: int, before: Sequence[list[int]]) -> tuple[list[int], list[Any]]:
        """The numbers of a column and its cells."""
        byte = self.head.take(1)[0]
        way = byte % 64
        digits = self.head.take(1)[0] if way in (2, 3) else 0
        listed = values(self.text.take(self.head.number())) if byte >= 128 or way == 6 else []
        marks = self.sequence(size) if byte >= 128 else [0] * size
        code = self.head.number() if byte & 64 else 0
        numbers = self.sequence(marks.count(0))
        if code:
            other = before[-(code // 2)]
            other = [*other[1:], other[-1]] if code % 2 else other
            numbers = [n + o for n, o in zip(numbers, other, strict=True)]
        cells = iter([cell(number, way, digits, listed) for number in numbers])
        return numbers, [listed[mark - 1] if mark else next(cells) for mark in marks]


def cell(number: int, way: int, digits: int, listed: list[Any]) -> Any:
    match way:
        case 0:
            return number
        case 1:
            return number == 1
        case 2:
            return number / 10**digits
        case 3:
            return number / 10**digits if number % 10**digits else number // 10**digits
        case 4:
            return struct.unpack("<f", struct.pack("<i", number))[0]
        case 5:
            return struct.unpack("<d", struct.pack("<q", number))[0]
        case _:
            return listed[number]


def read(data: bytes) -> dict[str, Any]:
    """All that a block says, by the names of its documentation."""
    assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
    rest = Bytes(data[:-4])
    assert rest.take(4) == b"AGB\1"
    found: dict[str, Any] = {"device": rest.number()}
    count = rest.number()
    found["first_key"] = rest.signed()
    found["last_key"] = found["first_key"] + rest.number()
    found["first_ms"] = rest.signed()
    found["last_ms"] = found["first_ms"] + rest.number()
    size, stored, shared_size, shared_stored = (rest.number() for _ in range(4))
    directory = Bytes(stream(rest.take(stored), size))
    shared = Bytes(stream(rest.take(shared_stored), shared_size))
    layouts = read_layouts(directory)
    columns = sorted({position for layout in layouts.values() for position in layout})
    forms = directory.take(4 + len(columns))
    constants = iter(values(directory.take(directory.number())))
    entries = read_entries(forms, directory, shared, rest)
    times = entries[1].sequence(count)
    way = entries[0].head.take(1)[0]
    keys = [
        key + (0, time * 1000, time // 1000)[way]
        for key, time in zip(entries[0].sequence(count), times, strict=True)
    ]
    found |= {"keys": keys, "times": times, "clocks": entries[2].sequence(count)}
    found |= {"layouts": entries[3].sequence(count), "positions": layouts, "columns": {}}
    before: list[list[int]] = []
    for number, position in enumerate(columns, 4):
        offered = sum(position in layouts[layout] for layout in found["layouts"])
        if forms[number] == 0:
            before.append([])
            found["columns"][position] = [next(constants)] * offered
        else:
            numbers, found["columns"][position] = entries[number].column(offered, before)
            before.append(numbers)
    return found


def read_layouts(directory: Bytes) -> dict[int, list[int]]:
    layouts: dict[int, list[int]] = {}
    for _ in range(directory.number()):
        name, end = directory.number(), 0
        layouts[name] = []
        for _ in range(directory.number()):
            start = end + directory.number()
            end = start + directory.number()
            layouts[name] += range(start, end)
    return layouts


def read_entries(forms: bytes, directory: Bytes, shared: Bytes, rest: Bytes) -> dict[int, Entry]:
    varying = [number for number, form in enumerate(forms) if form]
    sizes = []
    for _ in range(4):
        planes = [directory.take(len(varying)) for _ in range(4)]
        sizes.append([int.from_bytes(each, "little") for each in zip(*planes, strict=True)])
    heads = [directory.take(size) for size in sizes[0]]
    texts = {
        number: shared.take(sizes[1][varying.index(number)])
        for number in sorted(varying, key=lambda number: (forms[number], number))
        if forms[number] > 1
    }
    for index, number in enumerate(varying):
        if forms[number] == 1:
            texts[number] = stream(rest.take(sizes[3][index]), sizes[1][index])
    return {
        number: Entry(heads[index], texts[number], rest.take(sizes[2][index]))
        for index, number in enumerate(varying)
    }
