"""A program that writes numbered samples as fast as it can, through days in seconds; to be killed.

Its clock runs so much faster than the machine's that sealing and merging go on all the time. What
it says stands in a file of its own: ``b`` at its beginning, ``w`` before a sample goes in, ``s``
after, and ``f`` when all that went in was flushed.
"""

import argparse
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import attrs

from agent.model import Metric, Sample, Stamp, Value
from agent.store import Reader, Store
from agent.store.upkeep import Upkeep
from tests.fakes import NOON_MS
from tests.store.stored import EVER

SPEED = 20_000  # 5.5 hours in a second: batches become a block every 0.2 s
BEHIND_MS = 400 * 86_400_000  # a clock that was not set yet
CLOCKS = WRONG, SET, RIGHT = "wrong", "set", "right"  # set: wrong until some time after the start
DEVICES = {"press": "s7", "pump": "s7", "host": "host"}  # in batches, in rows, and a host's rows
PLAIN = {"press": False, "pump": True, "host": True}
PLAIN_DAYS = 0.25
EVERY_S = 0.001
LATEST_SET = 100  # samples after a start
SAMPLES = 10  # of one flush, on average


class QuickClock:
    """Goes on where the last process left it: by the machine's clock since ``epoch_s``."""

    def __init__(self, epoch_s: float, boot_id: str = "boot", behind_ms: int = 0) -> None:
        self.boot_id = boot_id
        self._epoch_s = epoch_s
        self._behind_ms = behind_ms

    def now_ms(self) -> int:
        return self.stamp().ts_ms

    def monotonic(self) -> float:
        return (time.monotonic() - self._epoch_s) * SPEED

    def stamp(self) -> Stamp:
        monotonic_ms = round(self.monotonic() * 1000)
        return Stamp(NOON_MS + monotonic_ms - self._behind_ms, monotonic_ms)

    def is_synchronised(self) -> bool | None:
        return not self._behind_ms

    def set_right(self) -> None:
        """The time has come from the network."""
        self._behind_ms = 0


def store_of(path: Path, memory: Path | None, clock: QuickClock) -> Store:
    """A store as the agent makes it, with its journal where there is a place for one."""
    store = Store(path, clock, journal_folders=[memory] if memory is not None else None)
    store.open_journal()
    for name, kind in DEVICES.items():
        store.add_device(name, kind, 1.0, plain=PLAIN[name])
        store.describe(name, [Metric("n", "bar")])
    return store


def write(store: Store, clock: QuickClock, said: Path, *, sets_clock: bool) -> None:
    """Write until the end, which comes from outside; the clock is set some time after the start."""
    number = last_said(said).wanted + 1
    chance = random.Random(number)
    set_at = number + chance.randrange(LATEST_SET) if sets_clock else None
    with said.open("ab", buffering=0) as out:
        out.write(b"b %d\n" % number)
        while True:
            out.write(b"w %d\n" % number)
            name = [*DEVICES][number % len(DEVICES)]
            values: dict[str, Value] = {
                "n": number,
                "noise": chance.gauss(20, 3),
                "mode": "auto" * (number % 5),
            }
            store.append(Sample(name, clock.stamp(), values))
            out.write(b"s %d\n" % number)
            if number == set_at:
                clock.set_right()
            if chance.random() < 1 / SAMPLES and store.flush():
                out.write(b"f %d\n" % number)
            number += 1
            time.sleep(EVERY_S)


def keep_up(store: Store, clock: QuickClock) -> None:
    """Upkeep without a rest, in a thread."""
    upkeep = Upkeep(store, clock, PLAIN_DAYS, PLAIN)
    while True:
        upkeep.run()
        time.sleep(0.001)


@attrs.frozen
class Said:
    """Which numbers were to go in, did go in, and were flushed."""

    wanted: int
    taken: int
    flushed: int


def last_said(said: Path) -> Said:
    """The last number of each word, 0 where there is none yet; the last line may be half of one."""
    last = {"b": 0, "w": 0, "s": 0, "f": 0}
    if said.exists():
        with said.open("rb") as file:
            file.seek(max(0, said.stat().st_size - 20_000))
            for line in file.read().decode("ascii").split("\n")[1:-1]:
                word, number = line.split()
                last[word] = int(number)
    return Said(last["w"], last["s"], last["f"])


def counted(path: Path) -> Counter[int]:
    """How often each number lies in a file."""
    found: Counter[int] = Counter()
    with Reader(path) as reader:
        for name in {each.name for each in reader.devices()} & set(DEVICES):
            [position] = [at for at, metric in reader.metrics(name) if metric.name == "n"]
            for part in reader.segments(name, *EVER):
                found.update(int(cell) for cell in part.cells(position) if cell is not None)
        assert not reader.damaged
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Start to write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("said", type=Path)
    parser.add_argument("epoch_s", type=float)
    parser.add_argument("boot_id")
    parser.add_argument("clock", choices=CLOCKS)
    parser.add_argument("--memory", type=Path)
    chosen = parser.parse_args(words)
    behind_ms = 0 if chosen.clock == RIGHT else BEHIND_MS
    clock = QuickClock(chosen.epoch_s, chosen.boot_id, behind_ms)
    store = store_of(chosen.path, chosen.memory, clock)
    threading.Thread(target=keep_up, args=(store, clock), daemon=True).start()
    write(store, clock, chosen.said, sets_clock=chosen.clock == SET)


if __name__ == "__main__":
    main()
