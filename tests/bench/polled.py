"""Loads of whole devices: who is polled how often, and what each poll gives."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle

import attrs

from agent.model import Value
from tests.bench.loads import heat_pump, mixed

PERIOD_S = 6 * 3600  # after which generated values come again
SEED = 11


@attrs.frozen
class Polled:
    """A device; ``values`` gives what its polls give, without an end."""

    name: str
    kind: str
    interval_s: int
    values: Callable[[], Iterator[Mapping[str, Value]]]


def mixed_load() -> Sequence[Polled]:
    """100 channels at 1 s, as one device."""
    names = [f"channel{number}" for number in range(100)]

    def values() -> Iterator[Mapping[str, Value]]:
        columns = mixed(PERIOD_S)
        for row in cycle(range(PERIOD_S)):
            yield {name: column[row] for name, column in zip(names, columns, strict=True)}

    return [Polled("plant", "json", 1, values)]


def five_kinds() -> Sequence[Polled]:
    """A host, a power meter board, a press, a thermostat and a heat pump: 187 values/s."""
    return [
        Polled("host", "host", 5, _host),
        Polled("board", "benchlab", 1, lambda: _noisy(87, 12_000, 15, 1)),
        Polled("press", "s7", 1, _press),
        Polled("laser", "thermostat", 1, lambda: _noisy(26, 30_000, 8, 1000)),
        Polled("heatpump", "luxtronik", 30, _heat_pump),
    ]


def _host() -> Iterator[Mapping[str, Value]]:
    rng = random.Random(SEED)
    while True:
        values: dict[str, Value] = {
            "voltage": 3.9, "current": -0.4, "power": -1.6, "battery_pct": 80,
            "cpu_total": round(rng.random() * 100, 1), "cpu_freq": 1800.0,
            "load1": round(rng.random(), 2), "load5": 0.3, "load15": 0.2,
        }  # fmt: skip
        values |= {f"core{core}_usage": round(rng.random() * 100, 1) for core in range(4)}
        for number in range(1, 11):
            values[f"process{number}_pid"] = 1000 + number
            values[f"process{number}_name"] = "python3"
            values[f"process{number}_cpu"] = round(rng.random() * 100, 1)
            values[f"process{number}_mem"] = 1.23
        yield values


def _noisy(count: int, top: int, step: float, scale: int) -> Iterator[Mapping[str, Value]]:
    rng = random.Random(SEED)
    now = [rng.randrange(top) for _ in range(count)]
    while True:
        now = [max(0, round(value + rng.gauss(0, step))) for value in now]
        yield {
            f"value{number}": value / scale if scale > 1 else value
            for number, value in enumerate(now)
        }


def _press() -> Iterator[Mapping[str, Value]]:
    rng = random.Random(SEED)
    counter = 0
    while True:
        counter += 1
        yield {
            "counter": counter,
            "temperature": 215 + rng.randint(-2, 2),
            "pressure": round(1.25 + rng.randint(-20, 20) / 10_000, 4),
            "alarm": False,
            "mode_ro": 90,
        }


def _heat_pump() -> Iterator[Mapping[str, Value]]:
    rows = [*heat_pump(PERIOD_S // 30)]
    names = [f"calculations.ID_WEB_{number}" for number in range(len(rows[0]))]
    for row in cycle(rows):
        yield dict(zip(names, row, strict=True))
