"""What is done to a good answer to make a bad one."""

import random
from collections.abc import Callable, Sequence

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]

LENGTHS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
TEXTS = (
    b"NaN", b"-Infinity", b"1e999", b"null", b"true", b'"', b"{", b"[", b"}", b"]", b",", b":",
    b"\\u0000", b"\\ud800", b"\xff\xfe", b"\x00", b"\r\n", b"-", b"9" * 40, b"[" * 3000,
    b'{"a":' * 3000, b"Content-Length: -1\r\n", b"1\r\n",
)  # fmt: skip
RUNS = (b"9", b"0", b" ", b"\t", b"<title", b"<", b"[", b"{", b"]", b'"', b"\\", b",", b"-", b".")
RUN_SIZES = (1_000, 60_000)
MAX_SIZE = 64 * 1024


def flip_bit(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """One bit."""
    if not data:
        return b"\x01"
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def set_bytes(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A few bytes anywhere."""
    changed = bytearray(data or b"\0")
    for _time in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def set_length(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A number of 1, 2 or 4 bytes, near the start, where lengths and counts are."""
    size = rng.choice((1, 2, 4))
    at = rng.randrange(max(1, min(len(data), 32)))
    value = rng.choice(LENGTHS) & (1 << 8 * size) - 1
    return data[:at] + value.to_bytes(size, rng.choice(("big", "little"))) + data[at + size :]


def cut(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """The beginning only."""
    return data[: rng.randrange(len(data) + 1)]


def lose(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A stretch is missing."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.randint(1, 16) :]


def insert(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Noise in the middle, or at an end."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randint(1, 32)) + data[at:]


def insert_text(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """What text protocols stumble over."""
    at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    end = min(end, at + 12) if rng.random() < 0.7 else at
    return data[:at] + rng.choice(TEXTS) + data[end:]


def repeat(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A stretch, or all of it, comes again."""
    start = rng.randrange(len(data) + 1)
    again = data[start : start + rng.choice((1, 4, 64, len(data) or 1))]
    return data[:start] + again * rng.choice((2, 2, 3, 50)) + data[start:]


def insert_run(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """The same again and again, which takes quadratic time where a search begins at each."""
    at = rng.randrange(len(data) + 1)
    one = rng.choice(RUNS)
    return data[:at] + one * (rng.randint(*RUN_SIZES) // len(one)) + data[at:]


def other(rng: random.Random, _: bytes, others: Sequence[bytes]) -> bytes:
    """The answer to another question."""
    return rng.choice(others)


def noise(rng: random.Random, _: bytes, __: Sequence[bytes]) -> bytes:
    """Nothing that was ever an answer."""
    return rng.randbytes(rng.choice((1, 2, 7, 12, 64, 400)))


MUTATIONS: Sequence[Mutation] = (
    flip_bit, flip_bit, set_bytes, set_bytes, set_length, set_length,
    cut, lose, insert, insert_text, insert_text, repeat, other, noise, insert_run,
)  # fmt: skip


def mutated(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """``data`` after one to three mutations, of bounded size."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(MUTATIONS)(rng, data, others)[:MAX_SIZE]
    return data
