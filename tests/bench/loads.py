"""Values as devices give them, generated and seeded: a mixed load and a heat pump."""

import random
from collections.abc import Iterator, Sequence
from math import pi, sin

SEED = 7
START_MS = 1_760_000_000_000
MIXED_CHANNELS = 100


def mixed(seconds: int) -> list[list[float | int]]:
    """100 channels at 1 s: 40 slow temperatures, 20 powers, 10 voltages, 10 counters, 20 states."""
    rng = random.Random(SEED)
    found: list[list[float | int]] = []
    for number in range(40):
        walk = 0.0
        column: list[float | int] = []
        for second in range(seconds):
            walk += rng.gauss(0, 0.01)
            swing = 5 * sin(2 * pi * second / 86_400 + number)
            column.append(round(20 + number + swing + walk, 1))
        found.append(column)
    for number in range(20):
        wave = [8 * sin(2 * pi * second / 600 + number) for second in range(600)]
        found.append(
            [
                round(50 + 10 * number + wave[second % 600] + rng.gauss(0, 1.5), 2)
                for second in range(seconds)
            ]
        )
    found += [[round(12 + rng.gauss(0, 0.004), 3) for _ in range(seconds)] for _ in range(10)]
    found += [_counter(rng, seconds) for _ in range(10)]
    found += [_state(rng, seconds) for _ in range(20)]
    return found


def _counter(rng: random.Random, seconds: int) -> list[float | int]:
    count = 0
    column: list[float | int] = []
    for _ in range(seconds):
        count += rng.randrange(20)
        column.append(count)
    return column


def _state(rng: random.Random, seconds: int) -> list[float | int]:
    column: list[float | int] = [0] * seconds
    for _ in range(max(1, seconds // 3600)):
        start = rng.randrange(seconds)
        column[start:] = [rng.randrange(5)] * (seconds - start)
    return column


def heat_pump(samples: int) -> Iterator[Sequence[float | int]]:
    """1,749 values every 30 s: 268 calculations of which 70 move, 1,126 parameters, 355 flags."""
    rng = random.Random(SEED)
    choices = (
        lambda: 0,
        lambda: 1,
        lambda: 0,
        lambda: rng.randint(-200, 600) / 10,
        lambda: rng.randint(0, 3),
    )
    parameters: list[float | int] = [rng.choice(choices)() for _ in range(1126)]
    flags = [rng.randint(0, 1) for _ in range(355)]
    temperatures = [rng.uniform(5, 55) for _ in range(55)]
    counters = [rng.randint(10**4, 10**7) for _ in range(25)]
    settings = [rng.choice((0, 1, 0, rng.randint(0, 300))) for _ in range(183)]
    for sample in range(samples):
        for number in range(35):
            if rng.random() < 0.6:
                temperatures[number] += rng.choice((-0.1, 0.1, 0.2, -0.2))
        for number in range(12):
            counters[number] += 30
        if rng.random() < 0.02:
            settings[rng.randrange(len(settings))] ^= 1
        yield [
            *(
                round(each, 1) + 0.0 for each in temperatures
            ),  # never -0.0, which SQLite does not keep
            *counters,
            *settings,
            START_MS // 1000 + 30 * sample,
            round(rng.uniform(0, 9), 1),
            rng.randint(0, 40),
            0,
            1,
            *parameters,
            *flags,
        ]
