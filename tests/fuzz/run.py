"""Runs a target with mutated answers and keeps count of what its driver makes of them."""

import contextlib
import ctypes
import gc
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import attrs

from agent.clock import Deadline
from agent.devices.contract import Driver
from agent.devices.links.link import Link
from agent.errors import DeviceError
from agent.poller import checked
from tests.fuzz.links import Reading, Replay
from tests.fuzz.targets import READS, TIMEOUT_S, Target

WARM_UP = 0.2  # of all answers: until then memory may grow, of caches and of what is imported late
DRIVER_LINKS = 50  # then comes a new driver, which knows nothing of its device
TRUE_EVERY = 10  # of the links one has only true answers
TEXTS_LIMIT = 20


@attrs.define
class Outcome:
    """What came of the answers to one driver.

    ``strange`` are exceptions that are no DeviceError and wrong values where nothing was mutated,
    ``late`` reads over their deadline, ``true`` reads of values over links that were true.
    """

    name: str
    fuzzed: int = 0
    reads: int = 0
    true: int = 0
    answers: Counter[str] = attrs.Factory(Counter)
    strange: list[str] = attrs.Factory(list)
    left_open: int = 0
    late: int = 0
    slowest_s: float = 0.0
    took_s: float = 0.0
    grew_kib: int = 0

    def add(self, other: "Outcome") -> None:
        """What another run of the same target came to; of memory the most that any grew."""
        self.fuzzed += other.fuzzed
        self.reads += other.reads
        self.true += other.true
        self.answers += other.answers
        self.strange += other.strange
        self.left_open += other.left_open
        self.late += other.late
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.took_s += other.took_s
        self.grew_kib = max(self.grew_kib, other.grew_kib)

    def note(self, text: str) -> None:
        """Something that must not be."""
        if len(self.strange) < TEXTS_LIMIT:
            self.strange.append(text[:300])


class Feed:
    """The links of a driver, and what a true one must be read as."""

    def __init__(self, target: Target, rng: random.Random) -> None:
        self._target = target
        self._others = [part for each in target.conversations for part in each.answers]
        self._rng = rng
        self.is_true = False
        self.links: list[Replay] = []
        self._readings: list[Reading] = []

    def open(self, _: Deadline) -> Link:
        """A new link, to a conversation by chance."""
        conversation = self._rng.choice(self._target.conversations)
        self._readings = list(conversation.readings)
        more = self._target.more
        replay = Replay(conversation, more, self._others, self._rng, is_true=self.is_true)
        self.links.append(replay)
        return replay

    def wrong(self, reading: Reading) -> str:
        """What of a reading is not as it was recorded next; missing is not wrong.

        Where a device talks by itself, a later one is as good: all has been said at once.
        """
        wrong = [_wrong(true, reading) for true in self._readings] or ["read once too often"]
        self._readings = self._readings[wrong.index("") + 1 if "" in wrong else 1 :]
        return "" if "" in wrong else wrong[0]


def _wrong(true: Reading, reading: Reading) -> str:
    return ", ".join(
        f"{name} {value!r} for {true.get(name)!r}"
        for name, value in reading.items()
        if value is not None and value != true.get(name)
    )


def fuzz(
    target: Target, answers: int, seed: int, begin: Callable[[], object] = lambda: None
) -> Outcome:
    """Read until so many mutated answers were given; ``begin`` is told of each read."""
    rng = random.Random(f"{target.name} {seed}")
    outcome = Outcome(target.name)
    began_s, base_kib = time.monotonic(), 0
    while outcome.fuzzed < answers:
        feed = Feed(target, rng)
        _read(target.driver(feed.open), feed, outcome, begin)
        fuzzed = sum(link.fuzzed for link in feed.links)
        outcome.fuzzed += fuzzed
        outcome.left_open += sum(not link.is_closed for link in feed.links)
        if not fuzzed:
            outcome.note("it opens no link")
            break
        if not base_kib and outcome.fuzzed >= WARM_UP * answers:
            base_kib = resident_kib()
    outcome.grew_kib = resident_kib() - base_kib if base_kib else 0
    outcome.took_s = time.monotonic() - began_s
    return outcome


def _read(driver: Driver, feed: Feed, outcome: Outcome, begin: Callable[[], object]) -> None:
    """Many reads of one driver, as the poller does them: closed after an error, or two reads."""
    for number in range(1, DRIVER_LINKS + 1):
        feed.is_true = number % TRUE_EVERY == 0
        for _ in range(READS):
            begin()
            reading = _read_once(driver, outcome)
            if feed.is_true and reading is not None:
                outcome.true += 1
                if wrong := feed.wrong(reading):
                    outcome.note(f"wrong values of true answers: {wrong}")
            elif feed.is_true:
                break
        driver.close()


def _read_once(driver: Driver, outcome: Outcome) -> Reading | None:
    began_s = time.monotonic()
    reading = None
    try:
        reading = checked(driver.read())
        driver.describe()
        driver.warnings()
        outcome.answers["values"] += 1
    except DeviceError as error:
        outcome.answers[error.reason.value] += 1
        text = str(error)
        if not text.isprintable() or len(text) > 2000:
            outcome.note(f"a text that can't be shown: {text!r}")
        driver.close()
    except Exception as error:  # noqa: BLE001 - exactly what is looked for
        outcome.note(f"not a DeviceError: {type(error).__name__}: {error}")
        driver.close()
    outcome.reads += 1
    took_s = time.monotonic() - began_s
    outcome.slowest_s = max(outcome.slowest_s, took_s)
    outcome.late += took_s > TIMEOUT_S
    return reading


def resident_kib() -> int:
    """Memory of this process, without what is free and only kept by the allocator."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such call
        ctypes.CDLL(None).malloc_trim(0)
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0])
