"""A sequence of integers in its smallest form: differences, high bits apart from low ones, runs.

Low bits of noise do not deflate, and would hide from the Huffman code what does: they are stored
as they are, bit by bit. What remains are a few symbols, each a byte.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, compress, count, repeat
from math import gcd
from operator import add, ne, sub

from agent.store.codec.cursor import signed, varint
from agent.store.codec.damaged import Damaged
from agent.store.codec.parts import Parts, Taken
from agent.store.codec.planes import bits_size, join, join_bits, size_of, split, split_bits

RUNS = 255  # the mark of runs; other marks are 16 * order + bytes of a high part, and perhaps:
HAS_STEP = 64
ORDERS = 3
WIDTHS = (0, 1, 2, 4, 8)
SAMPLED = 256  # numbers from which the parameters are guessed
MOST_BITS = 64

_FOLD = bytes(2 * byte if byte < 128 else 511 - 2 * byte for byte in range(256))
_UNFOLD = [-(byte + 1 >> 1) if byte & 1 else byte >> 1 for byte in range(256)]


def put_ints(parts: Parts, numbers: Sequence[int]) -> None:
    """Add numbers in their smallest form; the reader knows how many they are."""
    if not numbers:
        return
    starts = [0, *_changes(numbers)]
    if 3 * len(starts) > len(numbers):
        _put_direct(parts, numbers)
        return
    runs = Parts(head=bytearray([RUNS]))
    runs.head += varint(len(starts))
    _put_direct(runs, [numbers[start] for start in starts])
    _put_direct(runs, list(map(sub, [*starts[1:], len(numbers)], starts)))
    direct = Parts()
    _put_direct(direct, numbers)
    parts.add(min(direct, runs, key=Parts.cost))


def _changes(numbers: Sequence[int]) -> list[int]:
    return [*compress(count(1), map(ne, numbers, numbers[1:]))]


def take_ints(taken: Taken, size: int) -> list[int]:
    """The next ``size`` numbers."""
    if not size:
        return []
    mark = taken.head.byte()
    if mark != RUNS:
        return _take_direct(taken, size, mark)
    runs = taken.head.varint()
    if not 0 < runs <= size:
        raise Damaged(f"wanted 1 to {size} runs, got {runs}")
    values = _take_direct(taken, runs, taken.head.byte())
    lengths = _take_direct(taken, runs, taken.head.byte())
    if sum(lengths) != size or min(lengths) < 1:
        raise Damaged(f"wanted runs of {size} numbers together")
    return list(chain.from_iterable(map(repeat, values, lengths)))


def _put_direct(parts: Parts, numbers: Sequence[int]) -> None:
    order, firsts, rest, _ = _differences(numbers)
    base, bits = _spread(rest)
    if base:
        rest = [number - base for number in rest]
    step = _step(rest)
    if step > 1:
        rest = [number // step for number in rest]
        bits = max(0, bits - step.bit_length() + 1)
    low, high = min(rest), max(rest)
    if not low and not high:
        width = 0
    else:
        width, bits = _width(low, high, bits)
        if width > 8:
            order, firsts, rest, base, step, width, bits = 0, [], numbers, 0, 1, 8, 0
    parts.head.append(16 * order + width + (HAS_STEP if step > 1 else 0))
    for number in (*firsts, base):
        parts.head += signed(number)
    if not width:
        return
    if step > 1:
        parts.head += varint(step)
    parts.head.append(bits)
    if bits:
        parts.raw += split_bits(rest, bits)
        rest = [number >> bits for number in rest]
    if width == 1:
        parts.text.append(bytes([number & 255 for number in rest]).translate(_FOLD))
        return
    folded = [2 * number if number >= 0 else -2 * number - 1 for number in rest]
    parts.text += split(folded, width)


def _differences(numbers: Sequence[int]) -> tuple[int, list[int], Sequence[int], float]:
    """The order of differences that needs the fewest bits, the first of each, the rest, bits."""
    best, firsts, rest, least = 0, [], numbers, _bits(numbers)
    found, seen = numbers, []
    for order in range(1, min(ORDERS, len(numbers))):
        seen.append(found[0])
        found = list(map(sub, found[1:], found))
        bits = _bits(found)
        if bits < least:
            best, firsts, rest, least = order, [*seen], found, bits
    return best, firsts, rest, least


def needed_bits(numbers: Sequence[int]) -> float:
    """About how many bits a number needs."""
    return _differences(numbers)[3]


def _sample(numbers: Sequence[int]) -> Sequence[int]:
    return numbers[:: len(numbers) // SAMPLED + 1]


def _bits(numbers: Sequence[int]) -> float:
    """Bits a number needs around the middle one, on average."""
    some = sorted(_sample(numbers))
    middle = some[len(some) // 2]
    return sum((number - middle).bit_length() for number in some) / len(some)


def _spread(numbers: Sequence[int]) -> tuple[int, int]:
    """The middle number, and how many low bits of the distances from it are but noise."""
    some = sorted(_sample(numbers))
    middle = some[len(some) // 2]
    distances = sorted(abs(number - middle) for number in some)
    distance = distances[len(distances) // 2]
    if 2 * abs(middle) <= distance:
        middle = 0  # as near as the middle of so few is known, and 0 costs nothing
    return middle, max(0, distance.bit_length() - 2)


def _step(numbers: Sequence[int]) -> int:
    """What all numbers are multiples of: a sensor's resolution, the size of a page of memory."""
    return 1 if gcd(*_sample(numbers)) == 1 else gcd(*numbers)


def _width(low: int, high: int, bits: int) -> tuple[int, int]:
    """Bytes of a high part, and the number of low bits, which may rise to save a byte."""
    most = max(high, ~low).bit_length() + 1
    bits = min(bits, 56)
    if 8 < most - bits <= 10 and bits:
        bits = most - 8
    if most - bits > 64:
        return 9, 0
    return size_of(most - bits), bits


def _take_direct(taken: Taken, size: int, mark: int) -> list[int]:
    order, width = divmod(mark & ~HAS_STEP, 16)
    if order >= min(ORDERS, size) or width not in WIDTHS:
        raise Damaged(f"wanted the mark of {size} numbers, got {mark}")
    firsts = [taken.head.signed() for _ in range(order)]
    base = taken.head.signed()
    found: Iterable[int] = repeat(base, size - order)
    if width:
        step = taken.head.varint() if mark & HAS_STEP else 1
        found = _take_multiples(taken, size - order, width, step, base)
    for first in reversed(firsts):
        found = accumulate(found, initial=first)
    return list(found)


def _take_multiples(taken: Taken, size: int, width: int, step: int, base: int) -> Iterable[int]:
    """Multiples of ``step``, counted from ``base``."""
    bits = taken.head.byte()
    if bits > MOST_BITS:
        raise Damaged(f"wanted at most {MOST_BITS} low bits, got {bits}")
    planes = [taken.text.take(size) for _ in range(width)]
    unit = step << bits
    high: Iterable[int]
    if width > 1:
        high = map(base.__add__, [_unfold(number) * unit for number in join(planes)])
    elif size < len(_UNFOLD):  # a table of all that a byte may be would be longer
        high = [_UNFOLD[number] * unit + base for number in planes[0]]
    else:
        high = map([number * unit + base for number in _UNFOLD].__getitem__, planes[0])
    if not bits:
        return high
    low: Iterable[int] = join_bits(taken.raw.take(bits_size(size, bits)), size, bits)
    return map(add, high, map(step.__mul__, low) if step > 1 else low)


def _unfold(number: int) -> int:
    return -(number + 1 >> 1) if number & 1 else number >> 1
